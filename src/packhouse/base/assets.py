"""Static files, served from the package itself under an address that holds a digest of them all.

``/static/<digest>/packhouse/shell.css``: the digest covers the names and contents of every static file, so an address
never changes its meaning and may be kept forever, relative addresses inside style sheets and modules stay right without
being rewritten, and nothing has to be collected before the start.  A page of another version, still open while servers
are being replaced, gets the file as it is now, not to be kept.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import zstandard

PREFIX: Final = "/static/"
KEPT: Final = "public, max-age=31536000, immutable"
NOT_KEPT: Final = "public, no-cache"
PACKED_FROM: Final = 512
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
PACKABLE: Final = frozenset({".css", ".js", ".svg", ".txt", ".json", ".html"})


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, plain and packed; ``packed`` maps content codings to bytes, the best first."""

    content_type: str
    content: bytes
    packed: Mapping[str, bytes]

    def encoded_for(self, accept_encoding: str) -> tuple[str, bytes]:
        """The content coding to answer with (empty for none), and the bytes."""
        offered = _codings(accept_encoding)
        for coding, content in self.packed.items():
            if coding in offered:
                return coding, content
        return "", self.content


class Assets:
    """The static files of *folders*; where two have the same name, the first folder's counts."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)

    @cached_property
    def paths(self) -> dict[str, Path]:
        """Every file by its name, as in ``packhouse/shell.css``."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    found.setdefault(path.relative_to(folder).as_posix(), path)
        return found

    @cached_property
    def digest(self) -> str:
        """Changes with any file's name or content."""
        state = hashlib.blake2b(digest_size=8)
        for name, path in sorted(self.paths.items()):
            state.update(f"{name}\0".encode() + hashlib.blake2b(path.read_bytes()).digest())
        return state.hexdigest()

    @property
    def url(self) -> str:
        """What the addresses of all files begin with."""
        return f"{PREFIX}{self.digest}/"

    def load(self, name: str) -> Asset | None:
        """The file *name*, or None when there is none.  Only names of files that were there at the start are known."""
        path = self.paths.get(name)
        return _load(path, path.stat().st_mtime_ns) if path else None


@lru_cache(maxsize=256)
def _load(path: Path, _changed: int) -> Asset:
    content = path.read_bytes()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed: dict[str, bytes] = {}
    if path.suffix in PACKABLE and len(content) >= PACKED_FROM:
        packed = {
            "zstd": zstandard.ZstdCompressor(level=19).compress(content),
            "gzip": gzip.compress(content, 9, mtime=0),
        }
    return Asset(kind, content, packed)


def folders_of(packages: Iterable[str]) -> Iterator[Path]:
    """The folders ``static`` of those *packages* that have one; the packages are found without being imported."""
    for package in packages:
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(place) / "static"
            if folder.is_dir():
                yield folder


def _codings(accept_encoding: str) -> frozenset[str]:
    """The content codings that a client takes (RFC 9110, 12.5.3); those with quality 0 it does not."""
    items = (item.partition(";") for item in accept_encoding.lower().split(","))
    return frozenset(name.strip() for name, _, quality in items if quality.replace(" ", "") not in _REFUSED)


_REFUSED: Final = frozenset({"q=0", "q=0.0", "q=0.00", "q=0.000"})
