"""Publishers, those that are pending, and the tokens that they get."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from packhouse.base import clock
from packhouse.projects.models import Project
from packhouse.tokens.models import SALT_BYTES, new_salt

KINDS = [("github", "GitHub"), ("gitlab", "GitLab"), ("google", "Google Cloud"), ("activestate", "ActiveState")]
ADDRESS_LENGTH = 64


class Trusted(models.Model):
    """Whom jobs must be, to be trusted.

    ``fields`` are the provider's (``providers.<kind>``), all texts.  ``address`` is the digest of kind, issuer and
    those fields that tell publishers apart, in the spelling in which equals are equal: what claims are looked up by.
    ``pinned`` is a number of the provider's that outlives its names (the owner's at GitHub, the project's at GitLab):
    whoever takes an abandoned name has another.  Empty: not known before the first use.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=KINDS)
    issuer = models.CharField(max_length=400)
    fields = models.JSONField()
    address = models.CharField(max_length=ADDRESS_LENGTH)
    pinned = models.CharField(max_length=64, blank=True)
    created = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True


class Publisher(Trusted):
    """A publisher of one project or several; it goes with its last project."""

    projects: "models.ManyToManyField[Project, Link]" = models.ManyToManyField(
        Project, through="Link", related_name="publishers"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["address", "pinned"], name="publisher_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Link(models.Model):
    """That a project trusts a publisher; ``added_by`` for owners to see, whoever has left since."""

    publisher = models.ForeignKey(Publisher, on_delete=models.CASCADE, related_name="links")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="publisher_links")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["publisher", "project"], name="publisher_link_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} trusts {self.publisher_id}"


class PendingPublisher(Trusted):
    """A publisher of a project that does not exist yet, whose first owner will be ``user``.  It reserves no name.

    ``skeleton`` is the name in the spelling in which look-alikes are equal (see ``Project``).
    """

    project_name = models.CharField(max_length=200)
    skeleton = models.CharField(max_length=200, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pending_publishers")
    reminded = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["address", "pinned"], name="pending_publisher_unique"),
        ]
        indexes: ClassVar = [models.Index(fields=["created"], name="pending_publisher_by_age")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.project_name}"


class MintedToken(models.Model):
    """A short-lived token of a publisher.  ``claims`` are those of the job's identity token that are kept.

    ``salt`` and ``caveats`` as in ``tokens.models.Token``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    publisher = models.ForeignKey(Publisher, on_delete=models.CASCADE, related_name="tokens")
    caveats = models.JSONField()
    salt = models.BinaryField(max_length=SALT_BYTES, default=new_salt)
    claims = models.JSONField(default=dict)
    created = models.DateTimeField(default=clock.now)
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)


class UsedIdentity(models.Model):
    """An identity token that was taken, so that it is not taken again before it is void anyway.

    ``digest`` is of the issuer and the token's ``jti``, or of the token itself where it has none.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest
