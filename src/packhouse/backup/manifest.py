"""What one backup consists of."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

FORMAT = 1


class BackupError(Exception):
    """A backup cannot be made, read or restored; the text says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stored object of at most ``parts.PIECE`` bytes."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """A stream, compressed with Zstandard and cut into pieces.  ``rows`` and ``columns`` tell of a table's."""

    name: str
    pieces: tuple[Piece, ...]
    rows: int = 0
    columns: tuple[str, ...] = ()

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        pieces = tuple(Piece(**piece) for piece in stored["pieces"])
        return cls(stored["name"], pieces, stored["rows"], tuple(stored["columns"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One snapshot.  ``serial`` is the newest of its journal, ``numbers`` the last id of each table that counts.

    ``missing`` are blobs that rows named and the store did not have: the index was damaged before the backup.
    ``key_fingerprint`` tells whether a secret key is the one that signed this index's tokens.
    """

    name: str
    made: str
    version: str
    engine: str
    public_url: str
    serial: int
    files: int
    counts: Mapping[str, int]
    numbers: Mapping[str, int]
    migrations: Mapping[str, tuple[str, ...]]
    key_fingerprint: str
    database: tuple[Part, ...]
    blobs: Part
    secrets: Part | None = None
    missing: tuple[str, ...] = ()
    format: int = field(default=FORMAT)

    def encode(self) -> bytes:
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises ``BackupError`` for a manifest of another format."""
        stored = json.loads(data)
        if stored["format"] != FORMAT:
            raise BackupError(f"this backup has format {stored['format']}; this Packhouse reads format {FORMAT}")
        stored["database"] = tuple(map(Part.read, stored["database"]))
        stored["blobs"] = Part.read(stored["blobs"])
        stored["secrets"] = Part.read(stored["secrets"]) if stored["secrets"] else None
        stored["missing"] = tuple(stored["missing"])
        stored["migrations"] = {app: tuple(names) for app, names in stored["migrations"].items()}
        return cls(**stored)
