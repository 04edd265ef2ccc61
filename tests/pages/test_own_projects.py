"""``/manage/projects/``, where signing in ends."""

import pytest
from django.test import Client
from tests.factories.accounts import make_token, make_user, signed_in
from tests.factories.projects import make_project

from packhouse.projects.models import Project, Role

pytestmark = pytest.mark.django_db
PATH = "/manage/projects/"


def test_it_lists_the_projects_on_which_one_has_a_role_whatever_their_state() -> None:
    user = make_user("ada")
    make_project("mine", owner=user)
    make_project("held", owner=user, status=Project.Status.QUARANTINED)
    Role.objects.create(user=user, project=make_project("helped"), name=Role.Name.MAINTAINER)
    make_project("of-others", owner=make_user())
    page = signed_in(user).get(PATH).content.decode()
    assert all(name in page for name in ("mine", "held", "helped", "Quarantined", "Owner", "Maintainer"))
    assert "of-others" not in page
    assert "/manage/account/token/create/?project=helped" in page


def test_whoever_publishes_nothing_is_told_what_comes_first() -> None:
    user = make_user("ada", two_factor=False)
    assert signed_in(user).get(PATH).content.decode().count("Done") == 0
    user = make_user("grace")
    make_token(user)
    assert signed_in(user).get(PATH).content.decode().count("Done") == 2


def test_the_list_costs_the_same_however_long_it_is(django_assert_max_num_queries: object) -> None:
    user = make_user("ada")
    for number in range(12):
        make_project(f"project-{number}", owner=user)
    client: Client = signed_in(user)
    client.get(PATH)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        client.get(PATH)
