"""Making a backup while the index serves."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from packhouse import __version__, files
from packhouse.backup import blobs, parts, postgresql, sealing, sqlite
from packhouse.backup.blobs import Copied
from packhouse.backup.dump import Dump, from_lines
from packhouse.backup.manifest import BackupError, Manifest, Part
from packhouse.backup.parts import Packed
from packhouse.backup.target import Target
from packhouse.base.durable import make_folder, sync_folder
from packhouse.config import FILE_NAME, Config
from packhouse.files import StoreError

ROUNDS = 5
_NOT_KEPT = {"setup-token"}


@dataclass(frozen=True, slots=True)
class Made:
    """A complete backup, and how many blobs it had to copy."""

    manifest: Manifest
    copied: Copied


def create(config: Config, target: Target, *, passphrase: str = "") -> Made:
    """Back up the index of *config* into *target*; its secrets too when there is a *passphrase* to seal them with.

    The manifest is stored last: a backup that was interrupted is none, and the next one finds the blobs it left.
    Raises ``BackupError``.
    """
    engine = postgresql if config.database.startswith("postgresql") else sqlite
    store = files.from_url(config.files)
    for _ in range(ROUNDS):
        with workspace(config.home) as folder:
            dump = engine.dump(config.database, folder)
            copied = blobs.copy(from_lines(packed_lines(dump.blobs)), store, target.blobs, folder)
            still_listed = engine.listed(config.database, copied.missing) if copied.missing else set()
            if still_listed != set(copied.missing):
                continue  # a file was deleted after the snapshot and its blob swept before we had it: look anew
            try:
                manifest = _store(config, target, dump, copied, passphrase, folder)
            except StoreError as error:
                raise BackupError(str(error)) from error
            return Made(manifest, copied)
    raise BackupError("files are being deleted faster than they can be copied; try again later")


@contextmanager
def workspace(home: Path) -> Iterator[Path]:
    """A folder for what is on its way, on the home's disk, gone afterwards."""
    spool = home / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="backup-", dir=spool) as folder:
        yield Path(folder)


def packed_lines(packed: Packed) -> Iterator[bytes]:
    """The lines of a part that is still on this disk."""
    import zstandard  # noqa: PLC0415 (with the one function that reads what it has just written)

    unpacker = zstandard.ZstdDecompressor().decompressobj()

    def chunks() -> Iterator[bytes]:
        for path in packed.files:
            with path.open("rb") as piece:
                while chunk := piece.read(64 * 1024):
                    yield unpacker.decompress(chunk)

    return parts.lines(chunks())


def _store(config: Config, target: Target, dump: Dump, copied: Copied, passphrase: str, folder: Path) -> Manifest:
    now = datetime.now(UTC)
    manifest = Manifest(
        name=f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{secrets.token_hex(2)}",
        made=now.isoformat(timespec="seconds"),
        version=__version__,
        engine=config.database.partition(":")[0],
        public_url=config.public_url,
        serial=dump.serial,
        files=dump.counts["projects_file"],
        counts=dump.counts,
        numbers=dump.numbers,
        migrations=dump.migrations,
        key_fingerprint=sealing.fingerprint(config.secret_key),
        database=tuple(parts.store(part, target.snapshots) for part in dump.database),
        blobs=parts.store(dump.blobs, target.snapshots),
        secrets=_secrets(config, target, passphrase, folder) if passphrase else None,
        missing=(*copied.missing, *copied.damaged),
    )
    target.add(manifest)
    return manifest


def _secrets(config: Config, target: Target, passphrase: str, folder: Path) -> Part:
    """The home's secrets and its ``packhouse.toml``, sealed."""
    kept = {
        f"secrets/{path.name}": path.read_text()
        for path in sorted((config.home / "secrets").glob("*"))
        if path.name not in _NOT_KEPT and not path.name.startswith(".")
    }
    kept["secrets/secret-key"] = config.secret_key + "\n"  # it may have come from the environment
    if (config.home / FILE_NAME).is_file():
        kept[FILE_NAME] = (config.home / FILE_NAME).read_text()
    return parts.store(
        Packed("secrets", parts.pack("secrets", [sealing.seal(kept, passphrase)], folder)), target.snapshots
    )


def write_secret(home: Path, name: str, text: str) -> None:
    """Put the file *name* below *home* in place, readable by its owner alone."""
    path = home / name
    make_folder(path.parent, 0o700)
    draft = path.with_name(f".{path.name}.restoring")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
