"""What is known of an upload, from stage to stage: each view is frozen and holds all that the former ones did.

``Arrival`` → ``Submission`` (who) → ``Described`` (what it claims to be, of which project) → ``Spooled`` (there is a
file) → ``Opened`` (what the file itself says) → ``Attested`` (who
built it) → ``Ready`` (its description is rendered).  Checks look at a view;
only the pipeline makes the next one.
"""

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar
from uuid import UUID, uuid4

from packaging.version import Version

from packhouse.attestations.statements import Verified
from packhouse.base.identity import Identity, RequestFacts
from packhouse.config import Config
from packhouse.projects.models import Project
from packhouse.specs import versions
from packhouse.specs.archives.inspect import Inspection
from packhouse.specs.metadata import CoreMetadata
from packhouse.specs.names import normalize
from packhouse.uploads.form import Content, Form


@dataclass(frozen=True, slots=True)
class Claim:
    """A project that does not exist yet, for rules that ask which project an upload goes to.  Its id is nobody's."""

    normalized_name: str
    uid: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A form that could be read, and the ``Authorization`` header that came with it."""

    form: Form
    authorization: str | None
    request: RequestFacts
    config: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Arrival):
    """It is known whose it is."""

    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Described(Submission):
    """The form's metadata is valid; ``project`` is None when nobody has taken the name yet."""

    claimed: CoreMetadata
    version: Version
    project: Project | None

    @property
    def name(self) -> str:
        return self.claimed.name

    @property
    def normalized_name(self) -> str:
        return normalize(self.claimed.name)

    @property
    def canonical_version(self) -> str:
        return versions.canonical(self.version)

    @property
    def filetype(self) -> str:
        return self.form.text("filetype")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled(Described):
    """There is a file, and it may be uploaded to that project."""

    content: Content

    @property
    def filename(self) -> str:
        return self.content.filename


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Spooled):
    """The archive is sound; ``metadata`` is what it says itself, and what will be published."""

    inspection: Inspection
    metadata: CoreMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested(Opened):
    """Its attestations, if it came with any, are verified."""

    provenance: Verified | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Attested):
    """Everything is known and allowed; ``description_html`` is the description as pages will show it."""

    description_html: str


View = TypeVar("View", bound=Arrival)


def widen(kind: type[View], view: Arrival, **more: Any) -> View:
    """The view of *kind* that knows what *view* knows, and *more*."""
    return kind(**{item.name: getattr(view, item.name) for item in fields(view)} | more)
