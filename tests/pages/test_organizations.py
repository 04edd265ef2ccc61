"""``/manage/organizations/`` and the pages of each organization."""

import re
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories.accounts import make_user, signed_in
from tests.factories.organizations import join, make_organization, make_team
from tests.factories.projects import make_project

from packhouse.accounts.models import User
from packhouse.mail.models import Letter
from packhouse.organizations.models import Application, Invitation, Member, MemberRole, Organization, Team, TeamMember
from packhouse.projects.models import Project, Role, TeamRole

pytestmark = pytest.mark.django_db
LIST, NEW, HERE = "/manage/organizations/", "/manage/organizations/new/", "/manage/organization/Acme/"
ACME = {"name": "Acme", "display_name": "Acme Works", "kind": "community", "link_url": "", "description": ""}


class World:
    """Acme: ada owns it, mia manages it, bob is a member; zoe has nothing to do with it."""

    def __init__(self) -> None:
        self.ada, self.mia, self.bob, self.zoe = (make_user(name) for name in ("ada", "mia", "bob", "zoe"))
        self.acme = make_organization("Acme", owner=self.ada)
        self.manager = join(self.acme, self.mia, MemberRole.MANAGER)
        self.member = join(self.acme, self.bob)

    def post(self, user: User, path: str, **sent: object) -> Any:
        return signed_in(user).post(path if path.startswith("/") else f"{HERE}{path}", sent)


@pytest.fixture
def world() -> World:
    return World()


def text(user: User, path: str) -> str:
    return signed_in(user).get(path).content.decode()


def link_in(letter: str) -> str:
    found = re.search(r"/account/verify-organization-role/\?token=[\w-]+", Letter.objects.get(name=letter).text)
    assert found
    return found[0]


def test_whoever_may_starts_an_organization_at_once() -> None:
    user = make_user("ada")
    answer = signed_in(user).post(NEW, ACME)
    assert (answer.status_code, answer["Location"]) == (302, f"{HERE}people/")
    found = Member.objects.values_list("organization__name", "user__username", "role")
    assert list(found) == [("Acme", "ada", "Owner")]
    again = signed_in(make_user()).post(NEW, ACME | {"name": "acme"})
    assert "is taken" in again.content.decode()


def test_on_request_the_administrators_are_asked_and_answer(settings: Any) -> None:
    settings.PACKHOUSE = replace(settings.PACKHOUSE, organizations="request")
    user = make_user("ada")
    assert "Ask for an organization" in text(user, LIST)
    assert signed_in(user).post(NEW, ACME).status_code == 200
    assert signed_in(user).post(NEW, ACME | {"usage": "We publish rockets and their parts."}).status_code == 302
    assert (Application.objects.get().state, Organization.objects.count()) == ("waiting", 0)
    assert "Waiting" in text(user, LIST)


def test_where_the_operator_starts_them_nobody_else_does(settings: Any) -> None:
    settings.PACKHOUSE = replace(settings.PACKHOUSE, organizations="off")
    user = make_user("ada", is_superuser=True)
    assert NEW not in text(user, LIST)
    assert signed_in(user).post(NEW, ACME).status_code == 403
    assert not Organization.objects.exists()


PLACES = ["settings/", "people/", "projects/", "teams/", "team/builders/", "history/", "delete/"]


@pytest.mark.parametrize("place", PLACES)
def test_to_others_the_organization_is_not_there_and_members_see_what_is_theirs(world: World, place: str) -> None:
    make_team(world.acme)
    assert signed_in(world.zoe).get(HERE + place).status_code == 404
    assert signed_in(world.ada).get(HERE + place).status_code == 200
    expected = 403 if place in {"history/", "delete/"} else 200
    assert signed_in(world.bob).get(HERE + place).status_code == expected
    assert signed_in(world.mia).get(HERE + place).status_code == expected
    Organization.objects.update(is_active=False)
    assert signed_in(world.ada).get(HERE + place).status_code == 404


@pytest.mark.parametrize(
    ("place", "sent"),
    [
        ("settings/", ACME),
        ("people/", {"username": "zoe", "role": "Member"}),
        ("projects/", {"new": "rocket"}),
        ("teams/", {"name": "Docs"}),
        ("team/builders/", {"username": "mia"}),
        ("team/builders/rename/", {"name": "Docs"}),
        ("team/builders/delete/", {"confirmation": "Builders"}),
        ("delete/", {"confirmation": "Acme"}),
    ],
)
def test_members_change_nothing(world: World, place: str, sent: dict[str, str]) -> None:
    make_team(world.acme)
    assert world.post(world.bob, place, **sent).status_code == 403
    assert (Invitation.objects.count(), Project.objects.count(), TeamMember.objects.count()) == (0, 0, 0)
    assert list(Team.objects.values_list("name", flat=True)) == ["Builders"]
    assert Organization.objects.get().display_name == "Acme Works"


