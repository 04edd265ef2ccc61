"""Member names: where they may lead, and how they may stand beside each other."""

import re
import unicodedata
from enum import StrEnum

from packhouse.specs.errors import Refused

REASONS = {
    "archive-path-invalid": "A member's name is not UTF-8, holds control characters or empty parts, or is too long.",
    "archive-path-unsafe": "A member's path is absolute, names a drive, or goes up with '..'.",
    "archive-path-duplicate": "Two members have the same path, so that readers may differ about which one counts.",
    "archive-path-conflict": "A member lies below a file or a link, or differs from a link in case alone.",
}

MAX_LENGTH = 1024
MAX_DEPTH = 64
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
DRIVE = re.compile(r"[A-Za-z]:")


class Kind(StrEnum):
    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


def decoded(name: bytes) -> str:
    """The name as text; only UTF-8 means the same to every reader."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("archive-path-invalid", f"The member name {name[:80]!r} is not UTF-8.") from None


def safe_path(name: str) -> str:
    """The path with ``/`` between its parts, no slash at the end, or ``Refused``.

    Backslashes count as separators, because they are some on Windows (PEP 721 asks the same of who unpacks).
    """
    path = name.replace("\\", "/").removesuffix("/")
    parts = path.split("/")
    if CONTROL.search(name):
        raise Refused("archive-path-invalid", f"The member name {name[:80]!r} holds control characters.")
    if name[:1] in {"/", "\\"} or DRIVE.match(name) or ".." in parts:
        raise Refused("archive-path-unsafe", f"The member {name[:80]!r} leads out of the archive.")
    if "" in parts or "." in parts:
        raise Refused("archive-path-invalid", f"The member name {name[:80]!r} has an empty part.")
    if len(path) > MAX_LENGTH or len(parts) > MAX_DEPTH:
        raise Refused("archive-path-invalid", f"The member name {name[:80]!r}… is too long.")
    return path


class Tree:
    """The paths of one archive. Folders may repeat; of files and links, each path is there once.

    Names that differ in case alone are allowed, since real projects hold ``README`` beside ``readme``; not where one of
    them is a link: a file system that ignores case would write through it.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}
        self._links = False

    def add(self, path: str, kind: Kind) -> None:
        """Take in one path from ``safe_path``."""
        earlier = self._kinds.get(path)
        if earlier and not earlier is kind is Kind.FOLDER:
            raise Refused("archive-path-duplicate", f"The member {path[:80]!r} is there more than once.")
        self._links = self._links or kind is Kind.LINK
        self._kinds[path] = kind

    def check(self) -> None:
        """What only the whole tells: nothing lies below a file or a link."""
        seen: set[str] = set()
        for path in self._kinds:
            above = path.rpartition("/")[0]
            while above and above not in seen:
                if self._kinds.get(above, Kind.FOLDER) is not Kind.FOLDER:
                    raise Refused(
                        "archive-path-conflict", f"{path[:80]!r} lies below {above[:80]!r}, which is no folder."
                    )
                seen.add(above)
                above = above.rpartition("/")[0]
        if self._links:
            self._check_case(seen)

    def _check_case(self, folders: set[str]) -> None:
        folded: dict[str, str] = {}
        for path in [*self._kinds, *(folder for folder in folders if folder not in self._kinds)]:
            other = folded.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
            if other != path and Kind.LINK in {self._kinds.get(path), self._kinds.get(other)}:
                raise Refused(
                    "archive-path-conflict", f"{path[:80]!r} and {other[:80]!r} differ only in case from a link."
                )
