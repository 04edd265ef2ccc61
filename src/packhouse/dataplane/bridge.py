"""The bridge to Django: bodies are spooled here, so that a slow client never holds one of Django's threads."""

import asyncio
import errno
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import structlog

from packhouse.dataplane.http import Header

log: Any = structlog.get_logger(__name__)

_IN_MEMORY = 256 * 1024
_STREAM_FROM = 1024**2
_BODIES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost: bytes of body, seconds without a byte, least bytes a second, requests that wait."""

    body: int = 1024**3
    idle: float = 30.0
    rate: int = 1024
    waiting: int = 64

    @property
    def grace(self) -> float:
        """Seconds before the rate counts: a connection starts slowly."""
        return min(10.0, self.idle)

    @property
    def spool(self) -> int:
        """Bytes of all bodies that lie here at once: nobody has shown credentials yet."""
        return _BODIES_AT_ONCE * self.body


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """The body of a request, in a file without a name once it is long; ``received`` bytes of it have come."""

    received = 0


class Refusal(Exception):
    """The request ends here, with ``status`` and a sentence."""

    def __init__(self, status: int, message: str, *more: Header) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = more


@dataclass(slots=True)
class Answered:
    """What Django said: status, reason phrase, headers, and the body or, when it is long, the rest of an iterable."""

    status: int
    phrase: str
    headers: list[Header]
    body: bytes
    rest: "Iterable[bytes] | None" = None
    close: Callable[[], None] | None = None


class Bridge:
    """Calls the WSGI application ``load()`` returns, in ``threads`` threads, for requests whose body has arrived."""

    def __init__(
        self, load: Callable[[], Any], *, public_url: str, spool: Path, threads: int = 4, limits: Limits | None = None
    ) -> None:
        self._load = load
        self._application: Any = None
        self._loading = threading.Lock()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="django")
        self._spool = spool
        self.limits = limits or Limits()
        self.waiting = 0
        self.spooled = 0
        self._capacity = threads + self.limits.waiting
        public = urlsplit(public_url)
        self._scheme = public.scheme
        self._host = public.netloc
        self._script_name = public.path.rstrip("/")
        self._spool.mkdir(parents=True, exist_ok=True)

    def warm(self) -> None:
        """Load the application in the background, before the first request needs it."""
        self._threads.submit(self._get)

    def _get(self) -> Any:
        with self._loading:  # once, however many requests come while it loads
            if self._application is None:
                self._application = self._load()
            return self._application

    async def body(self, scope: Any, proto: Any) -> Spool:
        """The request's body; raises ``Refusal`` for one too long or too slow.  To be given to ``release``."""
        length = _content_length(scope.headers)
        chunked = scope.headers.get("transfer-encoding") is not None
        if chunked and length is not None:  # two lengths: RFC 9112, 6.3; the way requests are smuggled
            raise Refusal(400, "400 Bad Request: both Content-Length and Transfer-Encoding are given")
        if length is None and not chunked:
            return Spool(_IN_MEMORY)
        if length is not None and length > self.limits.body:
            raise self._too_large()
        spool = Spool(_IN_MEMORY, dir=str(self._spool))
        try:
            await self._receive(proto, spool, length)
            with _room():
                spool.seek(0)  # writes what is still in memory
        except BaseException:
            self.release(spool)
            raise
        return spool

    def release(self, spool: Spool) -> None:
        """Forget a body and free its space."""
        self.spooled -= spool.received
        with suppress(OSError):  # where the disk is full it tries once more to write, and then does close
            spool.close()

    async def _receive(self, proto: Any, spool: Spool, length: int | None) -> None:
        began = monotonic()
        chunks = aiter(proto)
        while True:
            try:
                chunk = await asyncio.wait_for(anext(chunks), self.limits.idle)
            except StopAsyncIteration:
                break
            except TimeoutError:
                raise Refusal(408, "408 Request Timeout: nothing was sent for too long") from None
            except ConnectionError:
                raise _cut_short() from None
            spool.received += len(chunk)
            self.spooled += len(chunk)
            self._check_pace(spool.received, monotonic() - began)
            with _room():
                spool.write(bytes(chunk))
        if length is not None and spool.received != length:
            raise _cut_short()

    def _check_pace(self, received: int, seconds: float) -> None:
        if received > self.limits.body:
            raise self._too_large()
        if self.spooled > self.limits.spool:
            raise Refusal(503, "503 Service Unavailable: too many uploads at once", ("retry-after", "10"))
        if seconds > self.limits.grace and received < (seconds - self.limits.grace) * self.limits.rate:
            raise Refusal(408, "408 Request Timeout: the body arrives too slowly")

    def _too_large(self) -> Refusal:
        size = f"{self.limits.body // 1024**2} MiB" if self.limits.body >= 1024**2 else f"{self.limits.body} bytes"
        return Refusal(413, f"413 Content Too Large: a request may carry {size}, the file of an upload and all fields")

    async def call(self, scope: Any, body: Spool, extra: dict[str, Any]) -> Answered:
        """Let Django answer; raises ``Refusal`` (503) when too many requests wait already."""
        if self.waiting >= self._capacity:
            raise Refusal(503, "503 Service Unavailable: too many requests wait", ("retry-after", "2"))
        environ = self._environ(scope, body) | extra
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, environ)
        finally:
            self.waiting -= 1

    async def work(self, task: Callable[[], None]) -> None:
        """Do *task* in one of Django's threads, once Django is loaded."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._work, task)

    def finish(self, task: Callable[[], None], seconds: float) -> None:
        """The last *task* before this process ends, with which the loop waits.  Raises ``TimeoutError`` when it takes
        longer than *seconds*.

        Not here on the loop's own thread: Django's database refuses to be used where a loop runs.
        """
        self._threads.submit(self._work, task).result(seconds)

    def _work(self, task: Callable[[], None]) -> None:
        self._get()
        task()

    async def next_chunk(self, chunks: Any) -> bytes | None:
        """The next piece of a long body, fetched in one of Django's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, next, chunks, None)

    def _run(self, environ: dict[str, Any]) -> Answered:
        started: list[Any] = []
        result = self._get()(environ, lambda status, headers, exc_info=None: started.extend((status, headers)))
        close = getattr(result, "close", lambda: None)
        chunks = iter(result)
        body = bytearray()
        try:
            for chunk in chunks:
                body += chunk
                if len(body) > _STREAM_FROM:
                    return _answered(started, bytes(body), chunks, close)
        except Exception as error:
            close()
            if refusal := _outage(error):
                raise refusal from error
            raise
        close()
        return _answered(started, bytes(body))

    def _environ(self, scope: Any, body: Spool) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": scope.method,
            "SCRIPT_NAME": self._script_name,
            "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
            "QUERY_STRING": scope.query_string,
            "SERVER_NAME": self._host.partition(":")[0],
            "SERVER_PORT": self._host.partition(":")[2] or ("443" if self._scheme == "https" else "80"),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": scope.client.rpartition(":")[0],
            "CONTENT_LENGTH": str(body.received),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self._scheme,
            "wsgi.input": body,
            "wsgi.errors": _NoErrors(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in scope.headers.items():
            _add_header(environ, name, value)
        environ["HTTP_HOST"] = self._host  # links come from the configuration, never from the client
        return environ


def _outage(error: Exception) -> Refusal | None:
    """What to say where the database or a disk failed while the body was made, of which nothing was sent yet."""
    from packhouse.base.outages import is_full, is_outage  # noqa: PLC0415 - once Django is there

    if not is_outage(error):
        return None
    log.error("an answer was given up", exc_info=error)
    if is_full(error):
        return Refusal(507, "507 Insufficient Storage", ("retry-after", "10"))
    return Refusal(503, "503 Service Unavailable: try again in a moment", ("retry-after", "10"))


class _NoErrors:
    """``wsgi.errors``: Django logs through logging, so nothing comes here."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None


_HOP = ("content-length", "transfer-encoding", "connection", "host", "proxy")
_CLAIMS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")  # weighed already
_NOT_PASSED = frozenset((*_HOP, *_CLAIMS))


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    """Put a header under its CGI name; names with an underscore could pose as others and are dropped."""
    if name in _NOT_PASSED or "_" in name:
        return
    if name == "content-type":
        environ["CONTENT_TYPE"] = value
        return
    key = "HTTP_" + name.upper().replace("-", "_")
    joint = "; " if name == "cookie" else ","
    environ[key] = environ[key] + joint + value if key in environ else value


def _answered(started: list[Any], body: bytes, rest: Any = None, close: Callable[[], None] | None = None) -> Answered:
    status, headers = started[-2:]
    return Answered(int(status[:3]), status[4:], [(name.lower(), value) for name, value in headers], body, rest, close)


def _cut_short() -> Refusal:
    return Refusal(400, "400 Bad Request: the body ends before it should")


def _content_length(headers: Any) -> int | None:
    value = headers.get("content-length")
    if value is None:
        return None
    if not value.isascii() or not value.isdigit():
        raise Refusal(400, "400 Bad Request: Content-Length is not a number")
    return int(value)


@contextmanager
def _room() -> Iterator[None]:
    """Refuse the request when the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refusal(507, "507 Insufficient Storage: no room to receive this", ("retry-after", "30")) from error
        raise
