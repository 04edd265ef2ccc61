"""Hot documents in memory: never older than what a writer of this machine has acknowledged.

Every request first compares the home's *generation* mark (a slice of mapped memory).  When it has moved, the change
feed tells which documents to drop.  A poll does the same for changes made by other machines.  A document is loaded
once, by whoever asks first; all others wait for that load.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Literal

from packhouse.base.metrics import hot
from packhouse.dataplane.large import LARGE, Assembly, LargePage
from packhouse.dataplane.page import Page
from packhouse.documents.edition import WITHHELD
from packhouse.documents.generation import Generation
from packhouse.documents.store import EVERYTHING, Format, Outdated, Pieces, Reader, Unavailable

Key = tuple[str, Format]
Entry = Page | LargePage | Literal["absent"]
ABSENT: Literal["absent"] = "absent"
LOAD_PATIENCE = 5.0
SYNC_PATIENCE = 2.0
SYNC_PAUSE = 0.5
_FORMATS: tuple[Format, ...] = ("html", "json")
_WARM: tuple[Format, ...] = ("json", "html")
"""In the order in which they are asked for: pip and uv want JSON."""
_ALWAYS: Key = (WITHHELD, "json")
"""What each file is looked up in: it is in memory before somebody asks, and stays, so that files need no database."""


class NotLoaded(Exception):
    """The answer needs a document that is not in memory: load ``key`` and ask again."""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.key = key


@dataclass(slots=True)
class _Load:
    """A load under way; ``stale`` when the document changed meanwhile."""

    task: "asyncio.Future[None] | None" = None
    stale: bool = False


class DocumentStore:
    """Pages by key, bounded by ``capacity`` bytes, least recently used out first.  Lives on one event loop."""

    def __init__(self, reader: Reader, generation: Generation, folder: Path, *, capacity: int = 64 * 1024**2) -> None:
        self.reader = reader
        self.generation = generation
        self.folder = folder
        self.capacity = capacity
        self.loads = 0
        self.size = 0
        self.listeners: list[Callable[[Iterable[str] | None], None]] = []
        """Told of the documents that have changed; None: all may have."""
        self.make_anew: Callable[[str], Awaitable[None]] | None = None
        """Makes an outdated document anew, or removes it."""
        self._pages: OrderedDict[Key, Entry] = OrderedDict()
        self._releases: dict[str, set[Key]] = {}
        self._loading: dict[Key, _Load] = {}
        self._refreshing: dict[Key, asyncio.Future[None]] = {}
        self._seen: int | None = None
        self._mark = b""
        self._told = generation.told()
        self._warming: asyncio.Future[None] | None = None
        self._syncing: asyncio.Future[None] | None = None
        self._sync_began = 0.0
        self._sync_not_before = 0.0
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="documents")

    # -- asking -------------------------------------------------------------------------------------------------

    def page(self, key: str, fmt: Format) -> Page | LargePage | None:
        """The page in memory, None when there is no such document; raises ``NotLoaded`` when it must be read first."""
        wanted = (key, fmt)
        found = self._pages.get(wanted)
        if found is None:
            hot.cache_misses += 1
            found = self._load_inline(wanted)
        else:
            hot.cache_hits += 1
            self._pages.move_to_end(wanted)
        return None if found == "absent" else found

    def is_current(self, page: Page) -> bool:
        """Whether *page* is what ``page`` would give for its key now; counts as asking for it."""
        if self._pages.get(page.key) is not page:
            return False
        hot.cache_hits += 1
        self._pages.move_to_end(page.key)
        return True

    def _load_inline(self, key: Key) -> Entry:
        if not self.reader.inline:
            raise NotLoaded(key)
        try:
            loaded = self.reader.load(*key, whole=False)
        except Outdated:
            raise NotLoaded(key) from None
        if loaded == "segmented":
            raise NotLoaded(key)
        return self._keep(key, loaded)

    async def load(self, key: Key) -> None:
        """Bring *key* into memory, once for all who ask at the same time.

        Raises ``Unavailable`` when the database fails or does not answer in time; the load itself goes on.
        """
        load = self._loading.get(key)
        if load is None:
            load = self._loading[key] = _Load()
            load.task = asyncio.ensure_future(self._load_until_true(key, load))
            load.task.add_done_callback(lambda task: self._loaded(key, task))
        assert load.task is not None
        await asyncio.wait({load.task}, timeout=LOAD_PATIENCE)
        if not load.task.done():
            raise Unavailable("the database does not answer")
        load.task.result()

    def _loaded(self, key: Key, task: "asyncio.Future[None]") -> None:
        del self._loading[key]
        if not task.cancelled():
            task.exception()  # seen: whoever still waits gets it, and perhaps nobody does

    async def _load_until_true(self, key: Key, load: _Load) -> None:
        loop = asyncio.get_running_loop()
        while True:
            load.stale = False
            self.loads += 1
            hot.cache_loads += 1
            try:
                page = await loop.run_in_executor(self._threads, self._make, key)
            except Outdated:
                await self._have_made(key[0])
                page = await loop.run_in_executor(self._threads, self._make, key)
            if not load.stale:
                self._keep_page(key, page)
                return

    async def _have_made(self, key: str) -> None:
        """An outdated document is made anew for the first who asks; the task that makes all may take minutes."""
        if self.make_anew is None:
            raise Outdated(key)
        await self.make_anew(key)

    def _make(self, key: Key) -> Entry:
        if self._is_large(key):
            large = LargePage(Assembly(self.reader, *key), self.folder)
            return large if large.refresh() else ABSENT
        loaded = self.reader.load(*key)
        if loaded is None or loaded == "segmented":
            return ABSENT
        page = Page(loaded, key)
        page.encoded("gzip")
        return page

    def _is_large(self, key: Key) -> bool:
        return key[0] == "index" and self.reader.size(*key) > LARGE

    async def _warm(self) -> None:
        """Have the index made before somebody asks for it, where it is so large that making it takes seconds."""
        await self._remember()
        for fmt in _WARM:
            with suppress(Unavailable):
                if await asyncio.get_running_loop().run_in_executor(self._threads, self._is_large, ("index", fmt)):
                    await self.load(("index", fmt))

    async def _remember(self) -> None:
        """Have in memory what always is."""
        with suppress(Unavailable):
            await self.load(_ALWAYS)

    def _keep(self, key: Key, loaded: Pieces | None) -> Entry:
        self.loads += 1
        hot.cache_loads += 1
        page: Entry = ABSENT if loaded is None else Page(loaded, key)
        self._keep_page(key, page)
        return page

    def _keep_page(self, key: Key, page: Entry) -> None:
        self._drop(key)
        self._pages[key] = page
        self.size += _weight(page)
        if key[0].startswith("release/"):
            self._releases.setdefault(key[0].split("/")[1], set()).add(key)
        while self.size > self.capacity and len(self._pages) > 2:  # the one that always stays, and this one
            oldest = next(iter(self._pages))
            if oldest == _ALWAYS:
                self._pages.move_to_end(oldest)
            else:
                self._drop(oldest)

    # -- staying true -------------------------------------------------------------------------------------------

    def is_fresh(self) -> bool:
        """Whether memory is as true as the last acknowledged write of this machine.  Costs a comparison.

        Where the reader is quick the feed is read on the spot; else false means: ``await sync()`` first.
        """
        if self.generation.read() == self._mark:
            return True
        if not self.reader.inline:
            return False
        self._sync_now()
        return True

    def _sync_now(self) -> None:
        told = self.generation.told()  # both before the feed is read: what is written later moves them again
        mark = self.generation.read()
        try:
            self._apply(self._feed())
        except Unavailable:
            self._forget_told()
            return
        self._told, self._mark = told, mark

    async def sync(self) -> None:
        """Read the change feed, off the event loop where the reader is slow.

        On failure memory stays as it is but for what the writers of this machine have told of, and so it does where the
        database does not answer for ``SYNC_PATIENCE`` seconds: what was true last is better than nothing.
        """
        if self.reader.inline:
            self._sync_now()
            return
        await self._sync_in_time()
        if self._syncing is not None or monotonic() < self._sync_not_before:
            self._forget_told()

    async def _sync_in_time(self) -> None:
        if self._syncing is not None:
            await self._wait_for_sync(self._syncing)
            if self._syncing is not None or self.generation.read() == self._mark:
                return
        if self._syncing is None and monotonic() >= self._sync_not_before:
            self._sync_began = monotonic()
            self._syncing = asyncio.ensure_future(self._sync_in_thread())
            self._syncing.add_done_callback(self._synced)
        if self._syncing is not None:
            await self._wait_for_sync(self._syncing)

    async def _wait_for_sync(self, syncing: "asyncio.Future[None]") -> None:
        """Wait, but not if others have waited long enough already."""
        left = self._sync_began + SYNC_PATIENCE - monotonic()
        await asyncio.wait({syncing}, timeout=max(0.0, left))

    def _synced(self, _: "asyncio.Future[None]") -> None:
        self._syncing = None

    async def _sync_in_thread(self) -> None:
        told, mark = self.generation.told(), self.generation.read()
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, self._feed)
        except Unavailable:
            self._sync_not_before = monotonic() + SYNC_PAUSE
            return
        self._apply(found)
        self._told, self._mark = told, mark

    def _forget_told(self) -> None:
        """Drop what has changed, as far as that is known without the database: another process may have shown it."""
        keys, self._told = self.generation.told_since(self._told)
        if keys is None or EVERYTHING in keys:
            self._drop_all()
        elif keys:
            self._drop_changed(keys)

    def _feed(self) -> Callable[[], None]:
        """Ask what changed; returns what to do about it on the event loop."""
        if self._seen is None:
            last = self.reader.last_change()
            return lambda: self._forget_all(last)
        changes = self.reader.changes(self._seen)
        if not changes.complete or EVERYTHING in changes.keys:
            return lambda: self._forget_all(changes.last)
        return lambda: self._forget(changes.keys, changes.last)

    @staticmethod
    def _apply(what: Callable[[], None]) -> None:
        what()

    def _forget_all(self, last: int) -> None:
        self._drop_all()
        self._warming = asyncio.ensure_future(self._warm() if self._seen is None else self._remember())
        self._seen = last

    def _forget(self, keys: list[str], last: int) -> None:
        self._drop_changed(keys)
        if WITHHELD in keys:
            self._warming = asyncio.ensure_future(self._remember())
        self._seen = last

    def _drop_all(self) -> None:
        for key in list(self._pages):
            self._outdate(key)
        self._releases.clear()
        for load in self._loading.values():
            load.stale = True
        for listener in self.listeners:
            listener(None)

    def _drop_changed(self, keys: list[str]) -> None:
        for key in keys:
            for fmt in _FORMATS:
                self._outdate((key, fmt))
            if key.startswith("project/"):
                for release in self._releases.pop(key.removeprefix("project/"), ()):
                    self._drop(release)
        self._mark_loads(set(keys))
        for listener in self.listeners if keys else ():
            listener(keys)

    def _outdate(self, key: Key) -> None:
        """Drop a page, or have a large one brought up to date while it goes on being served."""
        page = self._pages.get(key)
        if isinstance(page, LargePage):
            if key not in self._refreshing:
                self._refreshing[key] = asyncio.ensure_future(self._refresh(key, page))
        else:
            self._drop(key)

    async def _refresh(self, key: Key, page: LargePage) -> None:
        """Refresh a large page until it is as new as the feed; changes that come meanwhile make one more round.

        The first change is followed at once; where one comes after another, the page rests in between.
        """
        loop = asyncio.get_running_loop()
        try:
            seen = None
            while seen != self._seen:
                await asyncio.sleep(page.rest())
                seen = self._seen
                if not await loop.run_in_executor(self._threads, page.refresh):
                    self._drop(key)
                    return
        except Unavailable:
            self._drop(key)
        finally:
            del self._refreshing[key]

    def _mark_loads(self, keys: set[str]) -> None:
        for (key, _), load in self._loading.items():
            if key in keys or (key.startswith("release/") and f"project/{key.split('/')[1]}" in keys):
                load.stale = True

    def _drop(self, key: Key) -> None:
        page = self._pages.pop(key, None)
        if page is not None:
            self.size -= _weight(page)
        if isinstance(page, LargePage):
            page.close()


def _weight(page: Entry) -> int:
    """Bytes that count against the capacity; large pages live in files and count nothing."""
    if isinstance(page, Page):
        return page.size
    return 200 if page == "absent" else 0
