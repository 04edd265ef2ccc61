"""What has happened to second factors."""

from dataclasses import dataclass

from packhouse.base.facts import Fact


@dataclass(frozen=True, slots=True)
class FactorAdded(Fact):
    """``method`` is ``totp`` or ``webauthn``; ``label`` the name of a key."""

    user_id: int
    method: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class FactorRemoved(Fact):
    """``method`` is ``totp`` or ``webauthn``; ``label`` the name of a key."""

    user_id: int
    method: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class RecoveryCodesGenerated(Fact):
    user_id: int


@dataclass(frozen=True, slots=True)
class RecoveryCodeUsed(Fact):
    """``left`` is how many codes the user still has."""

    user_id: int
    left: int
