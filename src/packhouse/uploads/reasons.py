"""Why an upload can be refused: every reason, in the order of the checks, with its status and what it means.

The name of a reason never changes: it is a metric label, a log field, an anchor of the documentation and the id of a
test.  Reasons that the specifications give are explained there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packhouse.attestations import reasons as attestations
from packhouse.projects import queries as projects
from packhouse.projects.models import File
from packhouse.specs import filenames, metadata, names, versions
from packhouse.specs.archives.reasons import REASONS as ARCHIVE_REASONS
from packhouse.specs.errors import Refused


@dataclass(frozen=True, slots=True)
class Reason:
    """The HTTP status of a refusal, and what it means, for the documentation."""

    status: int
    explanation: str


class Rejected(Exception):
    """An upload is refused.  ``message`` is for the uploader; ``field`` names the form field to blame, if one is."""

    def __init__(
        self, code: str, message: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers or {}

    @property
    def status(self) -> int:
        return REASONS[self.code].status

    @property
    def topic(self) -> str:
        """The topic of the help page that says more; empty when there is none."""
        return TOPICS.get(self.code, "")

    @classmethod
    def of(cls, refused: Refused) -> "Rejected":
        """A refusal of the specifications as one of an upload."""
        return cls(refused.code, refused.message, field=refused.field)


class AlreadyPublished(Exception):
    """The very file that is uploaded is published: nothing is to be done, and nothing is wrong."""

    def __init__(self, file: File) -> None:
        super().__init__(file.filename)
        self.file = file


FORM = {
    "invalid-form-data": Reason(400, "The body is not a readable form, or has too many or too long fields."),
    "duplicate-field": Reason(400, "A field that may come once came more often."),
    "field-is-a-file": Reason(400, "A field that holds text came as a file."),
    "unknown-action": Reason(400, "The field :action is not file_upload."),
    "registration-gone": Reason(410, "Projects are not registered before their first upload any more."),
    "documentation-gone": Reason(410, "The index does not host documentation."),
    "upload-moved": Reason(410, "Uploads go to /legacy/."),
}
GATE = {
    "read-only": Reason(403, "The index is read-only at the moment."),
    "uploads-disabled": Reason(403, "The index takes no uploads at the moment."),
}
CREDENTIALS = {
    "anonymous": Reason(403, "The request carries no credentials; they must be sent unasked."),
    "token-too-long": Reason(413, "The token is longer than 16 KiB."),
    "unknown-scheme": Reason(403, "The Authorization header is neither Basic nor a token."),
    "undecodable-credentials": Reason(403, "The Basic credentials cannot be decoded."),
    "password-authentication": Reason(403, "The user name is not __token__: passwords are not accepted."),
    "malformed-token": Reason(403, "The token cannot be read."),
    "unknown-token": Reason(403, "The token does not exist (any more), or its user may not act."),
    "address-banned": Reason(403, "The administrators have banned the address that the upload came from."),
    "bad-signature": Reason(403, "The token's signature is wrong."),
}
FIELDS = {
    "unknown-protocol-version": Reason(400, "The field protocol_version is not 1."),
    "invalid-field": Reason(400, "A field of the form has a value that it cannot have."),
    "invalid-digest": Reason(400, "A digest is not lower-case or upper-case hex of the right length."),
    "missing-digest": Reason(400, "The form names no digest of the file."),
    "missing-file": Reason(400, "The form has no file."),
}
CREATION = {
    "publisher-creates-project": Reason(400, "Only users start projects by uploading."),
    "email-not-verified": Reason(403, "The user has no verified primary address."),
    "two-factor-missing": Reason(403, "The user has no second factor."),
    "too-many-new-projects": Reason(429, "The user or the address has started too many projects within an hour."),
    "new-projects-disabled": Reason(403, "The index takes no new projects at the moment."),
    "uploads-create-no-projects": Reason(403, "On this index, projects are not started by uploading."),
}
PERMISSION = {
    "credential-kind": Reason(403, "This kind of credential may not upload."),
    "token-caveat": Reason(403, "The token is restricted: to other projects, or in time."),
    "not-a-collaborator": Reason(403, "The user is neither owner nor maintainer of the project."),
    "publisher-not-trusted": Reason(403, "The project does not trust (any more) the publisher that the token is of."),
    "project-archived": Reason(403, "The project is archived."),
    "project-quarantined": Reason(403, "The project is quarantined: nothing is published by trusted publishers."),
    "organization-inactive": Reason(400, "The organization that owns the project is not active."),
}
FILE = {
    "invalid-file-type": Reason(400, "The file part says that it is an image."),
    "file-too-large": Reason(400, "The file is larger than a file of the project may be."),
    "project-too-large": Reason(400, "With this file, the project would be larger than it may be."),
    "digest-mismatch": Reason(400, "The file that arrived is not the one that the digests were made of."),
    "file-exists": Reason(400, "A file of that name already exists, or the same content under another name."),
    "filename-reused": Reason(400, "A file of that name was published once, and deleted."),
    "release-closed": Reason(400, "The release is too old to take new files."),
    "second-sdist": Reason(400, "The release has a source distribution already."),
}
CONTENT = {
    **{code: Reason(400, explanation) for code, explanation in attestations.REASONS.items()},
    "description-not-rendered": Reason(400, "The description cannot be rendered as its content type says."),
}
STORAGE = {
    "storage-full": Reason(507, "There is no room for the file at the moment."),
    "storage-unavailable": Reason(503, "The file could not be stored at the moment."),
    "database-unavailable": Reason(503, "The database did not answer while the file was recorded."),
    "trusted-root-unavailable": Reason(503, "Attestations cannot be verified at the moment."),
    "too-busy": Reason(503, "The machine is too busy to look into the file at the moment."),
    "try-again": Reason(503, "Too much happened to the project at the same time."),
}


def _statuses(explanations: Mapping[str, str], **other: int) -> Iterator[tuple[str, Reason]]:
    """Reasons of the specifications: 400, unless *other* says otherwise (``-`` written as ``_``)."""
    for code, explanation in explanations.items():
        yield code, Reason(other.get(code.replace("-", "_"), 400), explanation)


REASONS: dict[str, Reason] = {
    **FORM,
    **GATE,
    **CREDENTIALS,
    **FIELDS,
    **dict(_statuses(names.REASONS)),
    **dict(_statuses(versions.REASONS)),
    **dict(_statuses(metadata.REASONS)),
    **CREATION,
    **dict(_statuses(projects.REASONS, project_name_exists=409)),
    **PERMISSION,
    **dict(_statuses(filenames.REASONS)),
    **FILE,
    **dict(_statuses(ARCHIVE_REASONS)),
    **CONTENT,
    **STORAGE,
}
"""Every reason, in the order in which they are looked for."""

TOPICS: dict[str, str] = {
    **dict.fromkeys([*CREDENTIALS, "token-caveat", "credential-kind"], "tokens"),
    **dict.fromkeys([*names.REASONS, *projects.REASONS], "names"),
    **dict.fromkeys(["file-exists", "filename-reused"], "file-names"),
    **dict.fromkeys(["file-too-large", "project-too-large"], "sizes"),
    "email-not-verified": "verified-email",
    "two-factor-missing": "two-factor",
    "publisher-creates-project": "trusted-publishing",
    "not-a-collaborator": "roles",
    "project-archived": "archived",
    "metadata-classifier": "classifiers",
    "description-not-rendered": "description-type",
    **dict.fromkeys(attestations.REASONS, "attestations"),
}
"""Reason → topic of the help page (``/help/#…``) for what people ask about most."""
