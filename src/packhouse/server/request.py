"""What a request line and headers say, read once."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_KNOWN = (
    *("host", "accept", "accept-encoding", "accept-language", "authorization", "cache-control", "connection"),
    *("content-length", "content-type", "cookie", "expect", "if-none-match", "if-range", "origin", "range", "referer"),
    *("transfer-encoding", "user-agent", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id"),
)
_NAMES = {form.encode(): name for name in _KNOWN for form in (name, name.title())}
"""Names as nearly all clients spell them, so that nothing is made anew for them."""


class Headers(dict[str, str]):
    """Request headers by lower-case name: the first of each name; ``get_all`` and ``pairs`` give those sent again."""

    __slots__ = ("again",)

    def __init__(self) -> None:
        super().__init__()
        self.again: list[tuple[str, str]] = []

    def add(self, name: bytes, value: bytes) -> None:
        key = _NAMES.get(name) or name.decode("latin-1").lower()
        text = value.strip(b" \t").decode("latin-1")
        if key in self:
            self.again.append((key, text))
        else:
            self[key] = text

    def get_all(self, name: str) -> list[str]:
        first = self.get(name)
        if first is None:
            return []
        return [first, *(value for key, value in self.again if key == name)] if self.again else [first]

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        """All of them, as RSGI has it."""
        return [*super().items(), *self.again]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the path, percent-decoded; the query as it was sent; the host if the target names one."""

    path: str
    query: str
    authority: str | None = None


UNREAD = Target("", "")


def read_target(sent: bytes) -> Target | None:
    """The target of a request (RFC 9112 §3.2) in origin, absolute or asterisk form; None for anything else."""
    authority = None
    if sent[:1] != b"/" and sent != b"*":
        scheme, found, rest = sent.partition(b"://")
        if not found or scheme.lower() not in (b"http", b"https"):
            return None
        host, slash, path = rest.partition(b"/")
        if b"?" in host:
            return None
        authority, sent = host.decode("latin-1"), slash + path or b"/"
    if not sent.isascii():
        return None
    path, _, query = sent.partition(b"#")[0].partition(b"?")
    return Target(_decoded(path), query.decode("ascii"), authority)


def _decoded(path: bytes) -> str:
    if b"%" not in path:
        return path.decode("ascii")
    return unquote_to_bytes(path).decode("utf-8", "replace")
