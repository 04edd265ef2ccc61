"""Metrics on a port of their own, served by the supervisor."""

import hmac
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from packhouse.base import metrics


class Exporter(ThreadingHTTPServer):
    """Answers ``/metrics``; asks for the bearer token *token* unless that is empty."""

    daemon_threads = True

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.authorization = f"Bearer {token}".encode() if token else b""
        super().__init__((host.strip("[]"), port), Answer)

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, name="exporter", daemon=True).start()


class Answer(BaseHTTPRequestHandler):
    """One scrape."""

    server: Exporter
    timeout = 10
    server_version = "packhouse"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path != "/metrics":
            self._send(404, b"Metrics are at /metrics.\n", "text/plain")
        elif self.server.authorization and not self._is_authorized():
            self._send(401, b"A bearer token is needed.\n", "text/plain")
        else:
            self._send(200, metrics.render(), metrics.CONTENT_TYPE)

    def _is_authorized(self) -> bool:
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        return hmac.compare_digest(given, self.server.authorization)

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Scrapes are not worth a line."""
