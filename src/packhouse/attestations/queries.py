"""Questions about provenance."""

from collections.abc import Collection, Iterable
from functools import cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef

from packhouse.attestations.models import Provenance, Root
from packhouse.attestations.status import ReleaseProvenance, sources_of
from packhouse.config import Config
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


def trusted_root(config: Config) -> str | bytes:
    """By what attestations are verified: a path, a text, or nothing for what the library carries; see ``trust``."""
    if config.attestation_root or not config.attestation_updates:
        return config.attestation_root
    kept = Root.objects.filter(name="public", beside=carried_digest()).values_list("body", flat=True).first()
    return kept.encode() if kept else ""


@cache
def carried_digest() -> str:
    """The SHA-256 of the trusted root that the library carries."""
    from packhouse.attestations.trust import public_root  # noqa: PLC0415 - large

    return sha256(public_root().read_bytes()).hexdigest()


def is_set_up() -> bool:
    """Whether the operator wants another trusted root than the one that the library carries."""
    return bool(settings.PACKHOUSE.attestation_root or settings.PACKHOUSE.attestation_updates)


def probe() -> str:
    """By what attestations are verified now; raises ``TrustUnavailable``."""
    from packhouse.attestations import trust  # noqa: PLC0415 - large

    root = trusted_root(settings.PACKHOUSE)
    trust.verifier(root)
    if settings.PACKHOUSE.attestation_root:
        return "attestations can be verified"
    fetched = Root.objects.values_list("fetched", flat=True).first() if root else None
    return f"fetched on {fetched:%Y-%m-%d}" if fetched else "not fetched yet: verified by the one that came along"
