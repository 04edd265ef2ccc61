"""What happens to organizations, announced by their actions in one transaction.  Ids and plain values only."""

from dataclasses import dataclass

from packhouse.base.facts import Fact


@dataclass(frozen=True, slots=True)
class OrganizationFact(Fact):
    """Something happened to an organization."""

    organization_id: int
    normalized_name: str


@dataclass(frozen=True, slots=True)
class OrganizationCreated(OrganizationFact):
    """There is an organization of that name now."""


@dataclass(frozen=True, slots=True)
class OrganizationChanged(OrganizationFact):
    """What it says of itself has changed, or whether it is active."""


@dataclass(frozen=True, slots=True)
class OrganizationDeleted(OrganizationFact):
    """It is gone; ``user_ids`` were its members."""

    user_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberChanged(OrganizationFact):
    """Somebody's role was given, changed or taken; the empty string stands for no role."""

    user_id: int
    before: str
    after: str
