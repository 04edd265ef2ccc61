"""What has happened to what the index gives."""

from dataclasses import dataclass

from packhouse.base.facts import Fact


@dataclass(frozen=True, slots=True)
class BlobsRemoved(Fact):
    """The blobs of deleted files have left the store; normalized names of the projects that the files belonged to."""

    projects: tuple[str, ...]