def test_somebody_is_invited_by_letter_and_joins(world: World) -> None:
    world.post(world.ada, "people/", username="ZOE", role="Member")
    link = link_in("verify-organization-role")
    assert "zoe" in text(world.ada, f"{HERE}people/")
    assert "Join Acme Works?" in text(world.zoe, link)
    assert signed_in(world.bob).get(link).status_code == 410
    number = Invitation.objects.get().pk
    assert world.post(world.bob, f"/manage/organizations/invitations/{number}/accept/").status_code == 302
    assert not Member.objects.filter(user__in=[world.zoe]).exists()
    world.post(world.zoe, f"/manage/organizations/invitations/{number}/accept/")
    assert Member.objects.get(user=world.zoe).role == "Member"
    assert not Invitation.objects.exists()
    world.post(world.zoe, f"/manage/organizations/invitations/{number}/accept/")
    assert Member.objects.filter(user=world.zoe).count() == 1


def test_an_invitation_is_declined_with_a_word_to_the_owners(world: World) -> None:
    world.post(world.ada, "people/", username="zoe", role="Member")
    number = Invitation.objects.get().pk
    world.post(world.zoe, f"/manage/organizations/invitations/{number}/decline/", message="No time")
    assert (Invitation.objects.count(), Member.objects.filter(user=world.zoe).count()) == (0, 0)
    assert "No time" in Letter.objects.get(name="organization-member-invite-declined").text


def test_an_invitation_expires_is_sent_again_and_taken_back(world: World) -> None:
    with time_machine.travel("2031-01-01T00:00:00Z"):
        world.post(world.ada, "people/", username="zoe", role="Member")
    former = link_in("verify-organization-role")
    number = Invitation.objects.get().pk
    with time_machine.travel("2031-01-09T00:00:00Z"):
        assert signed_in(world.zoe).get(former).status_code == 410
        assert "Expired" in text(world.ada, f"{HERE}people/")
        Letter.objects.all().delete()
        world.post(world.ada, f"invitations/{number}/resend/")
        link = link_in("verify-organization-role")
        assert link != former
        assert signed_in(world.zoe).get(link).status_code == 200
        assert signed_in(world.zoe).get(former).status_code == 410
        world.post(world.ada, f"invitations/{number}/revoke/")
        assert signed_in(world.zoe).get(link).status_code == 410
    assert Letter.objects.filter(name="canceled-as-invited-organization-member").count() == 1


@pytest.mark.parametrize(
    ("username", "role", "said"),
    [
        ("nobody", "Member", "There is no user of that name"),
        ("bob", "Member", "is a member already"),
        ("unverified", "Member", "has no verified primary address"),
        ("zoe", "Billing manager", "Select a valid choice"),
    ],
)
def test_who_cannot_be_invited_is_said(world: World, username: str, role: str, said: str) -> None:
    make_user("unverified", verified=False)
    assert said in world.post(world.ada, "people/", username=username, role=role).content.decode()
    assert not Invitation.objects.exists()


def test_owners_change_roles_but_not_their_own_and_keep_an_owner(world: World) -> None:
    own = Member.objects.get(user=world.ada)
    assert world.post(world.ada, f"people/{own.pk}/role/", role="Member").status_code == 403
    assert world.post(world.ada, f"people/{world.member.pk}/role/", role="King").status_code == 404
    assert world.post(world.mia, f"people/{world.member.pk}/role/", role="Owner").status_code == 403
    world.post(world.ada, f"people/{world.member.pk}/role/", role="Manager")
    world.post(world.ada, f"people/{own.pk}/remove/")
    assert dict(Member.objects.values_list("user__username", "role")) == {
        "ada": "Owner",
        "mia": "Manager",
        "bob": "Manager",
    }


def test_members_leave_by_themselves_and_only_owners_remove_others(world: World) -> None:
    assert world.post(world.bob, f"people/{world.manager.pk}/remove/").status_code == 403
    assert world.post(world.bob, f"people/{world.member.pk}/remove/")["Location"] == LIST
    world.post(world.ada, f"people/{world.manager.pk}/remove/")
    assert list(Member.objects.values_list("user__username", flat=True)) == ["ada"]
    stranger = join(make_organization("Other"), world.zoe)
    assert world.post(world.ada, f"people/{stranger.pk}/remove/").status_code == 404


def test_own_projects_are_added_and_new_ones_started(world: World) -> None:
    make_project("rocket", owner=world.mia)
    make_project("foreign", owner=world.zoe)
    world.post(world.mia, "projects/", existing="rocket")
    world.post(world.mia, "projects/", new="Fresh")
    for sent in ({"existing": "foreign"}, {"new": "json"}, {"new": "rocket"}, {}, {"existing": "rocket", "new": "x"}):
        assert world.post(world.mia, "projects/", **sent).status_code == 200
    owned = Project.objects.filter(organization=world.acme).order_by("name")
    assert list(owned.values_list("name", flat=True)) == ["Fresh", "rocket"]
    assert not Role.objects.filter(project__in=owned).exists()


