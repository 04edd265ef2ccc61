"""Mail servers on the loopback, good and bad."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass
class Mailbox:
    """What a server was given: recipients and raw messages; *answer* is its last word to each letter."""

    messages: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answer: str = "250 taken"
    rcpt_answer: str = ""
    logins: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.rcpt_answer:
            return self.rcpt_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("2"):
            self.recipients += envelope.rcpt_tos
            self.messages.append(envelope.content)
        return self.answer


@contextmanager
def smtp_server(mailbox: Mailbox, *, tls: ssl.SSLContext | None = None, at_once: bool = False) -> Iterator[int]:
    """A server that fills *mailbox*; with *tls* it demands STARTTLS, or speaks TLS *at_once*.  Yields its port."""

    def authenticate(*given: Any) -> AuthResult:
        login = given[-1]
        assert isinstance(login, LoginPassword)
        mailbox.logins.append(login.login + b":" + login.password)
        return AuthResult(success=login.password == b"right p@ss")

    class Server(Controller):
        def factory(self) -> SMTP:
            return SMTP(
                self.handler,
                tls_context=None if at_once else tls,
                require_starttls=bool(tls) and not at_once,
                authenticator=authenticate,
                auth_required=False,
            )

    server = Server(mailbox, hostname="127.0.0.1", port=free_port(), ssl_context=tls if at_once else None)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@dataclass
class Stub:
    """A server of few words: *heard* is all that was said to it."""

    port: int
    heard: list[bytes] = field(default_factory=list)
    is_dropping: bool = False


@contextmanager
def stub_server(*, hangs: bool = False) -> Iterator[Stub]:
    """A server without STARTTLS that takes a letter and, while ``is_dropping``, hangs up instead of its last word.

    One that *hangs* never says anything.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    stub = Stub(listener.getsockname()[1])
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            with suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    ended.wait(5) if hangs else _converse(peer, stub)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        ended.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=6)


def _converse(peer: socket.socket, stub: Stub) -> None:
    peer.sendall(b"220 stub\r\n")
    in_data = False
    for line in peer.makefile("rb"):
        stub.heard.append(line)
        word = line.strip().upper()
        if in_data and word != b".":
            continue
        if in_data and stub.is_dropping:
            return
        in_data = word == b"DATA"
        peer.sendall(b"354 go on\r\n" if in_data else b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
        if word == b"QUIT":
            return


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
