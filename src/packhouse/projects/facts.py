"""What happens to projects, announced by their actions after the rows and the journal are written, in one transaction.

Ids and plain values only.  A fact about something that still exists names it by id; a fact about something that is gone
carries what is needed to find its traces.  ``serial`` is the id of the project's newest journal entry, this change
included.
"""

from dataclasses import dataclass

from packhouse.base.facts import Fact


@dataclass(frozen=True, slots=True)
class ProjectFact(Fact):
    """Something happened to a project that still exists."""

    project_id: int
    normalized_name: str
    serial: int


@dataclass(frozen=True, slots=True)
class ProjectCreated(ProjectFact):
    """A name was claimed; the project has no files yet."""


@dataclass(frozen=True, slots=True)
class ReleaseCreated(ProjectFact):
    """The first file of a version is about to be published (``FilePublished`` follows in the same transaction)."""

    release_id: int
    canonical_version: str


@dataclass(frozen=True, slots=True)
class FilePublished(ProjectFact):
    """A file can be installed from now on.

    ``new_release`` tells that it is the first of its version; ``former_name`` is how the project was spelled before,
    when this upload changed that, and empty otherwise.
    """

    release_id: int
    canonical_version: str
    file_id: int
    filename: str
    sort_key: bytes
    new_release: bool = False
    former_name: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseYanked(ProjectFact):
    """A release was taken out of resolution, for a reason that may be empty."""

    release_id: int
    canonical_version: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseUnyanked(ProjectFact):
    """A yanked release was put back."""

    release_id: int
    canonical_version: str


@dataclass(frozen=True, slots=True)
class FileDeleted(ProjectFact):
    """A file is gone; its row no longer exists.  ``path`` is the key that its blob had."""

    release_id: int
    canonical_version: str
    filename: str
    sort_key: bytes
    path: str


@dataclass(frozen=True, slots=True)
class ReleaseDeleted(ProjectFact):
    """A release and its files are gone; ``files`` holds each file's sort key, ``paths`` the keys of their blobs."""

    canonical_version: str
    files: tuple[bytes, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProjectDeleted(ProjectFact):
    """A project and all that it had is gone; ``project_id`` no longer leads anywhere.

    ``user_ids`` had a role on it, ``organization`` (its normalized name, or nothing) owned it.
    """

    canonical_versions: tuple[str, ...]
    paths: tuple[str, ...]
    user_ids: tuple[int, ...] = ()
    organization: str = ""


@dataclass(frozen=True, slots=True)
class WithheldFilesDeleted(ProjectFact):
    """Of what is deleted (a fact of its own follows), files with blobs at *paths* were in quarantine."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProjectStatusChanged(ProjectFact):
    """A project was archived, quarantined or made active again; statuses as in ``Project.Status``."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ReleaseQuarantineChanged(ProjectFact):
    """A single release was quarantined or cleared."""

    release_id: int
    canonical_version: str
    quarantined: bool


@dataclass(frozen=True, slots=True)
class ReleasesMarked(ProjectFact):
    """What is known of the vulnerabilities of some releases has changed.  The serial has not."""

    release_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProjectOrganizationChanged(ProjectFact):
    """A project was given to an organization or left one; normalized names, the empty string stands for none."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RoleChanged(ProjectFact):
    """Somebody's role on a project was given, changed or taken; the empty string stands for no role."""

    user_id: int
    before: str
    after: str
