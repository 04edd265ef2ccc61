"""Changing organizations: rows, trail, letters and facts, all or nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from tests.factories.accounts import make_user
from tests.factories.organizations import join, make_organization, make_team
from tests.factories.projects import make_project

from packhouse.audit.models import Event
from packhouse.base.facts import Reaction
from packhouse.mail.models import Letter
from packhouse.organizations import actions, facts, queries
from packhouse.organizations.models import Member, MemberRole, Organization, OrganizationName, TeamMember

pytestmark = pytest.mark.django_db
ABOUT = {"display_name": "Acme Works", "kind": "community", "link_url": "", "description": ""}
heard: list[Any] = []
LISTENERS = {
    kind: Reaction(handlers=[heard.append])
    for kind in vars(facts).values()
    if isinstance(kind, type) and issubclass(kind, facts.OrganizationFact)
}


@pytest.fixture(autouse=True)
def _listen(settings: Any) -> Iterator[None]:
    heard.clear()
    settings.PACKHOUSE_REACTIONS = f"{__name__}.LISTENERS"
    yield
    heard.clear()


def trail(kind: str) -> list[str]:
    return list(Event.objects.filter(subject_kind=kind).order_by("pk").values_list("tag", flat=True))


def letters() -> set[tuple[str, str]]:
    return {(name, to.partition("@")[0]) for name, to in Letter.objects.values_list("name", "to")}


def test_an_organization_starts_with_its_owner_its_name_trail_and_facts() -> None:
    ada = make_user("ada")
    made = actions.create_organization(by=ada, owner=ada, name="Acme.Works", **ABOUT)
    assert (made.name, made.normalized_name) == ("Acme.Works", "acme-works")
    assert list(made.members.values_list("user__username", "role")) == [("ada", "Owner")]
    assert trail("organization") == ["catalog_entry:add", "organization:create", "organization_role:add"]
    assert trail("user") == ["organization_role:add"]
    assert heard == [
        facts.OrganizationCreated(made.pk, "acme-works"),
        facts.MemberChanged(made.pk, "acme-works", ada.pk, "", "Owner"),
    ]
    assert letters() == set()


@pytest.mark.parametrize("name", ["acme", "ACME", "-acme", "a b", "x" * 51, "", "acme\n"])
def test_a_name_that_cannot_be_had_leaves_nothing_behind(name: str) -> None:
    make_organization("Acme")
    with pytest.raises(ValidationError):
        actions.create_organization(by=None, owner=make_user(), name=name, **ABOUT)
    assert (Organization.objects.count(), OrganizationName.objects.count(), heard) == (1, 1, [])


def test_the_name_of_a_deleted_organization_stays_taken() -> None:
    ada = make_user("ada")
    made = make_organization("Acme", owner=ada)
    actions.delete_organization(by=ada, organization=made)
    assert not Organization.objects.exists()
    assert letters() == {("organization-deleted", "ada")}
    assert heard[-1] == facts.OrganizationDeleted(made.pk or heard[-1].organization_id, "acme", (ada.pk,))
    with pytest.raises(ValidationError):
        actions.create_organization(by=None, owner=ada, name="acme", **ABOUT)


def test_an_organization_that_owns_projects_is_not_deleted() -> None:
    made = make_organization("Acme", owner=make_user("ada"))
    make_project("sample", organization=made)
    with pytest.raises(actions.OwnsProjects):
        actions.delete_organization(by=None, organization=made)
    assert (Organization.objects.count(), Letter.objects.count(), trail("organization")) == (1, 0, [])


def test_owners_are_told_what_was_changed_and_the_same_again_is_no_change() -> None:
    made = make_organization("Acme", owner=make_user("ada"), kind="company")
    actions.update_organization(by=None, organization=made, changes={"description": "Rockets", "kind": "company"})
    actions.update_organization(by=None, organization=made, changes={"description": "Rockets"})
    assert trail("organization") == ["organization:change"]
    letter = Letter.objects.get()
    assert (letter.name, letter.to) == ("organization-updated", "ada@users.example")
    assert "- → Rockets" in letter.text
    with pytest.raises(ValidationError):
        actions.update_organization(by=None, organization=made, changes={"kind": "community"})


def test_a_member_is_added_given_another_role_and_removed_and_everybody_concerned_is_told() -> None:
    ada, bob = make_user("ada"), make_user("bob")
    made = make_organization("Acme", owner=ada)
    team = make_team(made)
    actions.add_member(by=ada, organization=made, user=bob, role=MemberRole.MEMBER)
    actions.add_to_team(by=ada, team=team, user=bob)
    actions.change_role(by=ada, organization=made, user_id=bob.pk, role=MemberRole.MANAGER)
    actions.remove_member(by=ada, organization=made, user_id=bob.pk)
    assert not TeamMember.objects.exists()
    assert letters() == {
        ("added-as-organization-member", "bob"),
        ("organization-member-added", "ada"),
        ("added-as-team-member", "bob"),
        ("team-member-added", "ada"),
        ("role-changed-as-organization-member", "bob"),
        ("organization-member-role-changed", "ada"),
        ("removed-as-organization-member", "bob"),
        ("organization-member-removed", "ada"),
    }
    tags = ["organization_role:add", "team_role:add", "organization_role:change", "organization_role:remove"]
    assert trail("organization") == trail("user") == tags
    assert [(fact.before, fact.after) for fact in heard] == [
        ("", "Member"),
        ("Member", "Manager"),
        ("Manager", ""),
    ]


def test_the_last_owner_stays_one() -> None:
    ada, gone = make_user("ada"), make_user("gone", is_active=False)
    made = make_organization("Acme", owner=ada)
    join(made, gone, MemberRole.OWNER)
    for refused in (
        lambda: actions.remove_member(by=None, organization=made, user_id=ada.pk),
        lambda: actions.change_role(by=None, organization=made, user_id=ada.pk, role=MemberRole.MEMBER),
    ):
        with pytest.raises(actions.LastOwner):
            refused()
    assert list(queries.owned_alone_by(ada.pk)) == [made]
    actions.remove_member(by=None, organization=made, user_id=ada.pk, even_the_last=True)
    assert not Member.objects.filter(user=ada).exists()


def test_only_companies_have_billing_managers_and_these_are_in_no_team() -> None:
    bob = make_user("bob")
    made = make_organization("Acme", owner=make_user("ada"))
    join(made, bob)
    team = make_team(made, "Builders", bob)
    with pytest.raises(ValidationError):
        actions.change_role(by=None, organization=made, user_id=bob.pk, role=MemberRole.BILLING)
    actions.update_organization(by=None, organization=made, changes={"kind": "company"})
    actions.change_role(by=None, organization=made, user_id=bob.pk, role=MemberRole.BILLING)
    assert not TeamMember.objects.exists()
    with pytest.raises(ValidationError):
        actions.add_to_team(by=None, team=team, user=bob)


@pytest.mark.parametrize("name", ["builders", " Builders", "-x", "", "a\tb", "x" * 51])
def test_names_of_teams_are_unique_and_tidy(name: str) -> None:
    made = make_organization("Acme", owner=make_user("ada"))
    actions.create_team(by=None, organization=made, name="Builders")
    with pytest.raises(ValidationError):
        actions.create_team(by=None, organization=made, name=name)
    actions.create_team(by=None, organization=make_organization("Other"), name="builders")


def test_a_team_is_made_renamed_and_deleted() -> None:
    made = make_organization("Acme", owner=make_user("ada"))
    join(made, make_user("bob"), MemberRole.MANAGER)
    team = actions.create_team(by=None, organization=made, name="Builders")
    team = actions.rename_team(by=None, team=team, name="Release / Builders")
    assert team.normalized_name == "release-builders"
    actions.delete_team(by=None, team=team)
    assert trail("organization") == trail("team") == ["team:create", "team:rename", "team:delete"]
    assert letters() == {(name, to) for name in ("team-created", "team-deleted") for to in ("ada", "bob")}


def test_a_request_is_approved_once_and_whoever_asked_for_the_same_name_is_declined() -> None:
    ada, bob = make_user("ada"), make_user("bob")
    asked = actions.apply(by=ada, name="Acme", usage="Rockets", **ABOUT)
    other = actions.apply(by=bob, name="acme", usage="Anvils", **ABOUT)
    made = actions.approve(by=None, application=asked, message="Welcome")
    assert list(made.members.values_list("user__username", "role")) == [("ada", "Owner")]
    other.refresh_from_db()
    assert other.state == "declined"
    assert letters() == {
        ("new-organization-requested", "ada"),
        ("new-organization-requested", "bob"),
        ("new-organization-approved", "ada"),
        ("new-organization-declined", "bob"),
    }
    assert "Welcome" in Letter.objects.get(name="new-organization-approved").text
    for answer in (actions.approve, actions.decline):
        with pytest.raises(ValidationError):
            answer(by=None, application=asked)


def test_nobody_asks_for_more_than_three_at_a_time_nor_twice_for_one_name() -> None:
    ada = make_user("ada")
    actions.apply(by=ada, name="one", usage="x", **ABOUT)
    with pytest.raises(ValidationError):
        actions.apply(by=ada, name="One", usage="x", **ABOUT)
    second = actions.apply(by=ada, name="two", usage="x", **ABOUT)
    actions.apply(by=ada, name="three", usage="x", **ABOUT)
    with pytest.raises(ValidationError):
        actions.apply(by=ada, name="four", usage="x", **ABOUT)
    actions.decline(by=None, application=second, message="No")
    actions.apply(by=ada, name="four", usage="x", **ABOUT)
