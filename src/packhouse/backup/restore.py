"""Putting a backup onto an empty machine.

Clients have seen what the index did after the backup: serials, numbers, pages.  None of that may come again with
another meaning, or a mirror would think that it knows what it does not.  So every table counts on from ``GAP`` above
the backup, and every project gets an entry in the journal: whoever follows serials fetches all of it once more.
Documents are made anew on the next start, and everybody has to sign in again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from packhouse import files
from packhouse.backup import blobs, parts, postgresql, sealing, sqlite
from packhouse.backup.blobs import Copied
from packhouse.backup.create import workspace, write_secret
from packhouse.backup.dump import from_lines
from packhouse.backup.manifest import BackupError, Manifest
from packhouse.backup.target import Target
from packhouse.config import Config

GAP = 1_000_000

Migrate = Callable[[Manifest], None]
"""Makes the tables as the manifest's migrations say, where the backup does not bring them; refuses unknown ones."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; ``keeps_tokens`` tells whether the secret key here is the one that signed the tokens."""

    manifest: Manifest
    copied: Copied
    keeps_tokens: bool


def restore(
    config: Config, target: Target, *, name: str = "", passphrase: str = "", gap: int = GAP, migrate: Migrate
) -> Restored:
    """Restore the snapshot *name* (the newest) into the home, database and store of *config*.

    The database must be empty (``BackupError``).  Blobs come first and the database last, whole or not at all, so that
    a restore that was interrupted can be begun again.
    """
    manifest = target.manifest(name)
    engine = postgresql if manifest.engine == "postgresql" else sqlite
    if config.database.partition(":")[0] != manifest.engine:
        raise BackupError(f"this is a backup of {manifest.engine}; PACKHOUSE_DATABASE names another kind of database")
    if not engine.is_empty(config.database):
        raise BackupError("the database is not empty; a backup is restored into an empty one only")
    opened = _secrets(manifest, target, passphrase)
    with workspace(config.home) as folder:
        listed = from_lines(parts.lines(parts.read(manifest.blobs, target.snapshots)))
        copied = blobs.copy(listed, target.blobs, files.from_url(config.files), folder)
    if lost := set(copied.missing + copied.damaged) - set(manifest.missing):
        raise BackupError(
            f"the backup lacks {len(lost)} files, the first is {min(lost)}; see `packhouse backup verify`"
        )
    for path, text in opened.items():
        write_secret(config.home, path, text)
    migrate(manifest)
    engine.load(config.database, manifest, target.snapshots, gap=gap)
    key = opened.get("secrets/secret-key", config.secret_key).strip()
    return Restored(manifest, copied, sealing.fingerprint(key) == manifest.key_fingerprint)


def _secrets(manifest: Manifest, target: Target, passphrase: str) -> dict[str, str]:
    """The sealed secrets but for the configuration, which describes another machine; none without a passphrase."""
    if not passphrase:
        return {}
    if manifest.secrets is None:
        raise BackupError("this backup holds no secrets; leave the passphrase out")
    opened = sealing.unseal(b"".join(parts.read(manifest.secrets, target.snapshots)), passphrase)
    return {path: text for path, text in opened.items() if path.startswith("secrets/") and ".." not in path}
