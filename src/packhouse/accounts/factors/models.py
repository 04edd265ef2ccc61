"""What may happen only once, beside django-allauth's ``Authenticator``."""

from typing import ClassVar

from allauth.mfa.models import Authenticator
from django.db import models

CREDENTIAL_ID_LENGTH = 1364
"""The longest credential id (1023 bytes, WebAuthn Level 2) in base64url."""


class TimeStep(models.Model):
    """The last time step (RFC 6238: seconds since the epoch / 30) whose code an authenticator app was let in with."""

    factor = models.OneToOneField(Authenticator, on_delete=models.CASCADE, primary_key=True, related_name="time_step")
    step = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.factor_id}: {self.step}"


class Key(models.Model):
    """A WebAuthn credential: its id (base64url), unique over all users, and its signature counter.

    ``credential`` is the attested credential data (with the public key); ``is_passkey`` says that it signs in without a
    password; ``last_challenge`` is what it was let in with last.
    """

    factor = models.OneToOneField(Authenticator, on_delete=models.CASCADE, primary_key=True, related_name="key")
    credential_id = models.CharField(max_length=CREDENTIAL_ID_LENGTH, unique=True)
    credential = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    last_challenge = models.CharField(max_length=64, blank=True)
    is_passkey = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.credential_id


class RecoveryCode(models.Model):
    """One recovery code, as a keyed digest (hexadecimal); ``used`` says when it was burned."""

    factor = models.ForeignKey(Authenticator, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["factor", "digest"], name="recovery_code_unique_digest"),
        ]

    def __str__(self) -> str:
        return str(self.factor_id)
