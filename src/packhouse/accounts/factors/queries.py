"""Questions about second factors."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Count, Q, QuerySet

from packhouse.accounts.factors.models import Key, RecoveryCode
from packhouse.accounts.models import User
from packhouse.accounts.queries import SECOND_FACTORS


@dataclass(frozen=True, slots=True)
class Overview:
    """A user's second factors: the app (or None), the keys in the order of their making, recovery codes left and made.

    ``codes_made`` is when the recovery codes were made; None: never.
    """

    app: Authenticator | None
    keys: list[Key]
    codes_left: int
    codes_made: datetime | None

    @property
    def count(self) -> int:
        return len(self.keys) + (self.app is not None)


def overview(user: User) -> Overview:
    """The user's second factors.  Two queries."""
    rows = list(
        Authenticator.objects.filter(user=user)
        .annotate(left=Count("recovery_codes", filter=Q(recovery_codes__used=None)))
        .order_by("pk")
    )
    by_type = {row.type: row for row in rows}
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES)
    return Overview(
        app=by_type.get(Authenticator.Type.TOTP),
        keys=list(keys_of(user)),
        codes_left=codes.left if codes else 0,
        codes_made=codes.created_at if codes else None,
    )


def keys_of(user: User) -> QuerySet[Key]:
    """The user's security keys and passkeys, oldest first."""
    return Key.objects.filter(factor__user=user).select_related("factor").order_by("factor_id")


def factor_of(user: User, factor_id: int) -> Authenticator | None:
    """That second factor, if it is one of the user's."""
    return Authenticator.objects.filter(user=user, pk=factor_id, type__in=SECOND_FACTORS).first()


def methods_of(user: User) -> frozenset[str]:
    """What the user can prove: ``totp``, ``webauthn``, ``recovery_codes``."""
    return frozenset(Authenticator.objects.filter(user=user).values_list("type", flat=True))


def codes_left(user: User) -> int:
    """How many recovery codes of the user are unused."""
    return RecoveryCode.objects.filter(factor__user=user, used=None).count()


def setting() -> str:
    """Who must have a second factor: ``publishers``, ``everybody`` or ``nobody``."""
    required: str = settings.PACKHOUSE.require_two_factor
    return required
