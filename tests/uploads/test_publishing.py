"""A good upload, and what follows from it."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.factories.accounts import make_token, make_user
from tests.factories.organizations import join, make_organization, make_team
from tests.factories.projects import make_project
from tests.uploads.publishing import sdist, upload, wheel

from packhouse.audit.models import Event
from packhouse.documents.actions import serial_lock
from packhouse.files import default_store, key_for
from packhouse.organizations.models import MemberRole
from packhouse.projects.models import Description, File, Filename, JournalEntry, Project, Release, TeamRole
from packhouse.uploads import checks, record

pytestmark = pytest.mark.django_db

METADATA = """\
Metadata-Version: 2.4
Name: Demo
Version: 1.0
Summary: A demonstration
Requires-Python: >=3.11
Project-URL: Home, http://127.0.0.1:8080/project/demo/
Project-URL: Elsewhere, https://example.org/
Description-Content-Type: text/markdown

# Demo
"""


def test_a_good_wheel_is_published_with_all_that_belongs_to_it() -> None:
    user = make_user("ada")
    _, token = make_token(user)
    filename, content = wheel(metadata=METADATA, sboms={"bom.json": b"{}"})
    blake2 = hashlib.blake2b(content, digest_size=32).hexdigest()
    path = f"{blake2[:2]}/{blake2[2:4]}/{blake2[4:]}/{filename}"

    answer = upload((filename, content), token=token, headers={"User-Agent": "twine/7"})

    assert (answer.status_code, answer.content) == (200, b"")
    assert '"project.create.user";q=20;w=3600;pk=:user:' in answer["RateLimit-Policy"]
    project = Project.objects.get()
    assert (project.name, project.normalized_name, project.total_size) == ("Demo", "demo", len(content))
    assert list(project.roles.values_list("user__username", "name")) == [("ada", "Owner")]
    release = Release.objects.get()
    assert (release.version, release.canonical_version, release.summary) == ("1.0", "1", "A demonstration")
    assert (release.requires_python, release.uploader, release.uploaded_via) == (">=3.11", user, "twine/7")
    assert release.verified == ["http://127.0.0.1:8080/project/demo/"]
    assert release.metadata["project_url"][1] == "Elsewhere, https://example.org/"
    assert "<h2" in Description.objects.get().html
    file = File.objects.get()
    assert (file.filename, file.packagetype, file.python_version, file.size) == (
        filename,
        "bdist_wheel",
        "py3",
        len(content),
    )
    assert (file.path, file.blake2_256, file.sha256) == (path, blake2, hashlib.sha256(content).hexdigest())
    assert file.metadata_sha256 == hashlib.sha256(METADATA.encode()).hexdigest()
    assert file.sboms == ["demo-1.0.dist-info/sboms/bom.json"]
    assert Filename.objects.get().filename == filename
    assert default_store().read(path) == content
    assert default_store().read(f"{path}.metadata") == METADATA.encode()
    journal = JournalEntry.objects.order_by("pk")
    assert [(entry.name, entry.version, entry.action, entry.submitted_by) for entry in journal] == [
        ("Demo", None, "create", user),
        ("Demo", None, "add Owner ada", user),
        ("Demo", "1.0", "new release", user),
        ("Demo", "1.0", f"add py3 file {filename}", user),
    ]
    assert project.last_serial == journal.last().pk
    events = Event.objects.filter(actor="ada").order_by("pk").values_list("tag", flat=True)
    assert list(events) == ["project:create", "role:add", "role:add", "release:add", "file:add"]


def test_a_project_with_hundreds_of_extras_is_published() -> None:
    """As packages of type stubs have them: more than thirteen hundred fields."""
    _, token = make_token(make_user("ada"))
    extras = [f"extra-{number}" for number in range(450)]
    needs = [f'part-{number}>=1.0; extra == "extra-{number // 2}"' for number in range(900)]
    lines = [f"Provides-Extra: {extra}\n" for extra in extras] + [f"Requires-Dist: {need}\n" for need in needs]
    metadata = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nSummary: A demonstration\n" + "".join(lines)
    more = [("provides_extra", extra) for extra in extras] + [("requires_dist", need) for need in needs]
    assert upload(wheel(metadata=metadata), token=token, more=more).status_code == 200
    assert len(File.objects.get().release.metadata["requires_dist"]) == 900


@pytest.mark.parametrize("way", ["owner of the organization", "team"])
def test_what_gives_somebody_a_role_on_a_project_lets_them_upload_to_it(way: str) -> None:
    user = make_user("ada", public_email="ada@users.example")
    acme = make_organization("acme")
    project = make_project("Demo", organization=acme)
    if way == "team":
        join(acme, user)
        TeamRole.objects.create(team=make_team(acme, "Builders", user), project=project, name="Maintainer")
    else:
        join(acme, user, MemberRole.OWNER)
    _, token = make_token(user, projects=[project])
    assert upload(wheel(metadata=METADATA), token=token).status_code == 200
    assert not project.roles.exists()
    assert (File.objects.get().uploader, project.releases.count()) == (user, 1)


def test_members_without_a_role_on_the_project_do_not_upload_to_it() -> None:
    user = make_user("ada")
    acme = make_organization("acme")
    join(acme, user, MemberRole.MANAGER)
    make_project("Demo", organization=acme)
    answer = upload(token=make_token(user)[1])
    assert (answer.status_code, File.objects.count()) == (403, 0)


def test_an_upload_that_waits_for_its_turn_too_long_goes_on_without_and_turns_are_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record, "PATIENCE", 0.01)
    turns = threading.Semaphore(1)
    monkeypatch.setattr(record, "_turns", lambda: turns)
    _, token = make_token(make_user("ada"))
    with turns:
        assert upload(token=token).status_code == 200
        assert not turns.acquire(blocking=False)  # nobody gave back what they had not
    assert upload(sdist(), token=token).status_code == 200
    assert turns.acquire(blocking=False)
    assert not turns.acquire(blocking=False)


def test_a_wheel_and_an_sdist_share_their_release() -> None:
    _, token = make_token()
    assert upload(token=token).status_code == 200
    answer = upload(sdist(), token=token)
    assert answer.status_code == 200
    assert "RateLimit" not in answer
    assert (Release.objects.count(), sorted(File.objects.values_list("python_version", flat=True))) == (
        1,
        ["py3", "source"],
    )
    assert not File.objects.get(packagetype="sdist").metadata_sha256


def test_the_same_file_again_is_welcome_and_changes_nothing() -> None:
    _, token = make_token()
    upload(token=token)
    before = (JournalEntry.objects.count(), Event.objects.count())
    assert upload(token=token).status_code == 200
    assert (JournalEntry.objects.count(), Event.objects.count()) == before
    assert upload(token="").status_code == 403


@pytest.mark.parametrize("make", [wheel, sdist])
def test_the_same_file_is_welcome_though_another_request_publishes_it_between_two_checks(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], tuple[str, bytes]]
) -> None:
    _, token = make_token()
    assert upload(make(), token=token).status_code == 200
    really, asked = checks._SAME.objects, list[object]()

    def not_yet(*question: Any) -> Any:
        asked.append(question)
        return really(*question) if len(asked) > 1 else []

    monkeypatch.setattr(checks._SAME, "objects", not_yet)
    assert upload(make(), token=token).status_code == 200
    assert len(asked) == 2


def test_the_same_file_is_welcome_where_there_is_no_room_for_another(settings: Any) -> None:
    _, token = make_token()
    upload(token=token)
    settings.PACKHOUSE = replace(settings.PACKHOUSE, project_size_limit=1)
    assert upload(token=token).status_code == 200
    assert upload(version="2.0", token=token)["X-Packhouse-Reason"] == "project-too-large"


def test_a_retry_puts_back_what_the_blob_store_has_lost() -> None:
    _, token = make_token()
    upload(token=token)
    path, store = File.objects.get().path, default_store()
    metadata = store.read(f"{path}.metadata")
    store.delete(path)
    store.delete(f"{path}.metadata")
    assert upload(token=token).status_code == 200
    assert store.read(path) == wheel()[1]
    assert store.read(f"{path}.metadata") == metadata


@pytest.mark.parametrize("left", [True, False], ids=["left by an earlier attempt", "new, but the clock has jumped"])
def test_a_blob_swept_between_storing_and_recording_is_stored_again(
    monkeypatch: pytest.MonkeyPatch, left: bool
) -> None:
    """``reconcile`` takes it for an orphan and deletes it under the serial lock right before this upload."""
    _, token = make_token(make_user("ada"))
    filename, content = wheel(files={"left.py" if left else "new.py": b""})
    blake2 = hashlib.blake2b(content, digest_size=32).hexdigest()
    key, store = key_for(blake2, filename), default_store()
    if left:
        store.put(key, content, size=len(content), sha256_hex=hashlib.sha256(content).hexdigest())
    sweeps = [key]

    def lock_after_a_sweep() -> None:
        if sweeps:
            store.delete(sweeps.pop())
        serial_lock()

    monkeypatch.setattr("packhouse.projects.ledger.serial_lock", lock_after_a_sweep)

    answer = upload((filename, content), token=token)

    assert (answer.status_code, sweeps) == (200, [])
    assert store.read(key) == content
    assert File.objects.count() == JournalEntry.objects.filter(action__startswith="add py3 file").count() == 1
