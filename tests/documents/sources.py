"""A source for tests: items are lines with a version, so that every change shows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from packhouse.documents.actions import Item, Shell


@dataclass
class Lines:
    """A document of ``key = text`` lines in both formats."""

    key: str = "simple/demo"
    segment_weight: int = 8
    serial: int = 1
    lines: dict[bytes, bytes] = field(default_factory=dict)

    def shell(self) -> Shell:
        return Shell(self.serial, b"<html>\n", b"</html>\n", b'{"files":[', b"]}\n", f'"last_serial":{self.serial}')

    def items(self, first: bytes, before: bytes | None) -> Iterable[Item]:
        for key in sorted(self.lines):
            if key >= first and (before is None or key < before):
                text = self.lines[key]
                yield Item(key, key + b" " + text + b"\n", b'"' + key + b" " + text + b'"')

    def html(self) -> bytes:
        body = b"".join(key + b" " + self.lines[key] + b"\n" for key in sorted(self.lines))
        return b"<html>\n" + body + b"</html>\n"

    def json(self) -> bytes:
        return b'{"files":[' + b",".join(b'"' + k + b" " + self.lines[k] + b'"' for k in sorted(self.lines)) + b"]}\n"
