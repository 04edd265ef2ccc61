"""The pages of organizations."""

from tests.browser.driving import Listed
from tests.factories.accounts import make_user
from tests.factories.organizations import join, make_organization, make_team
from tests.factories.projects import make_project, publish

HERE = "/manage/organization/acme/"


def founded():
    """The owner of an organization with people, teams, projects, invitations and a history."""
    from packhouse.organizations import actions
    from packhouse.organizations.models import MemberRole
    from packhouse.projects import belonging
    from packhouse.projects.models import Role

    ada, mia, bob = make_user("ada"), make_user("mia"), make_user("bob.with.a.rather.long.name.of.forty.letters")
    acme = make_organization("acme", owner=ada, kind="company", link_url="https://acme.example/", description="Boxes")
    join(acme, mia, MemberRole.MANAGER)
    join(acme, bob)
    make_user("zoe")
    team = make_team(acme, "Builders of crates", bob)
    for name in ("barrels", "crates"):
        publish(make_project(name, organization=acme), "3.1.4")
    crates = acme.projects.get(name="crates")
    Role.objects.create(project=crates, user=mia, name=Role.Name.MAINTAINER)
    belonging.set_team_role(by=ada, project=crates, team=team, name=Role.Name.OWNER)
    make_project("mine", owner=ada)
    actions.invite_member(by=ada, organization=acme, user=make_user("guest"), role=MemberRole.MEMBER)
    return ada


def concerned():
    """Somebody with a role, an invitation, and requests in every state."""
    from packhouse.organizations import actions
    from packhouse.organizations.models import Application, MemberRole

    user = make_user("ada")
    join(make_organization("acme"), user, MemberRole.MANAGER)
    join(make_organization("resting", is_active=False), user)
    actions.invite_member(
        by=make_user("host"), organization=make_organization("hosts"), user=user, role=MemberRole.MEMBER
    )
    for name, state in (("laboratory", "waiting"), ("observatory", "declined")):
        asked = actions.apply(by=user, name=name, display_name=name, usage="Instruments and their firmware")
        Application.objects.filter(pk=asked.pk).update(state=state, message="We know you too little")
    return user


def _submit(page):
    with page.expect_navigation():
        page.locator("main form[method=post] button.primary").last.click()


def _open_invitation(page):
    from packhouse.accounts import links
    from packhouse.organizations.models import Invitation

    secret = links.new_secret()
    Invitation.objects.update(digest=links.digest(secret))
    page.goto(f"/account/verify-organization-role/?token={secret}")


PAGES = [
    Listed("organizations", "/manage/organizations/", concerned),
    Listed("organizations-none", "/manage/organizations/", make_user),
    Listed("organization-new", "/manage/organizations/new/", make_user),
    Listed("organization-new-wrong", "/manage/organizations/new/", make_user, _submit),
    Listed("organization-people", f"{HERE}people/", founded),
    Listed("organization-projects", f"{HERE}projects/", founded),
    Listed("organization-teams", f"{HERE}teams/", founded),
    Listed("organization-team", f"{HERE}team/builders-of-crates/", founded),
    Listed("organization-settings", f"{HERE}settings/", founded),
    Listed("organization-history", f"{HERE}history/", founded),
    Listed("organization-kept", f"{HERE}delete/", founded),
    Listed("project-access", "/manage/project/crates/collaboration/", founded),
    Listed("project-transfer", "/manage/project/mine/transfer_organization_project/", founded),
    Listed("organization-invitation", "/manage/organizations/", concerned, _open_invitation),
]
