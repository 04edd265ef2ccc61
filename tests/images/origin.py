"""An origin of pictures on this machine, with every bad habit that origins have."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20"><rect width="90" height="20" fill="#555"/></svg>'


class Origin:
    """``pages`` maps paths to status, headers and body; ``asked`` counts requests; ``heard`` keeps their headers."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {"/a.png": (200, {}, PNG), "/b.svg": (200, {}, SVG)}
        self.asked: Counter[str] = Counter()
        self.heard: list[dict[str, str]] = []
        self.goes_on = threading.Event()
        self.url = ""

    def moved(self, path: str, to: str) -> None:
        self.pages[path] = (302, {"Location": to}, b"")


@contextmanager
def running() -> Iterator[Origin]:
    """An origin on a free port of this machine."""
    origin = Origin()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            origin.asked[self.path] += 1
            origin.heard.append(dict(self.headers))
            if self.path.startswith("/slow"):
                return self._drip()
            status, headers, body = origin.pages.get(self.path, (404, {}, b"nothing"))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            return None

        def _drip(self) -> None:
            """A byte now and then, each before any time-out of a socket, until the test is over or the client goes."""
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not origin.goes_on.wait(0.05):
                    self.wfile.write(b"X-More: x\r\n" if self.path == "/slow-head" else b"X")
            except OSError:
                pass

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    origin.url = f"http://127.0.0.1:{server.server_port}"
    yield origin
    origin.goes_on.set()
    server.shutdown()
    server.server_close()
