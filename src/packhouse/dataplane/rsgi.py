"""The front door: a server's RSGI on one side, the data plane and the bridge to Django on the other.

Any RSGI server can call it.  Our own (``packhouse.server``) also calls ``answer_now``, ``remember`` and ``recall``:
they answer most of what installers ask without a task, and much of it without reading the request.
"""

import asyncio
import os
import re
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from time import monotonic
from typing import Any

import structlog

from packhouse import files
from packhouse.base import logs
from packhouse.base.access import AccessLog
from packhouse.base.clients import client_of
from packhouse.config import Config
from packhouse.dataplane import blobs as blob_stores
from packhouse.dataplane import large
from packhouse.dataplane.answer import answer
from packhouse.dataplane.bridge import Answered, Bridge, Limits, Refusal
from packhouse.dataplane.http import CSP, TEXT, FileSlice, Header, Joined, Request, Response, Site
from packhouse.dataplane.memo import Key, Memo, key_of
from packhouse.dataplane.packages import Blobs, NotStatted, missing
from packhouse.dataplane.packed import Packed
from packhouse.dataplane.ready import Ready, ReadyAnswers
from packhouse.dataplane.store import DocumentStore, NotLoaded
from packhouse.dataplane.watch import TALLY, Exchange
from packhouse.documents import edition, generation
from packhouse.documents import store as documents
from packhouse.documents.store import Unavailable
from packhouse.downloads.tally import Batch
from packhouse.files.store import BlobNotFound, StoreError
from packhouse.server import wire
from packhouse.server.connection import Connection
from packhouse.server.turn import Turn

log: Any = structlog.get_logger(__name__)

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_SMALL_FILE = 256 * 1024
_POLL_SECONDS = 0.5
_TALLY_SECONDS = 60.0
_LAST_SECONDS = 5.0
"""For the last numbers of a process that has been told to end."""
_PLANE = ("/simple", "/packages/", "/pypi/", "/integrity/")
_GONE = 499
"""What is noted of a request whose client did not wait for the answer."""


