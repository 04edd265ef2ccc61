"""API tokens."""

import secrets
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from packhouse.base import clock

SALT_BYTES = 32


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


class Token(models.Model):
    """An API token of a user.

    ``salt`` and the server's key together make the key that signs it; neither alone does.  ``caveats`` is the list of
    caveats (JSON arrays) that always hold for it, also when the presented text lacks them.  ``by_operator`` says that
    the operator's command line made it, ``with_two_factor`` that its user had a second factor at that time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    description = models.CharField(max_length=100)
    caveats = models.JSONField()
    salt = models.BinaryField(max_length=SALT_BYTES, default=new_salt)
    by_operator = models.BooleanField(default=False)
    with_two_factor = models.BooleanField(default=False)
    created = models.DateTimeField(default=clock.now)
    last_used = models.DateTimeField(null=True, blank=True)
    last_used_address = models.CharField(max_length=45, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "description"], name="token_unique_description"),
        ]

    def __str__(self) -> str:
        return self.description
