"""Facts → keys: which pages show something that has changed.  What is listed here is what ``caching.keyed`` promises.

Handlers in the writer's transaction; they only note keys, and nothing at all where no cache stands in front.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from packhouse.accounts import facts as people
from packhouse.accounts.models import User
from packhouse.base.facts import Fact
from packhouse.flags.facts import FlagTurned
from packhouse.index.facts import BlobsRemoved
from packhouse.index.provenance import CLOSING_FLAG
from packhouse.organizations import facts as groups
from packhouse.organizations.models import Member, Organization
from packhouse.pages.caching import ALL_PROJECTS, SIMPLE_INDEX, organization_key
from packhouse.projects import facts
from packhouse.projects.models import Project, Role
from packhouse.purge.actions import forget, is_needed

QUARANTINED: Final = Project.Status.QUARANTINED.value


def _project(fact: facts.ProjectFact) -> Iterator[str]:
    """The project's own pages, documents and feed."""
    yield f"project/{fact.normalized_name}"


def _lists(fact: facts.ProjectFact) -> Iterator[str]:
    """Those too, and every list in which it stands: of what is new, of what somebody publishes."""
    yield from _project(fact)
    yield ALL_PROJECTS
    yield from _users(Role.objects.filter(project_id=fact.project_id).values("user_id"))
    owners = Organization.objects.filter(projects=fact.project_id)
    yield from map(organization_key, owners.values_list("normalized_name", flat=True))


def _names(fact: facts.ProjectFact) -> Iterator[str]:
    """Those too, and the list of all names."""
    yield from _lists(fact)
    yield SIMPLE_INDEX


def _published(fact: facts.FilePublished) -> Iterator[str]:
    if fact.former_name:
        return _names(fact)
    return _lists(fact) if fact.new_release else _project(fact)


def _status(fact: facts.ProjectStatusChanged) -> Iterator[str]:
    return _names(fact) if QUARANTINED in (fact.before, fact.after) else _lists(fact)


def _deleted(fact: facts.ProjectDeleted) -> Iterator[str]:
    yield from _names(fact)
    yield from _users(fact.user_ids)
    if fact.organization:
        yield organization_key(fact.organization)


def _removed(fact: BlobsRemoved) -> Iterator[str]:
    """A cache asks again whether their files are there."""
    return (f"project/{name}" for name in fact.projects)


def _role(fact: facts.RoleChanged) -> Iterator[str]:
    yield from _project(fact)
    yield from _users([fact.user_id])


def _moved(fact: facts.ProjectOrganizationChanged) -> Iterator[str]:
    """The project, and both sides."""
    yield from _project(fact)
    yield from (organization_key(name) for name in (fact.before, fact.after) if name)


def _organization(fact: groups.OrganizationFact) -> Iterator[str]:
    """Its profile, and wherever it is named: on its projects and the profiles of its members."""
    yield organization_key(fact.normalized_name)
    projects = Project.objects.filter(organization=fact.organization_id)
    yield from (f"project/{name}" for name in projects.values_list("normalized_name", flat=True))
    yield from _users(Member.objects.filter(organization=fact.organization_id).values("user_id"))


def _organization_gone(fact: groups.OrganizationDeleted) -> Iterator[str]:
    yield organization_key(fact.normalized_name)
    yield from _users(fact.user_ids)


def _member(fact: groups.MemberChanged) -> Iterator[str]:
    yield organization_key(fact.normalized_name)
    yield from _users([fact.user_id])


def _user(fact: people.UserFact) -> Iterator[str]:
    """The profile of a user, and the pages of what they publish."""
    yield from _users([fact.user_id])
    for name in Project.objects.filter(roles__user_id=fact.user_id).values_list("normalized_name", flat=True):
        yield f"project/{name}"


def _profile(fact: people.UserFact) -> Iterator[str]:
    """The profile alone: other pages call a user by the user name."""
    return _users([fact.user_id])


def _users(ids: Any) -> Iterator[str]:
    return (f"user/{name}" for name in User.objects.filter(pk__in=ids).values_list("username", flat=True))


def _flag(fact: FlagTurned) -> Iterator[str]:
    """What the data plane stops serving, or serves again."""
    if fact.name == CLOSING_FLAG:
        yield "integrity"


KEYS: Final[dict[type[Fact], Callable[[Any], Iterable[str]]]] = {
    facts.ProjectCreated: _names,
    facts.FilePublished: _published,
    facts.ReleaseYanked: _lists,
    facts.ReleaseUnyanked: _lists,
    facts.ReleaseQuarantineChanged: _lists,
    facts.ReleasesMarked: _project,
    facts.FileDeleted: _project,
    facts.ReleaseDeleted: _lists,
    facts.ProjectDeleted: _deleted,
    BlobsRemoved: _removed,
    facts.ProjectStatusChanged: _status,
    facts.RoleChanged: _role,
    facts.ProjectOrganizationChanged: _moved,
    groups.OrganizationCreated: _organization,
    groups.OrganizationChanged: _organization,
    groups.OrganizationDeleted: _organization_gone,
    groups.MemberChanged: _member,
    people.AccountDeleted: _user,
    people.AccountRestored: _user,
    people.AccountErased: _user,
    people.PrimaryAddressChanged: _user,
    people.ProfileChanged: _profile,
    FlagTurned: _flag,
}


def pages_changed(fact: Fact) -> None:
    """Have the cache in front forget the pages that *fact* concerns."""
    if is_needed():
        forget(KEYS[type(fact)](fact))
