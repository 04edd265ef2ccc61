"""What happens to provenance, announced in the transaction that makes it true.

Provenance goes with its file, and then ``FileDeleted``, ``ReleaseDeleted`` or ``ProjectDeleted`` says so.
"""

from dataclasses import dataclass

from packhouse.projects.facts import ProjectFact


@dataclass(frozen=True, slots=True)
class ProvenanceAdded(ProjectFact):
    """A file was published with attestations that were verified."""

    file_id: int
