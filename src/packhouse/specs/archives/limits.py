"""How much an archive may cost its reader."""

from dataclasses import dataclass

REASONS = {
    "archive-too-many-members": "The archive has more members than allowed.",
    "archive-bomb": "The archive unpacks to far more bytes than its size allows.",
    "archive-too-costly": "Reading the archive took more processor time or memory than allowed.",
}

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on one archive; byte counts are of the *unpacked* contents, times are seconds.

    ``ratio`` (unpacked / size of the file) counts only where the contents exceed ``ratio_from`` bytes: small texts pack
    well. ``metadata`` bounds METADATA, PKG-INFO, WHEEL and entry_points.txt each; of all SBOMs together ``sboms``
    bytes are kept, the rest is listed alone. The last three bound the process that reads: ``memory`` is
    bytes beside what its own code takes; ``wall_seconds`` is how long a busy machine may keep it waiting, which is not
    the archive's fault.
    """

    members: int = 100_000
    unpacked: int = 4096 * MIB
    ratio: int = 50
    ratio_from: int = 64 * MIB
    metadata: int = 8 * MIB
    record: int = 32 * MIB
    sboms: int = 4 * MIB
    memory: int = 512 * MIB
    cpu_seconds: int = 20
    wall_seconds: int = 120

    def allowed_bytes(self, file_size: int) -> int:
        """How many bytes a file of this size may unpack to."""
        return min(self.unpacked, max(self.ratio_from, self.ratio * file_size))


DEFAULT_LIMITS = Limits()
