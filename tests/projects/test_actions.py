"""Changing projects: rows, journal, serial, trail and facts, all or nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError
from tests.factories.accounts import make_user
from tests.factories.projects import make_project, publish

from packhouse.audit.models import Event
from packhouse.base.facts import Reaction
from packhouse.projects import actions, facts
from packhouse.projects.models import File, Filename, JournalEntry, ProhibitedName, Project, Role
from packhouse.specs.errors import Refused

pytestmark = pytest.mark.django_db

heard: list[Any] = []
LISTENERS = {
    kind: Reaction(handlers=[heard.append])
    for kind in vars(facts).values()
    if isinstance(kind, type) and issubclass(kind, facts.ProjectFact)
}


@pytest.fixture(autouse=True)
def _listen(settings: Any) -> Iterator[None]:
    heard.clear()
    settings.PACKHOUSE_REACTIONS = f"{__name__}.LISTENERS"
    yield
    heard.clear()


def journal() -> list[tuple[str, str | None, str]]:
    return list(JournalEntry.objects.order_by("pk").values_list("name", "version", "action"))


def trail(*, kind: str = "") -> list[str]:
    """The tags of all events but those of people, or of those on *kind* of subject alone."""
    events = Event.objects.filter(subject_kind=kind) if kind else Event.objects.exclude(subject_kind="user")
    return list(events.order_by("pk").values_list("tag", flat=True))


def test_a_project_is_created_with_its_owner_journal_trail_and_facts() -> None:
    user = make_user("ada")
    project = actions.create_project(name="Sample.Project", by=user)

    assert journal() == [("Sample.Project", None, "create"), ("Sample.Project", None, "add Owner ada")]
    assert set(JournalEntry.objects.values_list("submitted_by", flat=True)) == {user.pk}
    project.refresh_from_db()
    assert project.last_serial == JournalEntry.objects.latest("pk").pk
    assert list(project.roles.values_list("user__username", "name")) == [("ada", "Owner")]
    assert trail() == ["project:create", "role:add"]
    assert heard == [
        facts.ProjectCreated(project.pk, "sample-project", project.last_serial),
        facts.RoleChanged(project.pk, "sample-project", project.last_serial, user.pk, "", "Owner"),
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("sample.project", "project-name-exists"),
        ("5ample-pr0ject", None),
        ("SAMP1EPROJECT", "project-name-too-similar"),
        ("closed", "project-name-prohibited"),
        ("json", "name-is-standard-library"),
        ("-x", "name-invalid"),
    ],
)
def test_a_name_that_cannot_be_had_leaves_nothing_behind(name: str, code: str | None) -> None:
    make_project("Sample-Project")
    ProhibitedName.objects.create(normalized_name="closed")
    if code is None:
        actions.create_project(name=name, by=None)
        return
    with pytest.raises(Refused) as refused:
        actions.create_project(name=name, by=make_user())
    assert refused.value.code == code
    assert (Project.objects.count(), journal(), trail(), heard) == (1, [], [], [])


def test_the_first_file_of_a_version_makes_its_release() -> None:
    user, project = make_user(), make_project()
    project.name = "Sample"
    file = publish(project, "1.0", by=user)

    project.refresh_from_db()
    assert journal() == [
        ("Sample", "1.0", "new release"),
        ("Sample", "1.0", "add py3 file sample-1.0-py3-none-any.whl"),
    ]
    assert (project.name, project.total_size) == ("Sample", 10)
    assert project.last_serial == JournalEntry.objects.latest("pk").pk
    assert Filename.objects.filter(filename=file.filename).exists()
    assert trail() == ["release:add", "file:add"]
    assert [type(fact) for fact in heard] == [facts.ReleaseCreated, facts.FilePublished]
    assert (heard[1].new_release, heard[1].former_name, heard[1].serial) == (True, "sample", project.last_serial)


def test_a_second_file_joins_the_release_of_an_equal_version() -> None:
    project = make_project()
    first = publish(project, "1.0")
    second = publish(project, "1.0.0", "sample-1.0.0-py3-none-any.whl")
    assert second.release_id == first.release_id
    assert journal()[-1] == ("sample", "1.0", "add py3 file sample-1.0.0-py3-none-any.whl")
    assert heard[-1].new_release is False


def test_a_project_never_outgrows_its_limit() -> None:
    project = make_project()
    publish(project, "1.0", size=60, limit=100)
    with pytest.raises(actions.ProjectFull):
        publish(project, "2.0", size=41, limit=100)
    project.refresh_from_db()
    assert (project.total_size, File.objects.count(), len(journal())) == (60, 1, 2)


def test_a_deleted_files_name_is_never_free_again() -> None:
    project = make_project()
    file = publish(project)
    actions.delete_file(by=None, file=file)
    with pytest.raises(IntegrityError):
        publish(project)
    project.refresh_from_db()
    assert project.total_size == 0
    assert journal()[-1] == ("sample", "1.0", "remove file sample-1.0-py3-none-any.whl")
    assert (heard[-1].path, heard[-1].sort_key) == (file.path, bytes(file.sort_key))


def test_deleting_a_release_takes_its_files() -> None:
    project = make_project()
    file = publish(project)
    actions.delete_release(by=None, release=file.release)
    project.refresh_from_db()
    assert (project.total_size, project.files.count(), project.releases.count()) == (0, 0, 0)
    assert journal()[-1] == ("sample", "1.0", "remove release")
    assert heard[-1] == facts.ReleaseDeleted(
        project.pk, "sample", project.last_serial, "1", (bytes(file.sort_key),), (file.path,)
    )


def test_deleting_a_project_frees_its_name_and_tells_what_it_had() -> None:
    owner = make_user("ada")
    project = make_project(owner=owner)
    file = publish(project)
    actions.delete_project(by=None, project=project)
    newest = JournalEntry.objects.latest("pk")
    assert (newest.name, newest.version, newest.action) == ("sample", None, "remove project")
    assert heard[-1] == facts.ProjectDeleted(project.pk, "sample", newest.pk, ("1",), (file.path,), (owner.pk,))
    actions.create_project(name="sample", by=None)
    assert Filename.objects.filter(filename=file.filename).exists()


def test_yanking_and_unyanking_are_journalled_once() -> None:
    release = publish(make_project()).release
    for _ in range(2):
        release = actions.yank_release(by=None, release=release, reason="broken")
    assert (release.yanked, release.yanked_reason) == (True, "broken")
    assert release.yanked_at is not None
    for _ in range(2):
        release = actions.unyank_release(by=None, release=release)
    assert (release.yanked, release.yanked_reason, release.yanked_at) == (False, "", None)
    assert [action for _, _, action in journal()[2:]] == ["yank release", "unyank release"]
    assert [type(fact) for fact in heard[2:]] == [facts.ReleaseYanked, facts.ReleaseUnyanked]


def test_quarantine_moves_the_serial_and_archiving_does_not() -> None:
    project = make_project()
    publish(project)
    serial = JournalEntry.objects.latest("pk").pk
    project = actions.set_status(by=None, project=project, status=Project.Status.ARCHIVED)
    assert (project.last_serial, heard[-1].serial) == (serial, serial)
    actions.set_status(by=None, project=project, status=Project.Status.QUARANTINED, reason="malware")
    actions.set_status(by=None, project=project, status=Project.Status.ACTIVE)
    assert [action for _, _, action in journal()[2:]] == ["project quarantined", "project quarantine cleared"]
    assert trail()[2:] == ["archive:enter", "archive:exit", "quarantine:enter", "quarantine:exit"]
    assert [(fact.before, fact.after) for fact in heard[2:]] == [
        ("active", "archived"),
        ("archived", "quarantined"),
        ("quarantined", "active"),
    ]


def test_a_release_can_be_quarantined_alone() -> None:
    release = publish(make_project()).release
    actions.set_release_quarantine(by=None, release=release, quarantined=True)
    actions.set_release_quarantine(by=None, release=release, quarantined=False)
    assert [action for _, _, action in journal()[2:]] == ["release quarantined", "release quarantine cleared"]


def test_roles_change_under_the_journal_and_one_owner_stays() -> None:
    ada, bob = make_user("ada"), make_user("bob")
    project = make_project(owner=ada)
    actions.set_role(by=ada, project=project, user_id=bob.pk, name=Role.Name.MAINTAINER)
    for attempt in (
        lambda: actions.set_role(by=ada, project=project, user_id=ada.pk, name=Role.Name.MAINTAINER),
        lambda: actions.remove_role(by=ada, project=project, user_id=ada.pk),
    ):
        with pytest.raises(actions.LastOwner):
            attempt()
    actions.set_role(by=ada, project=project, user_id=bob.pk, name=Role.Name.OWNER)
    actions.remove_role(by=ada, project=project, user_id=ada.pk)
    assert [action for _, _, action in journal()] == [
        "add Maintainer bob",
        "change Maintainer bob to Owner",
        "remove Owner ada",
    ]
    assert trail() == trail(kind="user") == ["role:add", "role:change", "role:remove"]
