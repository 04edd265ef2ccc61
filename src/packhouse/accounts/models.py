"""Users."""

import uuid
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from packhouse.base import clock

USERNAME_PATTERN = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z"


class UserManager(BaseUserManager["User"]):
    """Finds users by name without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username__iexact=username)


class User(AbstractBaseUser):
    """A person with an account.

    ``is_active`` turns true with the first verified address; ``is_frozen`` suspends sessions and tokens;
    ``disabled_for`` says why the password no longer works, when it does not.
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

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_superuser


class AddressStateQuerySet(models.QuerySet["AddressState"]):
    """States of addresses."""

    def returned(self) -> "AddressStateQuerySet":
        """Addresses that letters came back from, or whose owner called one spam."""
        return self.filter(unverify_reason__in=AddressState.RETURNED)


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

    objects = AddressStateQuerySet.as_manager()

    def __str__(self) -> str:
        return f"state of address {self.pk}"
