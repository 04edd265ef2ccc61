"""What a reconciliation found, for people and for machines."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

_FINDINGS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was not as it should be.  ``kind`` is one of `KINDS`, ``subject`` a document's or blob's key."""

    kind: str
    subject: str
    detail: str = ""
    mended: bool = False


KINDS = {
    "document-missing": "documents that were not there",
    "document-differs": "documents that said something else than the rows",
    "document-stale": "documents of what is gone or hidden",
    "blob-missing": "listed files that are not in the store",
    "blob-damaged": "listed files with other bytes than recorded",
    "blob-orphan": "stored files that nothing lists",
    "serial-differs": "projects whose serial is not that of their newest journal entry",
    "size-differs": "projects whose total size is not that of their files",
    "name-not-kept": "files whose name could be given to other bytes",
    "database-damaged": "faults that the database finds in itself",
}
_HARMLESS = {"blob-orphan"}


@dataclass(slots=True)
class Report:
    """What was looked at and what was found; ``findings`` holds the first thousand, ``counts`` counts all."""

    projects: int = 0
    documents: int = 0
    files: int = 0
    blobs: int = 0
    temporaries_removed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    unmended: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        self.counts[finding.kind] += 1
        if not finding.mended:
            self.unmended[finding.kind] += 1
        if len(self.findings) < _FINDINGS_KEPT:
            self.findings.append(finding)

    @property
    def is_clean(self) -> bool:
        """Whether all is well by now: orphans do no harm, whatever else was found was mended."""
        return not any(count for kind, count in self.unmended.items() if kind not in _HARMLESS)

    def lines(self) -> list[str]:
        """For people: what was looked at, each finding, a sum a kind."""
        told = [
            f"{finding.kind} {finding.subject}{f' ({finding.detail})' if finding.detail else ''}"
            f"{': mended' if finding.mended else ''}"
            for finding in self.findings
        ]
        if self.counts.total() > len(self.findings):
            told.append(f"... and {self.counts.total() - len(self.findings)} more")
        looked = f"{self.projects} projects, {self.documents} documents, {self.files} files, {self.blobs} blobs"
        removed = [f"{self.temporaries_removed} leftovers of interrupted writes removed"] * bool(
            self.temporaries_removed
        )
        return [*told, f"Looked at {looked}.", *removed, *(self.sums() or ["Everything agrees."])]

    def sums(self) -> list[str]:
        """A line for each kind of finding."""
        return [
            f"{count} {KINDS[kind]}, {count - self.unmended[kind]} of them mended"
            for kind, count in sorted(self.counts.items())
        ]

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        sums = {"counts": dict(self.counts), "unmended": dict(self.unmended)}
        found = [asdict(finding) for finding in self.findings]
        looked = {name: getattr(self, name) for name in ("projects", "documents", "files", "blobs")}
        removed = {"temporaries_removed": self.temporaries_removed}
        return {**looked, **removed, **sums, "findings": found, "is_clean": self.is_clean}
