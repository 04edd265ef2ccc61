"""What the provenance of a release tells, beside that of the release before.  Pure.

A release that was built elsewhere than the one before, or by nobody who says so any more, is what readers should look
at twice: that is how stolen tokens show.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Coverage = Literal["none", "full", "partial"]


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where files were built: ``kind`` as in provenance objects, a repository or an address, and the workflow."""

    kind: str
    identity: str
    workflow: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseProvenance:
    """``attested`` of ``files`` have provenance, of the ``sources``.

    ``before`` is the version of the nearest release before that has provenance (empty: there is none), ``former`` where
    its files were built.
    """

    files: int
    attested: int
    sources: tuple[Source, ...]
    before: str = ""
    former: tuple[Source, ...] = ()

    @property
    def coverage(self) -> Coverage:
        if not self.attested:
            return "none"
        return "full" if self.attested >= self.files else "partial"

    @property
    def is_inconsistent(self) -> bool:
        """Its files come from more than one place."""
        return len(self.sources) > 1

    @property
    def is_lost(self) -> bool:
        """The release before had provenance, and this one has none."""
        return bool(self.files) and not self.attested and bool(self.before)

    @property
    def is_changed(self) -> bool:
        """It was built elsewhere than the release before.  What both do not name counts as no difference."""
        return bool(self.sources) and bool(self.former) and not set(self.sources) <= set(self.former)

    @property
    def new_sources(self) -> tuple[Source, ...]:
        """Those that the release before did not have."""
        return tuple(source for source in self.sources if source not in self.former)


def source_of(publisher: Mapping[str, Any]) -> Source | None:
    """The source that a provenance object's ``publisher`` names; None where it names none."""
    identity = publisher.get("repository") or publisher.get("email")
    if not isinstance(identity, str):
        return None
    workflow = publisher.get("workflow") or publisher.get("workflow_filepath") or ""
    return Source(str(publisher.get("kind", "")), identity, str(workflow))


def sources_of(publishers: Iterable[Mapping[str, Any]]) -> tuple[Source, ...]:
    """The different sources, in order."""
    return tuple(sorted({source for publisher in publishers if (source := source_of(publisher))}))
