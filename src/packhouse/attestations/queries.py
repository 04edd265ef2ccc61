"""Questions about provenance."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Count, Exists, OuterRef

from packhouse.attestations.models import Provenance
from packhouse.attestations.status import ReleaseProvenance, sources_of
from packhouse.projects.models import Release


def provenance_of(files: Collection[int]) -> dict[int, Provenance]:
    """What is known of those of the *files* that have provenance, without the object itself.  One query."""
    return Provenance.objects.defer("body").in_bulk(files)


def release_provenance(release: Release, files: int) -> ReleaseProvenance:
    """What the provenance of *release*, which has so many *files*, tells.  Two queries; three where one came before."""
    found = list(_publishers(release.pk))
    attested = sum(number for _, number in found)
    before = _before(release)
    former = _publishers(before.pk) if before else ()
    return ReleaseProvenance(
        files,
        attested,
        sources_of(publisher for publisher, _ in found),
        before.version if before else "",
        sources_of(publisher for publisher, _ in former),
    )


def _publishers(release_id: int) -> Iterable[tuple[dict[str, Any], int]]:
    """The publishers of a release's files, each with their number."""
    held = Provenance.objects.filter(file__release=release_id).order_by()
    return held.values("publisher").annotate(number=Count("pk")).values_list("publisher", "number")


def _before(release: Release) -> Release | None:
    """The nearest release before, in the order of versions, that has provenance and is not in quarantine."""
    held = Provenance.objects.filter(file__release=OuterRef("pk"))
    older = Release.objects.filter(project=release.project_id, sort_key__lt=release.sort_key, quarantined=False)
    return older.filter(Exists(held)).only("version").order_by("-sort_key").first()