def test_a_team_is_made_filled_renamed_and_deleted(world: World) -> None:
    assert world.post(world.mia, "teams/", name="Builders")["Location"] == f"{HERE}team/builders/"
    world.post(world.mia, "team/builders/", username="bob")
    assert world.post(world.mia, "team/builders/", username="zoe").status_code == 200
    assert list(TeamMember.objects.values_list("user__username", flat=True)) == ["bob"]
    assert world.post(world.mia, "team/builders/rename/", name="Docs")["Location"] == f"{HERE}team/docs/"
    assert "taken" not in text(world.mia, f"{HERE}team/docs/")
    assert world.post(world.bob, f"team/docs/members/{world.bob.pk}/remove/").status_code == 302
    assert world.post(world.ada, f"team/docs/members/{world.bob.pk}/remove/").status_code == 404
    world.post(world.mia, "team/docs/delete/", confirmation="Docs")
    assert not Team.objects.exists()


def test_it_is_deleted_only_when_it_owns_nothing_and_its_name_was_typed(world: World) -> None:
    rocket = make_project("rocket", organization=world.acme)
    refused = world.post(world.ada, "delete/", confirmation="Acme")
    assert (refused.status_code, "rocket" in refused.content.decode()) == (409, True)
    rocket.delete()
    assert world.post(world.ada, "delete/", confirmation="acme").status_code == 200
    assert world.post(world.ada, "delete/", confirmation="Acme")["Location"] == LIST
    assert not Organization.objects.exists()


def test_the_history_tells_owners_what_happened(world: World) -> None:
    world.post(world.ada, "settings/", **(ACME | {"description": "Rockets"}))
    world.post(world.ada, "people/", username="zoe", role="Member")
    page = text(world.ada, f"{HERE}history/")
    assert "What the organization says of itself was changed." in page
    assert "zoe was invited." in page
    assert "by ada" in page


def test_the_last_owner_hands_the_organization_over_before_deleting_the_account(world: World) -> None:
    client = signed_in(world.ada)
    assert client.post("/manage/account/delete/", {"confirmation": "ada"}).status_code == 409
    assert "Acme Works" in client.get("/manage/account/delete/").content.decode()
    join(world.acme, world.zoe, MemberRole.OWNER)
    assert client.post("/manage/account/delete/", {"confirmation": "ada"}).status_code == 302


def test_pages_cost_the_same_however_many_people_there_are(world: World) -> None:
    def cost(client: Client) -> int:
        client.get(f"{HERE}people/")
        with CaptureQueriesContext(connection) as asked:
            client.get(f"{HERE}people/")
        return len(asked)

    few = cost(signed_in(world.ada))
    for _ in range(12):
        join(world.acme, make_user())
    assert cost(signed_in(world.ada)) == few


ACCESS = "/manage/project/rocket/collaboration/"


def owned(world: World) -> Project:
    rocket = make_project("rocket", organization=world.acme)
    Role.objects.create(project=rocket, user=world.zoe, name=Role.Name.OWNER)
    return rocket


def test_owners_give_teams_of_the_organization_roles(world: World) -> None:
    rocket, team = owned(world), make_team(world.acme, "Builders", world.bob)
    other = make_team(make_organization("Other"), "Others")
    assert signed_in(world.bob).get(ACCESS).status_code == 404
    page = text(world.ada, ACCESS)
    assert "as an owner of Acme Works" in page
    assert "Others" not in page
    assert world.post(world.ada, f"{ACCESS}team/", team=other.pk, role="Owner").status_code == 404
    world.post(world.ada, f"{ACCESS}team/", team=team.pk, role="Maintainer")
    role = TeamRole.objects.get(project=rocket)
    assert (role.team, role.name) == (team, "Maintainer")
    assert signed_in(world.bob).get(ACCESS).status_code == 403
    world.post(world.zoe, f"{ACCESS}team/{role.pk}/remove/")
    assert not TeamRole.objects.exists()


def test_nobody_changes_the_role_of_a_team_that_they_are_in_but_owners_of_the_organization(world: World) -> None:
    rocket, team = owned(world), make_team(world.acme, "Builders", world.bob, world.ada)
    role = TeamRole.objects.create(project=rocket, team=team, name=Role.Name.OWNER)
    assert world.post(world.bob, f"{ACCESS}team/{role.pk}/remove/").status_code == 403
    assert world.post(world.bob, f"{ACCESS}team/", team=team.pk, role="Maintainer").status_code == 403
    assert world.post(world.ada, f"{ACCESS}team/{role.pk}/remove/").status_code == 302


