"""The access log: a line for each request, written by a thread of its own so that no request waits for it."""

import os
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, NamedTuple

from packhouse.base import logs
from packhouse.base.agents import parse

PAUSE: Final = 0.25
KEPT: Final = 50_000
PIPE_ATOM: Final = 4096
PUBLIC: Final = ("/simple/", "/packages/", "/pypi/")
"""Paths in which nobody puts a secret: the hash and name of a file, the name of a project."""


class AccessLine(NamedTuple):
    """All that is ever logged of a request."""

    time: float
    """Seconds since the epoch."""
    client: str
    """An address, with or without a port."""
    method: str
    path: str
    """Without the query: it may hold what people search for."""
    status: int
    sent: int
    """Bytes of the answer's body; -1 when not known."""
    seconds: float
    agent: str
    request_id: str


class AccessLog:
    """Lines on their way to stderr.  ``write`` costs a fraction of a microsecond and never blocks.

    At most ``KEPT`` lines wait; when stderr does not take them, the oldest are lost, not requests.
    """

    def __init__(self, *, human: bool) -> None:
        self._lines: deque[AccessLine] = deque(maxlen=KEPT)
        self._render = _human if human else _json
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self.write = self._lines.append

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Writes what is left and ends the thread."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Writes all lines that wait, in pieces that a pipe takes whole, so that processes do not mix theirs."""
        piece = b""
        while self._lines:
            line = self._render(self._lines.popleft()).encode("utf-8", "backslashreplace")
            if len(piece) + len(line) > PIPE_ATOM and piece:
                _put(piece)
                piece = b""
            piece += line
        if piece:
            _put(piece)


def _put(piece: bytes) -> None:
    try:
        os.write(sys.stderr.fileno(), piece)
    except OSError:
        return  # nobody reads the log: not a reason to stop serving


def _json(line: AccessLine) -> str:
    """As JSON, put together by hand: it is written for every request, and ``json.dumps`` takes far longer."""
    return (
        f'{{"timestamp":"{_second(int(line.time))}.{int(line.time % 1 * 1000):03d}Z","event":"request"'
        f',"client":{quoted(_address(line.client))},"method":{quoted(line.method)},"path":{quoted(_masked(line.path))}'
        f',"status":{line.status},"bytes":{line.sent},"ms":{line.seconds * 1000:.2f}'
        f',"agent":{quoted(parse(line.agent).label)},"request_id":"{line.request_id}"}}\n'
    )


def _human(line: AccessLine) -> str:
    moment = datetime.fromtimestamp(line.time).astimezone().strftime("%H:%M:%S")
    path = logs.CONTROLS.sub("?", _masked(line.path))
    agent = parse(line.agent).label
    return f"{moment} {line.status} {line.method} {path} {line.seconds * 1000:.1f} ms {_address(line.client)} {agent}\n"


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _address(client: str) -> str:
    """Without the port of ``1.2.3.4:567`` and ``[::1]:567``."""
    head, colon, port = client.rpartition(":")
    if not colon or not port.isdigit() or (":" in head and not head.endswith("]")):
        return client
    return head.strip("[]")


def _masked(path: str) -> str:
    return path if path.startswith(PUBLIC) else logs.mask(path)
