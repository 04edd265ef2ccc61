"""The front door: granian's RSGI on one side, the data plane and the bridge to Django on the other."""

import asyncio
import gzip
import os
import secrets
from contextlib import suppress
from typing import Any

from packhouse import files
from packhouse.config import Config
from packhouse.dataplane import blobs as blob_stores
from packhouse.dataplane.answer import answer
from packhouse.dataplane.bridge import Answered, Bridge, Refusal
from packhouse.dataplane.http import TEXT, FileSlice, Header, Request, Response, Site
from packhouse.dataplane.packages import Blobs, NotStatted
from packhouse.dataplane.store import DocumentStore, NotLoaded
from packhouse.documents import generation
from packhouse.documents import store as documents
from packhouse.documents.store import Unavailable
from packhouse.files.store import StoreError

_SMALL_FILE = 256 * 1024
_POLL_SECONDS = 0.5


class FrontDoor:
    """One application for one worker process: answers, or asks Django to."""

    def __init__(self, config: Config, *, store: DocumentStore, blobs: Blobs, bridge: Bridge, site: Site) -> None:
        self.config = config
        self.store = store
        self.blobs = blobs
        self.bridge = bridge
        self.site = site
        self._security = site.security()
        self._poll: asyncio.Task[None] | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._poll = loop.create_task(self._keep_true())
        self.bridge.warm()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._poll is not None:
            self._poll.cancel()

    async def _keep_true(self) -> None:
        """Ask the change feed now and then: writers on other machines cannot move this machine's mark."""
        while True:
            with suppress(Unavailable):
                await self.store.sync()
            await asyncio.sleep(_POLL_SECONDS)

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        if scope.proto != "http":
            return
        path = scope.path
        if path.startswith(("/simple", "/packages/", "/pypi/")):
            request = Request(scope.method, path, scope.query_string, scope.headers)
            if await self._answered(request, proto):
                return
        elif path == "/_health/":
            proto.response_bytes(200, [TEXT, ("cache-control", "no-store"), *self._security], b"OK")
            return
        await self._ask_django(scope, proto)

    async def _answered(self, request: Request, proto: Any) -> bool:
        try:
            if not self.store.is_fresh():
                await self.store.sync()
            response = await self._answer(request)
        except (Unavailable, StoreError):
            response = _refused(Refusal(503, "503 Service Unavailable", ("retry-after", "5")), self._security)
        if response is None:
            return False
        await self._send(request.method, response, proto)
        return True

    async def _answer(self, request: Request) -> Response | None:
        while True:
            try:
                return answer(request, self.store, self.blobs, self.site)
            except NotLoaded as missing:
                await self.store.load(missing.key)
            except NotStatted as unknown:
                await self.blobs.ask(unknown.key)  # type: ignore[attr-defined]

    async def _send(self, method: str, response: Response, proto: Any) -> None:
        body = response.body
        if method == "HEAD" or response.status in (204, 304):
            proto.response_empty(response.status, response.headers)
        elif isinstance(body, FileSlice):
            await self._send_file(response, body, proto)
        else:
            proto.response_bytes(response.status, response.headers, body)

    async def _send_file(self, response: Response, part: FileSlice, proto: Any) -> None:
        """Small parts are read and sent as bytes, large ones leave through the server without touching Python."""
        if part.path is None:
            await self._stream(response, part, proto)
        elif part.packed:
            body = gzip.compress(_read(str(part.path), 0, part.size), 6, mtime=0)
            proto.response_bytes(response.status, response.headers, body)
        elif part.end - part.start <= _SMALL_FILE:
            proto.response_bytes(response.status, response.headers, _read(str(part.path), part.start, part.end))
        elif part.end - part.start == part.size:
            proto.response_file(response.status, response.headers, str(part.path))
        else:
            proto.response_file_range(response.status, response.headers, str(part.path), part.start, part.end)

    async def _stream(self, response: Response, part: FileSlice, proto: Any) -> None:
        transport = proto.response_stream(response.status, response.headers)
        async for chunk in self.blobs.stream(part.key, part.start, part.end):  # type: ignore[attr-defined]
            await transport.send_bytes(chunk)

    async def _ask_django(self, scope: Any, proto: Any) -> None:
        request_id = secrets.token_hex(8)
        mine: list[Header] = [("x-request-id", request_id)]
        try:
            body = await self.bridge.body(scope, proto)
            try:
                answered = await self.bridge.call(scope, body, {"packhouse.request_id": request_id})
                await self._send_answered(scope.method, answered, mine, proto)
            finally:
                body.close()
        except Refusal as refusal:
            response = _refused(refusal, [*mine, *self._security])
            proto.response_bytes(response.status, response.headers, response.body)

    async def _send_answered(self, method: str, answered: Answered, mine: list[Header], proto: Any) -> None:
        present = {name for name, _ in answered.headers}
        headers = [*answered.headers, *mine, *(pair for pair in self._security if pair[0] not in present)]
        if answered.rest is None:
            if method == "HEAD":
                proto.response_empty(answered.status, headers)
            else:
                proto.response_bytes(answered.status, headers, answered.body)
            return
        try:
            transport = proto.response_stream(answered.status, headers)
            chunk: bytes | None = answered.body
            while chunk is not None:
                await transport.send_bytes(chunk)
                chunk = await self.bridge.next_chunk(answered.rest)
        finally:
            if answered.close is not None:
                answered.close()


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
    purges = getattr(config, "purge", "none://") != "none://"
    site = Site(config.public_url, config.index_max_age, purges, config.public_url.startswith("https://"))
    store = DocumentStore(documents.from_url(config.database), generation.of(config.home), config.home / "cache")
    redirect = getattr(config, "file_delivery", "proxy") == "redirect"
    blobs = blob_stores.from_store(files.from_url(config.files), redirect=redirect)
    bridge = Bridge(_django, public_url=config.public_url, spool=config.home / "spool")
    return FrontDoor(config, store=store, blobs=blobs, bridge=bridge, site=site)


def __getattr__(name: str) -> FrontDoor:
    """``application``, made from this process's configuration when the server asks for it."""
    if name != "application":
        raise AttributeError(name)
    from packhouse import config  # noqa: PLC0415

    application = front_door(config.load())
    globals()["application"] = application
    return application
