"""Keeping what was verified."""

from packhouse.attestations.facts import ProvenanceAdded
from packhouse.attestations.models import Provenance
from packhouse.attestations.statements import Verified
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
