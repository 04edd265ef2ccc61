"""What has happened to accounts."""

from dataclasses import dataclass

from packhouse.base.facts import Fact


@dataclass(frozen=True, slots=True)
class AccountDeleted(Fact):
    """The user has deleted the account; it can still be restored."""

    user_id: int


@dataclass(frozen=True, slots=True)
class AccountRestored(Fact):
    """The deletion was taken back."""

    user_id: int


@dataclass(frozen=True, slots=True)
class AccountErased(Fact):
    """What was personal is gone for good; roles and tokens of the user mean nothing any more."""

    user_id: int
