"""Which pages each change has the cache in front forget: the whole table, by the actions that people take."""

from dataclasses import replace

import pytest
from allauth.account.models import EmailAddress
from tests.factories.accounts import make_user
from tests.factories.projects import make_project, publish

from packhouse.accounts.actions import addresses, deletion, users
from packhouse.accounts.facts import UserFact
from packhouse.accounts.models import User
from packhouse.flags.actions import set_flag
from packhouse.organizations.facts import OrganizationFact
from packhouse.pages.purging import KEYS, pages_changed
from packhouse.projects import actions, facts
from packhouse.projects.models import Project, Role
from packhouse.purge.models import Waiting
from packhouse.reactions import REACTIONS

pytestmark = pytest.mark.django_db
QUARANTINED, ARCHIVED = Project.Status.QUARANTINED, Project.Status.ARCHIVED
OWN = {"project/sample"}
LISTS = OWN | {"all-projects", "user/ada"}
NAMES = LISTS | {"simple-index"}


class World:
    """ada owns the project sample, with a release and its file; bob has nothing."""

    def __init__(self):
        self.ada, self.bob = make_user("ada"), make_user("bob")
        self.project = make_project("sample", owner=self.ada)
        self.file = publish(self.project)
        self.release = self.file.release

    def public_address(self):
        """An address that ada shows, and removes again."""
        address = EmailAddress.objects.create(user=self.ada, email="public@users.example", verified=True)
        User.objects.filter(pk=self.ada.pk).update(public_email=address.email)
        return address


CHANGES = {
    "a file of a release that exists": (OWN, lambda it: publish(it.project, "1.0", "sample-1.0-cp313-none-any.whl")),
    "a new release": (LISTS, lambda it: publish(it.project, "2.0")),
    "a yank": (LISTS, lambda it: actions.yank_release(by=None, release=it.release)),
    "a deleted file": (OWN, lambda it: actions.delete_file(by=None, file=it.file)),
    "a deleted release": (LISTS, lambda it: actions.delete_release(by=None, release=it.release)),
    "a deleted project": (NAMES, lambda it: actions.delete_project(by=None, project=it.project)),
    "an archived project": (LISTS, lambda it: actions.set_status(by=None, project=it.project, status=ARCHIVED)),
    "a quarantine": (NAMES, lambda it: actions.set_status(by=None, project=it.project, status=QUARANTINED)),
    "a release's quarantine": (
        LISTS,
        lambda it: actions.set_release_quarantine(by=None, release=it.release, quarantined=True),
    ),
    "a new project": (
        {"project/fresh", "all-projects", "simple-index", "user/bob"},
        lambda it: actions.create_project(name="Fresh", by=it.bob),
    ),
    "a new role": (
        OWN | {"user/bob"},
        lambda it: actions.set_role(by=None, project=it.project, user_id=it.bob.pk, name=Role.Name.MAINTAINER),
    ),
    "a deleted account": (OWN | {"user/ada"}, lambda it: deletion.delete_account(it.ada, by=None)),
    "no provenance any more": ({"integrity"}, lambda it: set_flag(name="disable-pep740", enabled=True)),
    "another flag": (set(), lambda it: set_flag(name="disallow-oidc", enabled=True)),
    "another name": (
        {"user/ada"},
        lambda it: users.change_profile(it.ada, name="Ada Lovelace", public_email="", by=it.ada),
    ),
    "the same name": (set(), lambda it: users.change_profile(it.ada, name=it.ada.name, public_email="", by=it.ada)),
    "a public address that is removed": (
        {"user/ada"},
        lambda it: addresses.remove_address(it.ada, it.public_address(), by=it.ada),
    ),
    "another primary address": (
        OWN | {"user/ada"},
        lambda it: addresses.set_primary_address(
            it.ada,
            EmailAddress.objects.create(user=it.ada, email="ada@elsewhere.example", verified=True),
            by=None,
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_has_just_those_pages_forgotten_that_show_it(settings, change):
    world = World()
    settings.PACKHOUSE = replace(settings.PACKHOUSE, purge="varnish://127.0.0.1")
    keys, happen = CHANGES[change]
    happen(world)
    assert set(Waiting.objects.values_list("key", flat=True)) == keys


def test_without_a_cache_in_front_a_change_notes_nothing(django_assert_num_queries):
    world = World()
    with django_assert_num_queries(0):
        pages_changed(facts.ReleaseYanked(world.project.pk, "sample", 1, world.release.pk, "1"))
    actions.yank_release(by=None, release=world.release)
    assert not Waiting.objects.exists()


def test_every_fact_about_what_pages_show_has_its_keys():
    """Those that are left out come with another fact in the same transaction."""
    bases = (facts.ProjectFact, UserFact, OrganizationFact)
    declared = {fact.__name__ for base in bases for fact in base.__subclasses__()} | {"FlagTurned", "BlobsRemoved"}
    assert declared - {"ReleaseCreated", "ProvenanceAdded", "WithheldFilesDeleted"} == {fact.__name__ for fact in KEYS}
    for fact in KEYS:
        assert pages_changed in REACTIONS[fact].handlers, fact
