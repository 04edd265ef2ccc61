"""Files that were published with attestations, as if they had been verified."""

import json
from collections.abc import Mapping
from typing import Any

from tests.factories.sigstore import GITHUB, PUBLISH, STATEMENT
from tests.index import world

from packhouse.attestations.actions import keep_provenance
from packhouse.attestations.statements import Statement, Verified
from packhouse.projects import actions
from packhouse.projects.ledger import journalled
from packhouse.projects.models import File, Project

OCTO = {"kind": "GitHub", "repository": "octo/demo", "workflow": "release.yml", "environment": "pypi"}


def verified(
    filename: str, *, publisher: Mapping[str, Any] | None = None, claims: Mapping[str, str] | None = None
) -> Verified:
    """What verifying one attestation about the file has given."""
    statement = Statement(STATEMENT, PUBLISH, filename, 123456, 1_767_355_200, dict(GITHUB | dict(claims or {})))
    bundle = {"publisher": publisher or OCTO, "attestations": [], "about": f"é {filename}"}
    body = json.dumps({"version": 1, "attestation_bundles": [bundle]}, separators=(",", ":"), sort_keys=True)
    return Verified(body, publisher or OCTO, (statement,))


def publish_attested(
    project: Project,
    version: str,
    filename: str,
    *,
    publisher: Mapping[str, Any] | None = None,
    claims: Mapping[str, str] | None = None,
    **fields: Any,
) -> File:
    """A file with provenance, published as an upload does it: in one transaction."""
    project = Project.objects.get(pk=project.pk)
    release = world.release_of(project, version)
    with journalled(None) as book:
        file = actions.publish_file(
            by=None,
            project=project,
            release=release,
            description=None,
            file=world.file_of(release, filename, **fields),
            total_size_limit=10**9,
            ledger=book,
        )
        keep_provenance(file=file, verified=verified(filename, publisher=publisher, claims=claims), ledger=book)
    return file
