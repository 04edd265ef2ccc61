"""Users, and what is remembered of them: devices, invitations, reserved names, the terms they have seen."""

import uuid
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from packhouse.base import clock

USERNAME_PATTERN = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z"


class UserManager(BaseUserManager["User"]):
    """Finds users by name without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username__iexact=username)


class User(AbstractBaseUser):
    """A person with an account.

    ``is_active`` is false for a deleted account, which can be restored for a while; ``is_frozen`` suspends sessions and
    tokens; ``disabled_for`` says why the password no longer works, when it does not.  ``session_epoch`` grows with
    whatever ends all sessions and makes links that were mailed before worthless.
    """

    class DisabledFor(models.TextChoices):
        NOTHING = "", "not disabled"
        COMPROMISED = "password compromised", "password compromised"
        FROZEN = "account frozen", "account frozen"
        ADMIN = "admin initiated", "admin initiated"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    username = models.CharField(max_length=50, validators=[RegexValidator(USERNAME_PATTERN)])
    name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True, help_text="The primary address, kept in step by django-allauth.")
    public_email = models.EmailField(blank=True)
    language = models.CharField(max_length=10, blank=True, help_text="of letters; empty: the index's own")
    is_active = models.BooleanField(default=True)
    is_frozen = models.BooleanField(default=False)
    is_superuser = models.BooleanField(default=False)
    is_moderator = models.BooleanField(default=False)
    is_support = models.BooleanField(default=False)
    is_observer = models.BooleanField(default=False)
    disabled_for = models.CharField(max_length=32, choices=DisabledFor, default=DisabledFor.NOTHING, blank=True)
    password_date = models.DateTimeField(null=True, blank=True)
    session_epoch = models.PositiveIntegerField(default=0)
    prohibit_password_reset = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True, blank=True, db_index=True)
    date_joined = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("username"), name="username_unique_any_case")]

    def __str__(self) -> str:
        return self.username

    @property
    def is_staff(self) -> bool:
        return self.is_superuser or self.is_moderator or self.is_support

    @property
    def can_act(self) -> bool:
        """Whether sessions and tokens of this user work at all."""
        return self.is_active and not self.is_frozen and not self.disabled_for

    @property
    def can_reset_password(self) -> bool:
        """Whether a letter may open the way to a new password: not for staff, whose mailbox would be worth stealing."""
        return self.is_active and not self.is_frozen and not self.is_staff and not self.prohibit_password_reset

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Binds sessions to the password and to ``session_epoch``."""
        value = f"{self.session_epoch}:{self.password}"
        return salted_hmac("packhouse.accounts.session", value, secret=secret, algorithm="sha256").hexdigest()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_superuser


class AddressState(models.Model):
    """What letters to an address have taught, beside django-allauth's ``EmailAddress``; it goes with that."""

    class UnverifyReason(models.TextChoices):
        """Why an address that was verified no longer is."""

        NOTHING = "", "not un-verified"
        SPAM_COMPLAINT = "spam complaint", "spam complaint"
        HARD_BOUNCE = "hard bounce", "hard bounce"
        SOFT_BOUNCE = "soft bounce", "soft bounce"
        DOMAIN_STATUS = "domain status invalid", "domain status invalid"

    RETURNED = (UnverifyReason.SPAM_COMPLAINT, UnverifyReason.HARD_BOUNCE, UnverifyReason.SOFT_BOUNCE)

    address = models.OneToOneField(EmailAddress, models.CASCADE, primary_key=True, related_name="state")
    unverify_reason = models.CharField(
        max_length=32, choices=UnverifyReason, default=UnverifyReason.NOTHING, blank=True
    )
    transient_bounces = models.PositiveSmallIntegerField(default=0, help_text="since the last delivery")
    domain_checked = models.DateTimeField(null=True, db_index=True, help_text="when its domain was last asked about")

    def __str__(self) -> str:
        return f"state of address {self.pk}"


class ReservedName(models.Model):
    """A user name that nobody can take (again): of a deleted account, or prohibited by an administrator.

    ``skeleton`` is what names that look alike have in common (``packhouse.specs.names.skeleton``).
    """

    name = models.CharField(max_length=50)
    skeleton = models.CharField(max_length=50, db_index=True)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="reserved_name_unique_any_case")]

    def __str__(self) -> str:
        return self.name


class ProhibitedDomain(models.Model):
    """A domain, in lower case, at and below which nobody can add an address.

    ``with_servers``: nor one at any other domain whose mail is taken by a server at or below this one.
    """

    domain = models.CharField(max_length=253, unique=True)
    with_servers = models.BooleanField(default=False)
    comment = models.CharField(max_length=200, blank=True)
    prohibited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.domain


class BannedNetwork(models.Model):
    """Addresses from which nobody can act: ``network`` in CIDR notation, a single address as /32 or /128.

    It counts until ``until``, or for good.
    """

    network = models.CharField(max_length=43, unique=True)
    comment = models.CharField(max_length=200, blank=True)
    banned_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=clock.now)
    until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.network.removesuffix("/32" if "." in self.network else "/128")

    @property
    def is_over(self) -> bool:
        return self.until is not None and self.until <= clock.now()


class Device(models.Model):
    """A browser that a user has signed in with, known by a secret in its cookie of which this is the digest.

    Until ``confirmed_at`` it waits for the link in a letter; ``link`` is the digest of that link's secret.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    digest = models.CharField(max_length=64)
    link = models.CharField(max_length=64, blank=True)
    created = models.DateTimeField(default=clock.now)
    last_used = models.DateTimeField(default=clock.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=512, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "digest"], name="device_once_for_each_user")]
        indexes: ClassVar = [models.Index(fields=["address"], name="device_by_address")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.user_agent}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations by what has become of them."""

    def waiting(self) -> "InvitationQuerySet":
        """Neither used nor expired."""
        return self.filter(used_at=None, expires__gt=clock.now())


class Invitation(models.Model):
    """Lets one person register where registration is by invitation.  ``digest`` is that of the link's secret."""

    email = models.EmailField()
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="invitations")
    created = models.DateTimeField(default=clock.now)
    expires = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.OneToOneField(User, null=True, on_delete=models.SET_NULL, related_name="invitation")

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.email


class TermsEngagement(models.Model):
    """That a user has been shown, or has agreed to, one revision of the terms of service."""

    class Kind(models.TextChoices):
        NOTIFIED = "notified", "notified"
        VIEWED = "viewed", "viewed"
        AGREED = "agreed", "agreed"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="terms_engagements")
    revision = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "revision", "kind"], name="terms_engagement_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.revision}"
