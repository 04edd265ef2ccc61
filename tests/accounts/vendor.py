"""A stand-in for the service of a captcha's vendor."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs


class Service:
    """What the stand-in was asked, and what it answers: status and text, in turn; then that all is well."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answers: list[tuple[int, str]] = []
        self.url = ""


@contextmanager
def captcha_service() -> Iterator[Service]:
    """Listens on a free port of loopback."""
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            state.asked.append({name: values[0] for name, values in parse_qs(form).items()})
            status, text = state.answers.pop(0) if state.answers else (200, '{"success": true}')
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/siteverify"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()
