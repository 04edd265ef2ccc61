"""What has happened to accounts."""

from dataclasses import dataclass

from packhouse.base.facts import Fact


@dataclass(frozen=True, slots=True)
class UserFact(Fact):
    """Something happened to an account."""

    user_id: int


@dataclass(frozen=True, slots=True)
class AccountDeleted(UserFact):
    """The user has deleted the account; it can still be restored."""


@dataclass(frozen=True, slots=True)
class AccountRestored(UserFact):
    """The deletion was taken back."""


@dataclass(frozen=True, slots=True)
class AccountErased(UserFact):
    """What was personal is gone for good; so are, when this has been reacted to, roles and tokens of the user."""


@dataclass(frozen=True, slots=True)
class PrimaryAddressChanged(UserFact):
    """Letters go to another address of the user from now on."""


@dataclass(frozen=True, slots=True)
class ProfileChanged(UserFact):
    """The user says something else of who they are: another name, another public address."""
