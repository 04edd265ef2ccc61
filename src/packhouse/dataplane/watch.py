"""What is told of each request: a metric, a line in the access log, an id in the response."""

from time import perf_counter, time

from packhouse.base import logs
from packhouse.base.access import AccessLine, AccessLog
from packhouse.base.metrics import hot
from packhouse.dataplane.http import Header
from packhouse.downloads.tally import Tally

_KINDS = {".whl": "wheel", "r.gz": "sdist", ".zip": "sdist", "data": "metadata"}
_DOWNLOADS = frozenset(("file", "file-metadata", "file-elsewhere"))
"""Answers that bring a file, or send the client to the bucket that holds it."""
TALLY = Tally()
"""Of this process; the front door has it written."""


class Exchange:
    """One request on its way through the front door."""

    __slots__ = ("_began", "agent", "client", "method", "path", "request_id")

    def __init__(self, method: str, path: str, client: str, agent: str) -> None:
        self._began = perf_counter()
        self.method = method
        self.path = path
        self.client = client
        self.agent = agent
        self.request_id = logs.new_request_id()

    def line(self) -> bytes:
        """The header as it travels."""
        return b"x-request-id: %b\r\n" % self.request_id.encode()

    def header(self) -> Header:
        return ("x-request-id", self.request_id)

    def ended(self, log: AccessLog | None, plane: str, route: str, status: int, sent: int) -> None:
        """Count the request and write its line.  *sent* is the bytes of the answer's body, -1 when not known."""
        seconds = perf_counter() - self._began
        hot.request(plane, route, self.method, status, seconds, max(sent, 0))
        if route in _DOWNLOADS and status in (200, 206, 302) and self.method == "GET":
            hot.downloads[_KINDS.get(self.path[-4:], "other")] += 1
            if status != 206:
                TALLY.add(self.path, self.agent)
        if log is not None:
            line = AccessLine(
                time(), self.client, self.method, self.path, status, sent, seconds, self.agent, self.request_id
            )
            log.write(line)
