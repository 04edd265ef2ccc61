"""Keeping what was verified, and what verifies."""

from packhouse.attestations.facts import ProvenanceAdded
from packhouse.attestations.models import Provenance, Root
from packhouse.attestations.queries import carried_digest
from packhouse.attestations.statements import Verified
from packhouse.base import clock
from packhouse.base.statements import Insertion
from packhouse.projects.ledger import Ledger
from packhouse.projects.models import File

_NEW: Insertion = Insertion(Provenance)


def keep_provenance(*, file: File, verified: Verified, ledger: Ledger) -> Provenance:
    """Keep the provenance of *file*, which this very transaction publishes.

    There is no other moment: what a file came with never changes, and a second upload of it changes nothing.
    """
    provenance = Provenance(
        file=file,
        body=verified.body,
        publisher=dict(verified.publisher),
        statements=[statement.as_json() for statement in verified.statements],
    )
    _NEW.write(provenance)
    project = file.project
    ledger.tell(project, ProvenanceAdded(project.pk, project.normalized_name, 0, file.pk))
    return provenance


def keep_root(content: bytes) -> None:
    """Have attestations verified by this trusted root, which was fetched just now, wherever this index runs."""
    now = {"body": content.decode(), "beside": carried_digest(), "fetched": clock.now()}
    Root.objects.update_or_create(name="public", defaults=now)
