"""Projects of organizations: who may do what with them, moving them, and roles of teams."""

from typing import Any

import pytest
from tests.factories.accounts import make_user
from tests.factories.organizations import join, make_organization, make_team
from tests.factories.projects import make_project

from packhouse.audit.models import Event
from packhouse.base.identity import Identity
from packhouse.mail.models import Letter
from packhouse.organizations import actions as organizations
from packhouse.organizations.models import MemberRole
from packhouse.projects import actions, belonging, queries, rules
from packhouse.projects.models import JournalEntry, Role, TeamRole

pytestmark = pytest.mark.django_db
OWNER, MAINTAINER = Role.Name.OWNER, Role.Name.MAINTAINER


def journal() -> list[str]:
    return list(JournalEntry.objects.order_by("pk").values_list("action", flat=True))


def letters() -> set[tuple[str, str]]:
    return {(name, to.partition("@")[0]) for name, to in Letter.objects.values_list("name", "to")}


class World:
    """acme owns sample: ada by the organization, mia manages, bob and tim by teams, sue by a role of her own."""

    def __init__(self) -> None:
        self.people = {name: make_user(name) for name in ("ada", "mia", "bob", "tim", "sue", "zoe")}
        people = self.people
        self.acme = make_organization("acme", owner=people["ada"])
        join(self.acme, people["mia"], MemberRole.MANAGER)
        self.sample = make_project("sample", organization=self.acme)
        for name, user, role in (("Leads", "bob", OWNER), ("Builders", "tim", MAINTAINER)):
            join(self.acme, people[user])
            TeamRole.objects.create(team=make_team(self.acme, name, people[user]), project=self.sample, name=role)
        Role.objects.create(project=self.sample, user=people["sue"], name=MAINTAINER)


def test_what_somebody_is_to_a_project_follows_from_every_way_to_it() -> None:
    world = World()
    make_project("unrelated", owner=world.people["zoe"])
    expected = {"ada": "Owner", "mia": None, "bob": "Owner", "tim": "Maintainer", "sue": "Maintainer", "zoe": None}
    found = {name: queries.role_of(user.pk, world.sample) for name, user in world.people.items()}
    assert found == expected
    reached = {name: [one.name for one in queries.reached_by(user.pk)] for name, user in world.people.items()}
    assert reached == {
        name: ["sample"] if role else ["unrelated"] if name == "zoe" else [] for name, role in expected.items()
    }
    sample = world.sample.pk
    many = {name: queries.roles_in(user.pk, [sample]).get(sample) for name, user in world.people.items()}
    assert many == expected
    assert queries.role_of(None, world.sample) is None


def test_the_greatest_of_several_roles_counts_and_one_question_tells(django_assert_num_queries: Any) -> None:
    world = World()
    TeamRole.objects.filter(team__name="Leads").update(name=MAINTAINER)
    Role.objects.create(project=world.sample, user=world.people["bob"], name=OWNER)
    assert queries.role_of(world.people["bob"].pk, world.sample) == "Owner"
    with django_assert_num_queries(1):
        queries.role_of(world.people["bob"].pk, world.sample)


def test_whoever_leaves_the_organization_loses_what_teams_and_ownership_gave() -> None:
    world = World()
    other = make_user("other")
    join(world.acme, other, MemberRole.OWNER)
    for name in ("ada", "bob"):
        organizations.remove_member(by=None, organization=world.acme, user_id=world.people[name].pk)
        assert queries.role_of(world.people[name].pk, world.sample) is None


def test_a_project_given_to_an_organization_takes_the_role_of_who_gave_it() -> None:
    ada, bob = make_user("ada"), make_user("bob")
    acme = make_organization("acme", owner=ada)
    sample = make_project("sample", owner=ada)
    Role.objects.create(project=sample, user=bob, name=OWNER)
    belonging.move_project(by=ada, project=sample, organization=acme)
    assert list(sample.roles.values_list("user__username", flat=True)) == ["bob"]
    assert journal() == ["remove Owner ada"]
    sample.refresh_from_db()
    assert (sample.organization, sample.last_serial) == (acme, JournalEntry.objects.get().pk)
    assert {("organization-project-added", name) for name in ("ada", "bob")} <= letters()
    tags = Event.objects.filter(tag="organization_project:add").order_by("pk").values_list("subject_kind", flat=True)
    assert list(tags) == ["project", "organization"]


