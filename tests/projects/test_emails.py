"""Who is told what happens to a project."""

import pytest
from tests.factories.accounts import make_user
from tests.factories.projects import make_project, publish

from packhouse.mail.models import Letter
from packhouse.projects import actions
from packhouse.projects.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make_user("ada")


@pytest.fixture
def bob():
    return make_user("bob")


@pytest.fixture
def project(ada):
    return make_project("Sample", owner=ada)


def told():
    """(letter, to whom) of what has been written since the last time this was asked."""
    found = {(letter.name, letter.to.partition("@")[0]) for letter in Letter.objects.all()}
    Letter.objects.all().delete()
    return found


def test_a_role_is_told_to_who_has_it_and_to_the_owners(project, ada, bob):
    actions.set_role(by=ada, project=project, user_id=bob.pk, name=Role.Name.MAINTAINER)
    letter = Letter.objects.get(to=bob.email)
    assert letter.subject == "[Packhouse] You are now a collaborator of Sample"
    assert "Role: Maintainer" in letter.text
    assert "Done by: ada" in letter.text
    assert told() == {("added-as-collaborator", "bob"), ("collaborator-added", "ada")}
    actions.set_role(by=ada, project=project, user_id=bob.pk, name=Role.Name.MAINTAINER)
    assert told() == set()
    actions.set_role(by=ada, project=project, user_id=bob.pk, name=Role.Name.OWNER)
    assert told() == {("role-changed-as-collaborator", "bob"), ("collaborator-role-changed", "ada")}
    actions.remove_role(by=bob, project=project, user_id=ada.pk)
    assert told() == {("removed-as-collaborator", "ada"), ("collaborator-removed", "bob")}


def test_a_new_project_is_no_news_to_who_starts_it(ada):
    actions.create_project(name="fresh", by=ada)
    assert told() == set()


def test_what_is_yanked_or_deleted_is_told_to_all_collaborators(project, ada, bob):
    Role.objects.create(user=bob, project=project, name=Role.Name.MAINTAINER)
    first, second = publish(project, "1.0"), publish(project, "2.0")
    assert told() == set()

    actions.yank_release(by=ada, release=first.release, reason="broken")
    assert "Reason: broken" in Letter.objects.filter(to=bob.email).get().text
    assert told() == {("yanked-project-release", "ada"), ("yanked-project-release", "bob")}
    actions.unyank_release(by=ada, release=first.release)
    assert told() == {("unyanked-project-release", "ada"), ("unyanked-project-release", "bob")}
    actions.delete_file(by=ada, file=first)
    assert told() == {("removed-project-release-file", "ada"), ("removed-project-release-file", "bob")}
    actions.delete_release(by=ada, release=second.release)
    assert told() == {("removed-project-release", "ada"), ("removed-project-release", "bob")}
    actions.delete_project(by=ada, project=project)
    assert told() == {("removed-project", "ada"), ("removed-project", "bob")}
