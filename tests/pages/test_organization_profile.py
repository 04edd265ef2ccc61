"""``/org/{name}/``, and wherever else a project's organization is named."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from tests.factories.accounts import make_user
from tests.factories.organizations import make_organization
from tests.factories.projects import make_project, publish
from tests.index.world import everything, everything_anew, page

from packhouse.organizations import actions
from packhouse.organizations.models import MemberRole
from packhouse.projects import belonging
from packhouse.projects.models import Project, Role
from packhouse.purge.models import Waiting

pytestmark = pytest.mark.django_db


def text(path: str) -> str:
    return Client().get(path).content.decode()


def test_it_says_what_the_organization_says_of_itself_and_what_it_publishes() -> None:
    about = {"description": "We make <rockets>", "link_url": "https://acme.example/works"}
    acme = make_organization("Acme", owner=make_user("ada"), **about)
    publish(make_project("rocket", organization=acme))
    publish(make_project("held", organization=acme, status=Project.Status.QUARANTINED))
    make_project("empty", organization=acme)
    publish(make_project("of-others"))
    answer = Client().get("/org/Acme/")
    shown = answer.content.decode()
    assert (answer.status_code, answer["Surrogate-Key"]) == (200, "org/acme all-html")
    assert answer["Cache-Control"].startswith("public")
    for said in ("Acme Works", "We make &lt;rockets&gt;", "acme.example", "/project/rocket/", 'content="noindex"'):
        assert said in shown
    for hidden in ("/project/held/", "/project/empty/", "/project/of-others/", "ada"):
        assert hidden not in shown


@pytest.mark.parametrize("path", ["/org/ACME", "/org/acme/", "/org/Acme"])
def test_another_spelling_leads_to_the_right_one_in_one_hop(path: str) -> None:
    make_organization("Acme")
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (301, "/org/Acme/")


def test_an_organization_that_rests_is_shown_nowhere() -> None:
    acme = make_organization("Acme", is_active=False)
    publish(make_project("rocket", organization=acme))
    assert Client().get("/org/Acme/").status_code == 404
    assert Client().get("/org/nowhere/").status_code == 404
    assert "/org/" not in text("/project/rocket/")


def test_project_pages_and_profiles_name_the_organization() -> None:
    ada = make_user("ada")
    acme = make_organization("Acme", owner=ada)
    publish(make_project("rocket", organization=acme))
    assert '<a href="/org/Acme/">' in text("/project/rocket/")
    assert 'href="/org/Acme/"' in text("/user/ada/")


def test_the_json_api_names_the_organization_from_the_very_change_on() -> None:
    ada = make_user("ada")
    acme = make_organization("Acme", owner=ada)
    rocket = make_project("rocket", owner=ada)
    Role.objects.create(project=rocket, user=make_user("bob"), name=Role.Name.OWNER)
    publish(rocket)

    def ownership() -> Any:
        return json.loads(page("project/rocket"))["ownership"]

    bob = {"role": "Owner", "user": "bob"}
    assert ownership() == {"organization": None, "roles": [{"role": "Owner", "user": "ada"}, bob]}
    belonging.move_project(by=ada, project=rocket, organization=acme)
    assert ownership() == {"organization": "Acme", "roles": [bob]}
    belonging.move_project(by=ada, project=rocket, organization=None)
    assert ownership() == {"organization": None, "roles": [bob]}
    belonging.move_project(by=ada, project=rocket, organization=acme)
    stored = everything()
    assert stored == {key: anew for key, anew in everything_anew().items() if key in stored}


def test_pages_that_show_a_change_are_forgotten(settings: Any) -> None:
    ada, bob = make_user("ada"), make_user("bob")
    acme = make_organization("Acme", owner=ada)
    rocket = make_project("rocket", organization=acme)
    settings.PACKHOUSE = replace(settings.PACKHOUSE, purge="varnish://127.0.0.1")

    def forgotten(change: Any) -> set[str]:
        Waiting.objects.all().delete()
        change()
        return set(Waiting.objects.values_list("key", flat=True))

    renamed = {"display_name": "Acme Incorporated"}
    member = MemberRole.MEMBER
    assert forgotten(lambda: publish(rocket)) == {"project/rocket", "all-projects", "org/acme"}
    assert forgotten(lambda: actions.update_organization(by=None, organization=acme, changes=renamed)) == {
        *("org/acme", "project/rocket", "user/ada")
    }
    assert forgotten(lambda: actions.add_member(by=None, organization=acme, user=bob, role=member)) == {
        *("org/acme", "user/bob")
    }
    Role.objects.create(project=rocket, user=bob, name=Role.Name.OWNER)
    assert forgotten(lambda: belonging.move_project(by=ada, project=rocket, organization=None)) == {
        *("org/acme", "project/rocket")
    }
    assert forgotten(lambda: actions.delete_organization(by=None, organization=acme)) == {
        *("org/acme", "user/ada", "user/bob")
    }