def test_moving_to_another_organization_ends_the_roles_of_teams() -> None:
    world = World()
    other = make_organization("other", owner=world.people["ada"])
    belonging.move_project(by=world.people["ada"], project=world.sample, organization=other)
    assert not TeamRole.objects.exists()
    assert journal() == ["remove Owner Leads", "remove Maintainer Builders"]
    tags = Event.objects.filter(subject_kind="organization").order_by("pk").values_list("tag", "subject_name")
    assert list(tags)[-2:] == [("organization_project:remove", "acme"), ("organization_project:add", "other")]


def test_a_project_leaves_an_organization_only_where_somebody_owns_it_then() -> None:
    world = World()
    with pytest.raises(actions.LastOwner):
        belonging.move_project(by=world.people["ada"], project=world.sample, organization=None)
    world.sample.refresh_from_db()
    assert world.sample.organization == world.acme
    Role.objects.filter(user=world.people["sue"]).update(name=OWNER)
    belonging.move_project(by=world.people["ada"], project=world.sample, organization=None)
    world.sample.refresh_from_db()
    assert world.sample.organization is None
    assert ("organization-project-removed", "sue") in letters()


def test_the_owners_of_its_organization_let_the_last_own_owner_go() -> None:
    world = World()
    actions.set_role(by=None, project=world.sample, user_id=world.people["sue"].pk, name=OWNER)
    assert not queries.owned_alone_by(world.people["sue"].pk).exists()
    actions.remove_role(by=None, project=world.sample, user_id=world.people["sue"].pk)
    assert not Role.objects.exists()


def test_a_team_gets_changes_and_loses_a_role() -> None:
    world = World()
    team = make_team(world.acme, "Docs", world.people["tim"])
    belonging.set_team_role(by=world.people["ada"], project=world.sample, team=team, name=MAINTAINER)
    belonging.set_team_role(by=world.people["ada"], project=world.sample, team=team, name=OWNER)
    assert queries.role_of(world.people["tim"].pk, world.sample) == "Owner"
    assert belonging.remove_team_role(by=world.people["ada"], project=world.sample, team=team)
    assert not belonging.remove_team_role(by=world.people["ada"], project=world.sample, team=team)
    assert journal() == ["add Maintainer Docs", "change Maintainer Docs to Owner", "remove Owner Docs"]
    for word in ("added", "role-changed", "removed"):
        assert (f"{word}-as-team-collaborator", "tim") in letters()
        assert (f"team-collaborator-{word}", "ada") in letters()
    stranger = make_team(make_organization("other"))
    with pytest.raises(belonging.OtherOrganization):
        belonging.set_team_role(by=None, project=world.sample, team=stranger, name=OWNER)


def test_a_project_of_an_organization_starts_without_an_owner_of_its_own() -> None:
    ada = make_user("ada")
    acme = make_organization("acme", owner=ada)
    made = actions.create_project(name="fresh", by=ada, organization=acme)
    assert (made.organization, made.roles.count(), queries.role_of(ada.pk, made)) == (acme, 0, "Owner")
    assert journal() == ["create"]


def test_owners_of_the_organization_are_told_of_what_happens_to_its_projects() -> None:
    world = World()
    actions.delete_project(by=world.people["ada"], project=world.sample)
    assert letters() == {("removed-project", "ada"), ("removed-project", "sue")}


ADA = Identity(kind="user", user_id=1, username="ada", credential="session")


@pytest.mark.parametrize(
    ("role", "organization_role", "organization", "allowed"),
    [
        ("Owner", None, None, True),
        ("Maintainer", None, None, False),
        (None, None, None, False),
        ("Owner", "Owner", "acme", True),
        ("Owner", "Manager", "acme", False),
        ("Owner", None, "acme", False),
    ],
)
def test_only_owners_of_its_organization_move_a_project_away(
    role: str | None, organization_role: str | None, organization: str | None, allowed: bool
) -> None:
    decision = rules.may_move(
        ADA, role=role, organization_role=organization_role, project="sample", organization=organization
    )
    assert bool(decision) == allowed