def test_a_project_moves_between_organizations_by_its_owners_typing_its_name(world: World) -> None:
    rocket, path = owned(world), "/manage/project/rocket/transfer_organization_project/"
    make_organization("Other", owner=world.ada)
    make_organization("Foreign", owner=world.zoe)
    assert world.post(world.zoe, path, organization="foreign", confirmation="rocket").status_code == 403
    assert world.post(world.ada, path, organization="foreign", confirmation="rocket").status_code == 200
    assert world.post(world.ada, path, organization="other", confirmation="roket").status_code == 200
    assert world.post(world.ada, path, organization="other", confirmation="rocket").status_code == 302
    rocket.refresh_from_db()
    assert rocket.organization == Organization.objects.get(name="Other")


def test_an_owner_of_a_project_without_organization_gives_it_to_one(world: World) -> None:
    make_project("rocket", owner=world.mia)
    path = "/manage/project/rocket/transfer_organization_project/"
    assert world.post(world.mia, path, organization="acme", confirmation="rocket").status_code == 302
    assert Project.objects.get().organization == world.acme
    assert signed_in(world.mia).get(ACCESS).status_code == 404


def test_a_project_leaves_its_organization_only_where_somebody_owns_it_then(world: World) -> None:
    rocket, path = owned(world), "/manage/project/rocket/remove_organization_project/"
    Role.objects.update(name=Role.Name.MAINTAINER)
    refused = world.post(world.ada, path, confirmation="rocket")
    assert (refused.status_code, "Nobody would own it" in refused.content.decode()) == (200, True)
    Role.objects.update(name=Role.Name.OWNER)
    assert world.post(world.zoe, path, confirmation="rocket").status_code == 403
    assert world.post(world.ada, path, confirmation="rocket").status_code == 302
    rocket.refresh_from_db()
    assert rocket.organization is None


def test_owners_change_and_take_the_roles_of_others_and_leave_only_where_another_owns_it(world: World) -> None:
    rocket = make_project("rocket", owner=world.zoe)
    helper = Role.objects.create(project=rocket, user=world.bob, name=Role.Name.MAINTAINER)
    own = Role.objects.get(user=world.zoe)
    assert world.post(world.bob, f"{ACCESS}{own.pk}/remove/").status_code == 403
    assert world.post(world.zoe, f"{ACCESS}{own.pk}/role/", role="Maintainer").status_code == 403
    assert world.post(world.zoe, f"{ACCESS}{helper.pk}/role/", role="King").status_code == 404
    world.post(world.zoe, f"{ACCESS}{own.pk}/remove/")
    assert Role.objects.filter(user=world.zoe).exists()
    world.post(world.zoe, f"{ACCESS}{helper.pk}/role/", role="Owner")
    assert world.post(world.zoe, f"{ACCESS}{own.pk}/remove/")["Location"] == "/manage/projects/"
    assert list(Role.objects.values_list("user__username", "name")) == [("bob", "Owner")]
    stranger = Role.objects.create(project=make_project("other"), user=world.zoe, name=Role.Name.OWNER)
    assert world.post(world.bob, f"{ACCESS}{stranger.pk}/remove/").status_code == 404


def test_a_member_of_the_organization_gets_a_role_at_once_and_nobody_else_does(world: World) -> None:
    rocket = owned(world)
    sent = {"member-role": "Maintainer"}
    for username, status in (("bob", 302), ("bob", 404), ("ada", 404), ("zoe", 404)):
        answer = world.post(world.ada, f"{ACCESS}member/", **sent, **{"member-user": username})
        assert (username, answer.status_code) == (username, status)
    assert dict(rocket.roles.values_list("user__username", "name")) == {"zoe": "Owner", "bob": "Maintainer"}
    alone = make_project("alone", owner=world.ada)
    path = f"/manage/project/{alone.name}/collaboration/member/"
    assert world.post(world.ada, path, **sent, **{"member-user": "bob"}).status_code == 404


def test_nobody_takes_names_without_end(world: World, settings: Any) -> None:
    settings.PACKHOUSE = replace(settings.PACKHOUSE, new_projects_per_user=2)
    answers = [world.post(world.mia, "projects/", new=f"fresh-{number}").status_code for number in range(4)]
    assert answers == [302, 302, 429, 429]
    assert world.post(world.ada, "projects/", new="json").status_code == 200  # counts nothing
    assert world.post(world.ada, "projects/", new="another").status_code == 302
    client = signed_in(world.zoe)
    for number in range(11):
        answer = client.post(NEW, ACME | {"name": f"works-{number}"})
    assert (answer.status_code, Member.objects.filter(user=world.zoe).count()) == (429, 10)
