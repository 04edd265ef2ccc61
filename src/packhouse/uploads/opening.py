"""From one view of an upload to the next: who sent it, what it claims, what the file itself says."""

import structlog

from packhouse.attestations.queries import trusted_root
from packhouse.projects import queries as projects
from packhouse.publishers.queries import identify as identity_of
from packhouse.specs import metadata, versions
from packhouse.specs.archives.inspect import Inspection
from packhouse.specs.archives.inspector import Inspector
from packhouse.specs.names import shorten
from packhouse.tokens.actions import touch
from packhouse.tokens.queries import CredentialsRefused
from packhouse.uploads.checks import has_attestations
from packhouse.uploads.reasons import Rejected
from packhouse.uploads.rendering import RenderingFailed, render
from packhouse.uploads.stages import Arrival, Attested, Described, Opened, Ready, Spooled, Submission, widen

INSPECTOR = Inspector()
log = structlog.get_logger(__name__)


def identify(upload: Arrival) -> Submission:
    """Read the credentials; raises ``Rejected``."""
    try:
        identity = identity_of(upload.authorization)
    except CredentialsRefused as refused:
        raise Rejected(refused.code, refused.message) from refused
    touch(identity, upload.request.address)
    return widen(Submission, upload, identity=identity)


def describe(upload: Submission) -> Described:
    """Read and validate the form's metadata, and look the project up; raises ``Refused``."""
    claimed = metadata.parse_form(upload.form.fields)
    _validate(claimed, upload)
    project = projects.find_project(claimed.name)
    return widen(Described, upload, claimed=claimed, version=versions.parse(claimed.version), project=project)


def take_file(upload: Described) -> Spooled:
    return widen(Spooled, upload, content=upload.form.content)


def open_archive(upload: Spooled) -> Opened:
    """Inspect the archive, and read and validate the metadata in it; raises ``Refused``."""
    inspection = _inspected(upload, upload.claimed.license_files)
    embedded = metadata.parse_embedded(inspection.metadata)
    _validate(embedded, upload)
    if set(embedded.license_files) != set(upload.claimed.license_files):
        inspection = _inspected(upload, embedded.license_files)
    return widen(Opened, upload, inspection=inspection, metadata=embedded)


def verify_attestations(upload: Opened) -> Attested:
    """Verify the attestations that came with the file, all or none; raises ``Refused`` and ``Rejected``."""
    if not has_attestations(upload):
        return widen(Attested, upload, provenance=None)
    from packhouse.attestations.trust import TrustUnavailable  # noqa: PLC0415 - few uploads need these, and they are
    from packhouse.attestations.verify import Subject, refusal, verify  # noqa: PLC0415 - large

    publisher = upload.identity.publisher
    attester = publisher.attestation_identity if publisher else None
    if attester is None:
        raise refusal("attestations-unsupported", "attestations are not supported with this kind of publisher.")
    subject = Subject(upload.filename, upload.content.sha256)
    text, root = upload.form.text("attestations"), trusted_root(upload.config)
    try:
        verified = verify(text, attester=attester, subject=subject, trusted_root=root)
    except TrustUnavailable as error:
        log.exception("attestations could not be verified")
        message = "The attestations could not be verified. Please try again later."
        raise Rejected("trusted-root-unavailable", message) from error
    return widen(Attested, upload, provenance=verified)


def render_description(upload: Attested) -> Ready:
    """Render the description, if there is one; raises ``Rejected`` when it does not render."""
    raw, kind = upload.metadata.description, upload.metadata.description_content_type
    try:
        return widen(Ready, upload, description_html=render(raw, kind) if raw else "")
    except RenderingFailed as failed:
        detail = shorten(" ".join(str(failed).split()), 300)
        message = f"The description failed to render for {kind or 'text/x-rst'}. {detail}".rstrip()
        raise Rejected("description-not-rendered", message, field="description") from failed


def _validate(said: metadata.CoreMetadata, upload: Arrival) -> None:
    metadata.validate(
        said,
        allow_local_versions=upload.config.allow_local_versions,
        allow_private_classifiers=upload.config.allow_private_classifiers,
    )


def _inspected(upload: Spooled, license_files: tuple[str, ...]) -> Inspection:
    token = upload.identity.token
    return INSPECTOR.inspect(
        upload.content.file,
        upload.filename,
        upload.filetype,
        license_files=license_files,
        publisher=str(token.id) if token else "",
    )
