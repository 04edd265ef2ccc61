"""Projects, releases, files, roles, the journal."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from packhouse.base import clock
from packhouse.organizations.models import Organization, Team


class Project(models.Model):
    """A named series of releases.

    ``name`` is the display spelling, ``normalized_name`` the spelling of URLs and look-ups (PEP 503), ``skeleton`` the
    spelling in which look-alikes are equal.  Both are unique: two creations that race end in one project.
    Of look-alikes that came by an import, all but the first have no skeleton.
    ``status_changed`` is when the project was archived, quarantined or made active again; null where it never was, or
    where that was before such times were kept.  ``organization`` owns the project, beside those who have a role.
    ``last_serial`` is the id of the project's newest journal entry.  ``total_size`` is the sum of its files' sizes,
    kept by conditional updates.  Limits are in bytes; null means the index's default.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        ARCHIVED = "archived", "archived"
        QUARANTINED = "quarantined", "quarantined"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    normalized_name = models.CharField(max_length=200, unique=True)
    skeleton = models.CharField(max_length=200, unique=True, null=True)  # noqa: DJ001 - null is not equal to null
    created = models.DateTimeField(default=clock.now, db_index=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="projects", db_index=False
    )
    status_reason = models.TextField(blank=True)
    status_changed = models.DateTimeField(null=True, editable=False)
    last_serial = models.BigIntegerField(default=0)
    file_size_limit = models.BigIntegerField(null=True, blank=True)
    total_size_limit = models.BigIntegerField(null=True, blank=True)
    total_size = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        indexes: ClassVar = [
            models.Index("id", name="project_in_quarantine", condition=models.Q(status="quarantined")),
            models.Index(
                fields=["organization"],
                name="project_of_organization",
                condition=models.Q(organization__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Release(models.Model):
    """One version of a project, with the core metadata of the first file that was uploaded for it.

    ``sort_key`` orders versions as PEP 440 does when compared as bytes; ``metadata`` holds the core metadata in the
    JSON shape of PEP 566 (lower-case names with underscores, lists where the field may repeat) without the description.
    ``verified`` lists the URLs and addresses in it that the index has verified.  ``vulnerabilities`` are the numbers of
    those known to affect it (``integrations``); null until somebody has looked.  ``yanked_at`` and ``quarantined_at``
    are null for what is neither, or was before such times were kept.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="releases", db_index=False)
    version = models.CharField(max_length=200)
    canonical_version = models.CharField(max_length=200)
    sort_key = models.BinaryField()
    is_prerelease = models.BooleanField(default=False)
    created = models.DateTimeField(default=clock.now, db_index=True)
    summary = models.CharField(max_length=512, blank=True)
    requires_python = models.TextField(blank=True)
    metadata = models.JSONField(default=dict)
    verified = models.JSONField(default=list)
    vulnerabilities = models.JSONField(null=True, editable=False)
    yanked = models.BooleanField(default=False)
    yanked_reason = models.TextField(blank=True)
    yanked_at = models.DateTimeField(null=True, editable=False)
    quarantined = models.BooleanField(default=False)
    quarantined_at = models.DateTimeField(null=True, editable=False)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_via = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "canonical_version"], name="release_unique_version"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["project", "sort_key"], name="release_in_order"),
            models.Index("id", name="release_in_quarantine", condition=models.Q(quarantined=True)),
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


class Description(models.Model):
    """The long description of a release, apart from it because most questions do not need it.

    ``html`` is what it was rendered to at upload, safe to show; pages never render.  ``renderer`` is by what: where it
    is outdated, the description is rendered again in the background.
    """

    release = models.OneToOneField(Release, on_delete=models.CASCADE, primary_key=True, related_name="description")
    raw = models.TextField()
    html = models.TextField(blank=True)
    content_type = models.CharField(max_length=256, blank=True)
    renderer = models.CharField(max_length=100, blank=True, db_index=True)


class File(models.Model):
    """One distribution file.

    Digests are lower-case hex.  ``path`` is the blob's key and the end of the file's URL; it is opaque and never
    recomputed.  ``metadata_sha256`` is the digest of the ``.metadata`` blob beside it, empty where there is none
    (PEP 658).  ``sort_key`` orders a project's files by version, then file name.  ``sboms`` lists the SBOM members of a
    wheel (PEP 770).
    """

    class PackageType(models.TextChoices):
        SDIST = "sdist", "Source distribution"
        WHEEL = "bdist_wheel", "Wheel"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="files", db_index=False)
    filename = models.CharField(max_length=255)
    packagetype = models.CharField(max_length=16, choices=PackageType)
    python_version = models.CharField(max_length=255)
    size = models.BigIntegerField()
    md5 = models.CharField(max_length=32)
    sha256 = models.CharField(max_length=64)
    blake2_256 = models.CharField(max_length=64)
    path = models.CharField(max_length=512)
    metadata_sha256 = models.CharField(max_length=64, blank=True)
    sort_key = models.BinaryField()
    comment = models.TextField(blank=True)
    sboms = models.JSONField(default=list, blank=True)
    uploaded = models.DateTimeField(default=clock.now)
    uploaded_via = models.TextField(blank=True)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "sort_key"], name="file_in_order")]
        # as expressions, so that they are indexes of their own, which can be made after very many rows (base.bulk)
        constraints: ClassVar = [
            models.UniqueConstraint(models.F("filename"), name="file_unique_filename"),
            models.UniqueConstraint(models.F("blake2_256"), name="file_unique_content"),
            models.UniqueConstraint(models.F("path"), name="file_unique_path"),
        ]

    def __str__(self) -> str:
        return self.filename


class Filename(models.Model):
    """Every file name ever published.  Rows are never deleted, so that no name can carry other bytes later."""

    filename = models.CharField(max_length=255, primary_key=True)
    created = models.DateTimeField(default=clock.now)


class Role(models.Model):
    """What a user is to a project."""

    class Name(models.TextChoices):
        OWNER = "Owner", "Owner"
        MAINTAINER = "Maintainer", "Maintainer"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="roles")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="roles")
    name = models.CharField(max_length=10, choices=Name)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "project"], name="role_unique_user")]

    def __str__(self) -> str:
        return f"{self.user} is {self.name} of {self.project}"


class TeamRole(models.Model):
    """What the members of a team are to a project of its organization."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="roles")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="team_roles")
    name = models.CharField(max_length=10, choices=Role.Name)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "project"], name="team_role_unique_team")]

    def __str__(self) -> str:
        return f"{self.team} is {self.name} of {self.project}"


class JournalEntry(models.Model):
    """One change of a project.  Its id is the serial; ids become visible in commit order."""

    name = models.CharField(max_length=200)
    version = models.CharField(max_length=200, null=True)  # noqa: DJ001 - null is what mirrors see
    action = models.TextField()
    created = models.DateTimeField(default=clock.now)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["name", "id"], name="journal_of_a_name"),
            models.Index(fields=["created"], name="journal_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name} {self.action}"


class ProhibitedName(models.Model):
    """A project name that administrators have closed."""

    normalized_name = models.CharField(max_length=200, primary_key=True)
    comment = models.TextField(blank=True)
    created = models.DateTimeField(default=clock.now)
    prohibited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.normalized_name