class FrontDoor:
    """One application for one worker process: answers, or asks Django to."""

    def __init__(self, config: Config, *, store: DocumentStore, blobs: Blobs, bridge: Bridge, site: Site) -> None:
        self.config = config
        self.store = store
        self.blobs = blobs
        self.bridge = bridge
        self.site = site
        self.log = AccessLog(human=logs.is_human(config.log_format)) if config.access_log else None
        self.packed = Packed(config.document_cache_size // 8)
        self._security = [CSP, *site.security()]  # for every answer that has none of its own
        self.memo = Memo(max(1024**2, config.document_cache_size // 8))
        store.listeners.append(self.memo.forget)
        self._ready = ReadyAnswers()
        self.remember = self._ready.add
        self._poll: asyncio.Task[None] | None = None
        self._tally_due = monotonic() + _TALLY_SECONDS

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        large.sweep(self.store.folder)
        self._poll = loop.create_task(self._keep_true())
        self.bridge.warm()
        if self.log is not None:
            self.log.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._poll is not None:
            self._poll.cancel()
        if batch := TALLY.take():
            try:
                self.bridge.finish(lambda: _write_downloads(batch), _LAST_SECONDS)
            except Exception:  # the process ends; a minute of numbers is no reason to hold it up
                log.exception("downloads could not be written")
        if self.log is not None:
            self.log.stop()

    async def _keep_true(self) -> None:
        """Ask the change feed now and then: writers on other machines cannot move this machine's mark."""
        while True:
            with suppress(Unavailable):
                await self.store.sync()
            if TALLY.is_full or monotonic() >= self._tally_due:
                self._tally_due = monotonic() + _TALLY_SECONDS
                await self._write_tally()
            await asyncio.sleep(_POLL_SECONDS)

    async def _write_tally(self) -> None:
        """Have Django write what was downloaded; what it cannot write now is counted once more."""
        batch = TALLY.take()
        if not batch:
            return
        try:
            await self.bridge.work(lambda: _write_downloads(batch))
        except Exception:
            log.exception("downloads could not be written")
            TALLY.give_back(batch)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        if scope.proto != "http":
            return
        agent = scope.headers.get("user-agent") or ""
        exchange = Exchange(scope.method, scope.path, self._client(scope), agent)
        try:
            await self._exchange(scope, proto, exchange)
        except ConnectionError:
            exchange.ended(self.log, "data", "gone", _GONE, 0)
            raise
        except Exception:
            log.exception("a request failed", path=scope.path, request_id=exchange.request_id)
            sent = 0
            with suppress(Exception):  # the answer may have begun
                sent = self._send_refusal(exchange, Refusal(500, "500 Internal Server Error"), proto)
            exchange.ended(self.log, "data", "failed", 500, sent)

    async def _exchange(self, scope: Any, proto: Any, exchange: Exchange) -> None:
        """One request and its answer, by whichever plane."""
        path = scope.path
        if not _names_one_host(scope):
            sent = self._send_refusal(exchange, Refusal(400, "400 Bad Request: name the host, once"), proto)
            exchange.ended(self.log, "data", "host", 400, sent)
            return
        if path.startswith(_PLANE):
            response = await self._data(Request(scope.method, path, scope.query_string, Joined(scope.headers)))
            if response is not None:
                sent = await self._send(exchange, response, proto)
                exchange.ended(self.log, "data", response.route, response.status, sent)
                return
        elif (key := key_of(scope)) is not None:
            await self._page(key, scope, proto, exchange)
            return
        elif path == "/_health/":
            proto.response_bytes(200, [TEXT, ("cache-control", "no-store"), exchange.header(), *self._security], b"OK")
            return
        status, sent = await self._control(scope, proto, exchange)
        exchange.ended(self.log, "control", "django", status, sent)

    async def _page(self, key: Key, scope: Any, proto: Any, exchange: Exchange) -> None:
        """A project's page: as it was made a moment ago, or as Django makes it."""
        if not self.store.is_fresh():
            await self.store.sync()
        found = self.memo.get(key, scope.headers.get("if-none-match"))
        if found is not None:
            sent = await self._send(exchange, found, proto)
            exchange.ended(self.log, "data", found.route, found.status, sent)
            return
        status, sent = await self._control(scope, proto, exchange, key)
        exchange.ended(self.log, "control", "django", status, sent)

    async def _freshen(self) -> bool:
        """Forget what has changed; whether that was possible."""
        if not self.store.is_fresh():
            await self.store.sync()
        return self.store.is_fresh()

    def _client(self, scope: Any) -> str:
        return self._client_at(scope.client, scope.headers)

    def _client_at(self, peer: str, headers: Any) -> str:
        if not self.config.trusted_proxies:
            return peer.rpartition(":")[0]
        trusted, written = self.config.trusted_proxies, self.config.proxy_header
        return client_of(peer, Joined(headers).get, trusted, written=written).address

    # -- at once ------------------------------------------------------------------------------------------------

    def answer_now(self, turn: Turn) -> bool:
        """Answer what the data plane can answer without waiting; False leaves it to ``__rsgi__``."""
        path = turn.path
        if not path.startswith(_PLANE) or not self.store.is_fresh() or not _names_one_host(turn):
            return False
        exchange = Exchange(turn.method, path, self._client(turn), turn.headers.get("user-agent") or "")
        try:
            headers = Joined(turn.headers) if turn.headers.again else turn.headers
            request = Request(turn.method, path, turn.query_string, headers)
            response = answer(request, self.store, self.blobs, self.site)
        except Exception:  # noqa: BLE001 (a document or a blob is to be asked for first, or it fails there once more)
            return False
        ready = self._as_ready(response, turn) if response is not None else None
        if ready is None or not self._put(ready, exchange, turn):
            return False
        if ready.method == "GET" and ready.page is not None:
            ready.headers = turn.headers if self.config.trusted_proxies else None
            turn.ready = ready
        return True

    def _as_ready(self, response: Response, turn: Turn) -> Ready | None:
        """What *turn* is answered; None when that has to be made or fetched first."""
        body, variant, status = response.body, response.variant, response.status
        if isinstance(body, FileSlice) and body.packed:
            body = self.packed.at_hand(body.key) or body
        if isinstance(body, FileSlice) and (body.packed or body.path is None):
            return None
        length = body.end - body.start if isinstance(body, FileSlice) else len(body)
        if turn.method == "HEAD" or status in (204, 304):
            body = b""
        head = variant.head(status) if variant is not None else wire.head(status, response.headers, length)
        agent = turn.headers.get("user-agent") or ""
        return Ready(head, body, status, response.route, turn.method, turn.path, agent, response.page)

    def recall(self, packet: bytes, connection: Connection) -> bool:
        """Answer a request that was answered before, known by its bytes."""
        ready = self._ready.get(packet)
        if ready is None or not self.store.is_fresh():
            return False
        if ready.page is not None and not self.store.is_current(ready.page):
            self._ready.remove(packet)
            return False
        client = self._client_at(connection.client, ready.headers)
        return self._put(ready, Exchange(ready.method, ready.path, client, ready.agent), connection)

    def _put(self, ready: Ready, exchange: Exchange, to: Turn | Connection) -> bool:
        """Send *ready*; False when it is a file that is not there any more."""
        body = ready.body
        if isinstance(body, FileSlice):
            try:
                sent = _put_file(ready.head, exchange.line(), body, to)
            except OSError:
                return False
        else:
            to.send(ready.head, exchange.line(), body)
            sent = len(body)
        exchange.ended(self.log, "data", ready.route, ready.status, sent)
        return True

    # -- in a task ----------------------------------------------------------------------------------------------

    async def _data(self, request: Request) -> Response | None:
        """The data plane's response, once the documents that it needs are in memory."""
        try:
            if not self.store.is_fresh():
                await self.store.sync()
            return await self._answer(request)
        except (Unavailable, StoreError):
            return _refused(Refusal(503, "503 Service Unavailable", ("retry-after", "5")), self._security)

    async def _answer(self, request: Request) -> Response | None:
        while True:
            try:
                response = answer(request, self.store, self.blobs, self.site)
                if response is not None and isinstance(response.body, FileSlice) and request.method == "GET":
                    await self._begin(response.body)
            except NotLoaded as unknown:
                await self.store.load(unknown.key)
            except NotStatted as unknown:
                await self.blobs.ask(unknown.key)  # type: ignore[attr-defined]
            except (BlobNotFound, FileNotFoundError):  # it was deleted after somebody had looked for it
                return missing(self.site)
            else:
                return response

    async def _begin(self, part: FileSlice) -> None:
        """Bring what a store may refuse to give, while who asks can still be told so."""
        if part.packed:
            await self.packed.get(part.key, lambda: self._content(part))
        elif part.path is None:
            part.chunks = await self.blobs.begin(part.key, part.start, part.end)  # type: ignore[attr-defined]

    async def _send(self, exchange: Exchange, response: Response, proto: Any) -> int:
        """Send *response*; returns the bytes of its body."""
        body = response.body
        headers = [*response.headers, exchange.header()]
        if exchange.method == "HEAD" or response.status in (204, 304):
            proto.response_empty(response.status, headers)
            return 0
        if isinstance(body, FileSlice):
            return await self._send_file(response.status, headers, body, proto)
        proto.response_bytes(response.status, headers, body)
        return len(body)

    async def _send_file(self, status: int, headers: list[Header], part: FileSlice, proto: Any) -> int:
        """Small parts are read and sent as bytes, large ones leave through the server without touching Python."""
        size = part.end - part.start
        if part.packed:
            body = await self.packed.get(part.key, lambda: self._content(part))
            proto.response_bytes(status, headers, body)
            return len(body)
        if part.path is None:
            assert part.chunks is not None
            transport = proto.response_stream(status, headers)
            async for chunk in part.chunks:
                await transport.send_bytes(chunk)
        elif size <= _SMALL_FILE:
            proto.response_bytes(status, headers, _read(part.path, part.start, part.end))
        elif size == part.size:
            proto.response_file(status, headers, part.path)
        else:
            proto.response_file_range(status, headers, part.path, part.start, part.end)
        return size

    async def _content(self, part: FileSlice) -> bytes:
        if part.path is not None:
            return _read(part.path, part.start, part.end)
        chunks = await self.blobs.begin(part.key, part.start, part.end)  # type: ignore[attr-defined]
        return b"".join([chunk async for chunk in chunks])

    async def _control(self, scope: Any, proto: Any, exchange: Exchange, key: Key | None = None) -> tuple[int, int]:
        """Have Django answer; returns status and the bytes of the body (-1: streamed).  A page with a *key* is kept."""
        mine: list[Header] = [exchange.header()]
        changes = self.memo.changes
        try:
            body = await self.bridge.body(scope, proto)
            try:
                extra = {"packhouse.request_id": exchange.request_id, "REMOTE_ADDR": exchange.client}
                answered = await self.bridge.call(scope, body, extra)
                if key is not None and scope.method == "GET" and await self._freshen():
                    self.memo.put(key, replace(answered, headers=self._completed(answered.headers)), changes)
                return answered.status, await self._send_answered(scope.method, answered, mine, proto)
            finally:
                self.bridge.release(body)
        except Refusal as refusal:
            return refusal.status, self._send_refusal(exchange, refusal, proto)

    def _send_refusal(self, exchange: Exchange, refusal: Refusal, proto: Any) -> int:
        response = _refused(refusal, [exchange.header(), *self._security])
        proto.response_bytes(response.status, response.headers, response.body)
        return len(refusal.message)

    async def _send_answered(self, method: str, answered: Answered, mine: list[Header], proto: Any) -> int:
        headers = [*self._completed(answered.headers), *mine]
        proto.phrase = answered.phrase
        if answered.rest is None:
            if method == "HEAD":
                proto.response_empty(answered.status, headers)
                return 0
            proto.response_bytes(answered.status, headers, answered.body)
            return len(answered.body)
        try:
            transport = proto.response_stream(answered.status, headers)
            chunk: bytes | None = answered.body
            while chunk is not None:
                await transport.send_bytes(chunk)
                chunk = await self.bridge.next_chunk(answered.rest)
        finally:
            if answered.close is not None:
                answered.close()
        return -1

    def _completed(self, headers: list[Header]) -> list[Header]:
        """*headers* with those for security that are not among them."""
        present = {name for name, _ in headers}
        return [*headers, *(pair for pair in self._security if pair[0] not in present)]


def _put_file(head: bytes, line: bytes, part: FileSlice, to: Turn | Connection) -> int:
    """Small parts are read and sent as bytes, large ones leave through the kernel without touching Python."""
    size = part.end - part.start
    assert part.path is not None
    if size <= _SMALL_FILE:
        to.send(head, line, _read(part.path, part.start, part.end))
    else:
        to.send_file(head, line, os.open(part.path, os.O_RDONLY), part.start, part.end)
    return size


def _write_downloads(batch: Batch) -> None:
    """In a thread that may use Django."""
    from django.db import close_old_connections  # noqa: PLC0415 - the data plane starts without Django

    from packhouse.downloads.actions import record_downloads  # noqa: PLC0415

    close_old_connections()
    record_downloads(batch)
    close_old_connections()


def _make_anew(key: str) -> None:
    """In a thread that may use Django."""
    from django.db import DatabaseError, close_old_connections  # noqa: PLC0415

    from packhouse.index.startup import make_anew  # noqa: PLC0415

    close_old_connections()
    try:
        make_anew(key)
    except DatabaseError as error:
        raise Unavailable(str(error)) from error
    finally:
        close_old_connections()


def _names_one_host(scope: Any) -> bool:
    """Whether the request says for which host it is, and says so once (RFC 9112 §3.2)."""
    hosts = scope.headers.get_all("host")
    if len(hosts) != 1:
        return not hosts and scope.http_version != "1.1"
    return (scope.authority is None or scope.authority == hosts[0]) and _is_host(hosts[0])


@lru_cache(maxsize=256)
def _is_host(text: str) -> bool:
    return len(text) < 300 and _HOST.fullmatch(text) is not None


def _read(path: str, start: int, end: int) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.pread(fd, end - start, start)
    finally:
        os.close(fd)


def _refused(refusal: Refusal, more: list[Header]) -> Response:
    return Response(refusal.status, [TEXT, *refusal.headers, *more], refusal.message.encode())


def _django() -> Any:
    """Django's WSGI application, made on first use."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "packhouse.settings")
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 - the data plane starts without Django

    return get_wsgi_application()


def front_door(config: Config) -> FrontDoor:
    """The application for *config*."""
    secure = config.public_url.startswith("https://")
    site = Site(config.public_url, config.index_max_age, config.purge != "none://", secure)
    mark, cache = generation.of(config.home), config.home / "cache"
    reader = documents.from_url(config.database, edition.number(edition.stamp_of(config.public_url)))
    store = DocumentStore(reader, mark, cache, capacity=config.document_cache_size)
    blobs = blob_stores.from_store(files.from_url(config.files), redirect=config.file_delivery == "redirect")
    limits = Limits(body=config.max_body_size, idle=config.idle_timeout, rate=config.min_body_rate)
    spool = config.home / "spool"
    bridge = Bridge(_django, public_url=config.public_url, spool=spool, threads=config.threads, limits=limits)
    store.make_anew = lambda key: bridge.work(lambda: _make_anew(key))
    return FrontDoor(config, store=store, blobs=blobs, bridge=bridge, site=site)


def __getattr__(name: str) -> FrontDoor:
    """``application``, made from this process's configuration when the server asks for it."""
    if name != "application":
        raise AttributeError(name)
    from packhouse import config  # noqa: PLC0415

    application = front_door(config.load())
    globals()["application"] = application
    return application
