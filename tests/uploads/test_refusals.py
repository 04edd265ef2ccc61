"""Every refusal, by its reason: the same good upload, with one thing wrong."""

import base64
import dataclasses
import hashlib
import json
import re
import resource
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, OperationalError
from django.test import Client
from tests.factories.accounts import make_token, make_user
from tests.factories.organizations import make_organization
from tests.factories.projects import make_project
from tests.uploads.publishing import body_of, credentials, fields_for, post, sdist, upload, wheel

from packhouse.accounts.actions import ban
from packhouse.accounts.models import User
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.base.facts import Reaction
from packhouse.flags.actions import set_flag
from packhouse.flags.queries import forget
from packhouse.mail.models import Letter
from packhouse.projects import actions
from packhouse.projects.facts import FilePublished
from packhouse.projects.models import File, Filename, JournalEntry, ProhibitedName, Project, Release, Role
from packhouse.specs.archives.inspector import InspectorUnavailable
from packhouse.specs.archives.reasons import REASONS as ARCHIVE_REASONS
from packhouse.uploads import opening, record
from packhouse.uploads.reasons import REASONS, TOPICS

pytestmark = pytest.mark.django_db

RST = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nSummary: A demonstration\n\n.. no-such-directive::\n\n`x\n"


class World:
    """Ada and her token, on an index whose settings a test may turn."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.ada = make_user("ada")
        _, self.token = make_token(self.ada, "laptop")

    def upload(self, *args: Any, **kwargs: Any) -> Any:
        return upload(*args, **({"token": self.token} | kwargs))

    def set(self, **values: Any) -> None:
        self.settings.PACKHOUSE = dataclasses.replace(self.settings.PACKHOUSE, **values)

    def flag(self, name: str) -> None:
        set_flag(name=name, enabled=True)
        forget()

    def publish(self, *args: Any, **kwargs: Any) -> File:
        """A file that is published already, so that Ada owns the project ``demo``."""
        assert self.upload(*args, **kwargs).status_code == 200
        return File.objects.latest("pk")


@pytest.fixture
def world(settings: Any) -> World:
    forget()
    return World(settings)


def flagged(name: str) -> Callable[[World], Any]:
    return lambda world: (world.flag(name), world.upload())[1]


def changed(**fields: Any) -> Callable[[World], Any]:
    return lambda world: world.upload(change=fields)


def sent(authorization: str) -> Callable[[World], Any]:
    return lambda world: upload(headers={"Authorization": authorization})


def registering(action: str) -> Callable[[World], Any]:
    return lambda world: world.upload(change={":action": action})


def without_address(world: World) -> Any:
    EmailAddress.objects.filter(user=world.ada).update(verified=False)
    return world.upload()


def without_second_factor(world: World) -> Any:
    world.set(require_two_factor="publishers")
    Authenticator.objects.filter(user=world.ada).delete()
    return world.upload()


def many_projects(world: World) -> Any:
    world.set(new_projects_per_user=3)
    for number in range(3):
        assert world.upload(name=f"many{number:02}x").status_code == 200
    answer = world.upload(name="one-too-many")
    assert '"project.create.user";r=0' in answer["RateLimit"]
    return answer


def no_creation(world: World) -> Any:
    world.set(upload_creates_projects=False)
    return world.upload()


def named(name: str, *, taken: str = "") -> Callable[[World], Any]:
    def attempt(world: World) -> Any:
        if taken:
            make_project(taken)
        return world.upload(name=name)

    return attempt


def prohibited(world: World) -> Any:
    ProhibitedName.objects.create(normalized_name="demo")
    return world.upload()


def token_for_another_project(world: World) -> Any:
    _, token = make_token(world.ada, projects=[make_project("other", owner=world.ada)])
    return upload(token=token)


def somebody_elses(world: World) -> Any:
    make_project("demo", owner=make_user("bob"))
    return world.upload()


def archived(world: World) -> Any:
    make_project("demo", owner=world.ada, status=Project.Status.ARCHIVED)
    return world.upload()


def resting(world: World) -> Any:
    make_project("demo", organization=make_organization("acme", owner=world.ada, is_active=False))
    return world.upload()


def too_large(world: World) -> Any:
    world.set(file_size_limit=100)
    return world.upload()


def project_too_large(world: World) -> Any:
    size = world.publish().size
    world.set(project_size_limit=size + 10)
    return world.upload(version="2.0")


def exists(world: World) -> Any:
    world.publish()
    return world.upload(wheel(files={"demo.py": b"other"}))


def reused(world: World) -> Any:
    actions.delete_file(by=None, file=world.publish())
    return world.upload()


def closed(world: World) -> Any:
    world.publish()
    with time_machine.travel(clock.now() + timedelta(days=14, minutes=1)):
        return world.upload(sdist())


def second_sdist(world: World) -> Any:
    world.publish(sdist())
    File.objects.update(filename="demo-1.0.0.tar.gz")  # as a former index may have let it in
    Filename.objects.all().delete()
    return world.upload(sdist(files={"other.py": b""}))


def disagreeing(world: World) -> Any:
    answer = world.upload(change={"summary": "Something else"})
    assert b"Summary" in answer.content
    return answer


def attested(world: World) -> Any:
    return world.upload(change={"attestations": "[]"})


def unrendered(world: World) -> Any:
    return world.upload(wheel(metadata=RST))


def store_away(world: World) -> Any:
    world.set(files="file:///proc/no/such/place")
    return world.upload()


def no_inspector(world: World) -> Any:
    def busy(*_: object, **__: object) -> None:
        raise InspectorUnavailable("All inspectors are busy.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening.INSPECTOR, "inspect", busy)
        return world.upload()


def disk_full(world: World) -> Any:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * 1024**2, before[1]))
    try:
        return world.upload(("demo-1.0-py3-none-any.whl", bytes(5 * 1024**2)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def database_away(world: World) -> Any:
    """The connection breaks while the file is recorded, and no other can be made."""

    def broken(*_: object) -> None:
        raise OperationalError("the connection is lost")

    gone = SimpleNamespace(in_atomic_block=False, connection=None, close_if_unusable_or_obsolete=lambda: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "_record", broken)
        patch.setattr(record, "connection", gone)
        patch.setattr(record.time, "sleep", lambda _: None)
        return world.upload()


def never_settling(world: World) -> Any:
    world.settings.PACKHOUSE_REACTIONS = f"{__name__}.COLLIDING"
    return world.upload()


def collide(fact: object) -> None:
    raise IntegrityError


COLLIDING = {FilePublished: Reaction(handlers=[collide])}


CASES: dict[str, Callable[[World], Any]] = {
    "invalid-form-data": lambda world: post(b"no form at all", token=world.token),
    "duplicate-field": lambda world: world.upload(more=[("name", "demo")]),
    "field-is-a-file": changed(name=("demo.txt", b"demo", "text/plain")),
    "unknown-action": changed(**{":action": None}),
    "registration-gone": registering("submit_pkg_info"),
    "documentation-gone": registering("doc_upload"),
    "read-only": flagged("read-only"),
    "uploads-disabled": flagged("disallow-new-upload"),
    "anonymous": lambda world: upload(),
    "token-too-long": sent("Bearer " + "x" * 30_000),
    "unknown-scheme": sent("Digest abc"),
    "undecodable-credentials": sent("Basic ???"),
    "password-authentication": sent("Basic " + base64.b64encode(b"ada:secret").decode()),
    "malformed-token": sent(credentials("packhouse-nonsense")),
    "unknown-token": lambda world: (User.objects.update(is_frozen=True), world.upload())[1],
    "address-banned": lambda world: (ban(["127.0.0.1"], comment="", until=None, by=None), world.upload())[1],
    "bad-signature": lambda world: upload(token=world.token[:-6] + "AAAAAA"),
    "unknown-protocol-version": changed(protocol_version="2"),
    "invalid-field": changed(pyversion=""),
    "invalid-digest": changed(sha256_digest="abc"),
    "missing-digest": changed(sha256_digest=None),
    "missing-file": changed(content=None),
    "email-not-verified": without_address,
    "two-factor-missing": without_second_factor,
    "too-many-new-projects": many_projects,
    "new-projects-disabled": flagged("disallow-new-project-registration"),
    "uploads-create-no-projects": no_creation,
    "name-invalid": changed(name="-demo"),
    "name-is-standard-library": named("json"),
    "name-is-reserved": named("simple"),
    "project-name-prohibited": prohibited,
    "project-name-too-similar": named("dem0", taken="demo"),
    "token-caveat": token_for_another_project,
    "not-a-collaborator": somebody_elses,
    "project-archived": archived,
    "organization-inactive": resting,
    "filename-control-character": lambda world: world.upload(("demo\x01.whl", b"x")),
    "filename-path-separator": lambda world: world.upload(("a/demo-1.0-py3-none-any.whl", b"x")),
    "filename-extension": lambda world: world.upload(
        ("demo-1.0.exe", b"x"), change={"filetype": "bdist_wheel", "pyversion": "3"}
    ),
    "invalid-file-type": lambda world: world.upload(content_type="image/png"),
    "file-too-large": too_large,
    "project-too-large": project_too_large,
    "digest-mismatch": changed(sha256_digest="0" * 64),
    "file-exists": exists,
    "filename-reused": reused,
    "release-closed": closed,
    "second-sdist": second_sdist,
    "sdist-filename": lambda world: world.upload(("Demo-1.0.tar.gz", sdist()[1])),
    "wheel-platform-tag": lambda world: world.upload(wheel(tag="py3-none-linux_x86_64")),
    "wheel-filename-name": lambda world: world.upload(("Demo-1.0-py3-none-any.whl", wheel()[1])),
    "wheel-filename-version": lambda world: world.upload(change={"version": "2.0"}),
    "archive-bomb": lambda world: world.upload(wheel(files={"zeros.bin": bytes(80 * 1024**2)})),
    "license-file-missing": lambda world: world.upload(wheel(metadata=RST.replace("\n\n", "\nLicense-File: L\n\n", 1))),
    "wheel-record-mismatch": lambda world: world.upload(wheel(record="demo/__init__.py,,\n")),
    "metadata-mismatch": disagreeing,
    "metadata-field-missing": changed(metadata_version=None),
    "metadata-local-version": changed(version="1.0+local"),
    "attestations-need-publisher": attested,
    "description-not-rendered": unrendered,
    "storage-full": disk_full,
    "storage-unavailable": store_away,
    "database-unavailable": database_away,
    "too-busy": no_inspector,
    "try-again": never_settling,
}


@pytest.mark.parametrize("reason", CASES)
def test_an_upload_is_refused_and_leaves_nothing_behind(world: World, reason: str) -> None:
    counted = (Project, Release, File, Role, JournalEntry, Event)
    seen: list[list[int]] = []
    original = world.upload

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append([model.objects.count() for model in counted])
        return original(*args, **kwargs)

    world.upload = watched  # type: ignore[method-assign]
    answer = CASES[reason](world)

    assert (answer["X-Packhouse-Reason"], answer.status_code) == (reason, REASONS[reason].status)
    assert answer.reason_phrase == REASONS[reason].explanation
    if seen:
        assert [model.objects.count() for model in counted] == seen[-1]


def test_what_people_ask_about_most_leads_to_the_help_page(world: World) -> None:
    refused = world.upload(headers={"Authorization": "Bearer packhouse-none", "Accept": "text/plain"})
    link = refused.content.decode().split(" See ")[1].split()[0]
    assert link == f"{world.settings.PACKHOUSE.public_url}/help/#tokens"
    page = Client().get("/help/").content.decode()
    assert all(f'id="{topic}"' in page for topic in set(TOPICS.values()))


def test_reason_phrases_fit_into_a_status_line_and_only_a_file_that_is_there_is_one_to_skip() -> None:
    for name, reason in REASONS.items():
        assert re.fullmatch(r"[ -~]{1,200}", reason.explanation), name
        assert ("already exist" in reason.explanation.lower()) == (name == "file-exists"), name  # what twine skips


def test_every_reason_has_its_test() -> None:
    """By its name: here, or where the specification that it comes from is tested."""
    tests = "".join(path.read_text() for path in Path(__file__).parents[1].glob("**/test_*.py"))
    assert {code for code in REASONS.keys() - ARCHIVE_REASONS.keys() if f'"{code}"' not in tests} == set()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", "application/json"),
        ("text/plain", "text/plain"),
        ("image/png", "text/plain"),
    ],
)
def test_a_refusal_is_told_in_the_form_that_the_client_likes_best(settings: Any, accept: str, kind: str) -> None:
    answer = upload(headers={"Accept": accept} if accept else {})
    more = f"See {settings.PACKHOUSE.public_url}/help/#tokens for more information."
    told = f"403 Invalid or non-existent authentication information. {more}"
    assert answer.status_code == 403
    assert answer["Content-Type"].partition(";")[0] == kind
    assert told in answer.content.decode()
    if kind == "application/json":
        assert json.loads(answer.content) == {
            "message": told.removeprefix("403 "),
            "code": told,
            "title": "Forbidden",
            "reason": "anonymous",
        }


def test_a_user_may_not_write_markup_into_the_answer(world: World) -> None:
    answer = world.upload(change={"name": "<script>alert(1)</script>"})
    assert answer.status_code == 400
    assert b"<script>" not in answer.content


def test_other_bytes_under_a_name_that_exists_are_refused_in_words_that_clients_know(world: World) -> None:
    answer = exists(world)
    blake2 = hashlib.blake2b(wheel(files={"demo.py": b"other"})[1], digest_size=32).hexdigest()
    assert f"400 File already exists (&#x27;demo-1.0-py3-none-any.whl&#x27;, with blake2_256 hash &#x27;{blake2}" in (
        answer.content.decode()
    )


def test_the_same_bytes_under_another_name_are_refused(world: World) -> None:
    _, content = world.publish(), wheel()[1]
    other = ("demo-1.0-1-py3-none-any.whl", content)
    assert world.upload(other)["X-Packhouse-Reason"] == "file-exists"


def test_a_record_that_differs_passes_where_the_operator_says_so(world: World) -> None:
    world.set(record_mismatch="warn")
    assert world.upload(wheel(record="demo/__init__.py,,\n")).status_code == 200
    event = Event.objects.get(tag="file:record-mismatch")
    assert event.additional["count"] >= 1
    assert "demo-1.0-py3-none-any.whl" in Letter.objects.get(name="wheel-record-mismatch-email").text


def test_local_versions_and_old_releases_pass_where_the_operator_says_so(world: World) -> None:
    world.set(allow_local_versions=True, release_open_days=0)
    metadata = RST.replace("1.0", "1.0+local").partition("\n\n")[0] + "\n"
    world.publish(wheel(version="1.0+local", metadata=metadata), version="1.0+local")
    with time_machine.travel(clock.now() + timedelta(days=400)):
        file = ("demo-1.0+local.tar.gz", sdist(metadata=metadata, top="demo-1.0+local")[1])
        assert world.upload(file, version="1.0+local").status_code == 200


def test_private_classifiers_pass_where_the_operator_says_so(world: World) -> None:
    metadata = RST.partition("\n\n")[0] + "\nClassifier: Private :: Do Not Upload\n"
    upload = (wheel(metadata=metadata),), {"change": {"classifiers": "Private :: Do Not Upload"}}
    assert world.upload(*upload[0], **upload[1])["X-Packhouse-Reason"] == "metadata-classifier"
    world.set(allow_private_classifiers=True)
    published = world.publish(*upload[0], **upload[1])
    assert published.release.metadata["classifier"] == ["Private :: Do Not Upload"]


def test_a_release_that_has_closed_stays_closed_when_the_clock_is_set_back(world: World) -> None:
    world.publish()
    with time_machine.travel(clock.now() + timedelta(days=15)):
        world.publish(name="later")
    assert world.upload(sdist())["X-Packhouse-Reason"] == "release-closed"


def test_projects_start_without_end_where_the_operator_says_so(world: World) -> None:
    world.set(new_projects_per_user=1, new_projects_per_address=1)
    world.publish()
    assert world.upload(name="second").status_code == 429
    world.set(new_projects_per_user=0, new_projects_per_address=0)
    answer = world.upload(name="second")
    assert (answer.status_code, "RateLimit" in answer) == (200, False)


def test_a_project_may_be_given_more_room_than_the_index_gives(world: World) -> None:
    world.publish()
    Project.objects.update(file_size_limit=10**9, total_size_limit=10**12)
    world.set(file_size_limit=100, project_size_limit=100)
    assert world.upload(version="2.0").status_code == 200


def test_a_token_is_judged_on_the_very_project_that_the_file_names(world: World) -> None:
    mine = make_project("mine", owner=world.ada)
    make_project("demo", owner=world.ada)
    _, token = make_token(world.ada, projects=[mine])
    fields = fields_for(*wheel(), name="mine") | {"content": (*wheel(), "application/octet-stream")}
    answer = post(body_of(fields.items()), token=token)
    assert (answer.status_code, answer["X-Packhouse-Reason"]) == (400, "wheel-filename-name")
    answer = upload(token=token, path="/legacy/?name=mine")
    assert (answer.status_code, answer["X-Packhouse-Reason"]) == (403, "token-caveat")
    assert File.objects.count() == 0


@pytest.mark.parametrize("path", ["/pypi?:action=file_upload", "/pypi", "/"])
def test_an_upload_to_another_address_is_told_the_right_one(world: World, path: str) -> None:
    answer = world.upload(path=path)
    assert (answer.status_code, answer["X-Packhouse-Reason"]) == (REASONS["upload-moved"].status, "upload-moved")
    assert f"{world.settings.PACKHOUSE.public_url}/legacy/" in answer.content.decode()


def test_old_addresses_lead_to_the_right_one() -> None:
    moved = post(b"", path="/legacy?:action=file_upload")
    assert (moved.status_code, moved["Location"]) == (308, "http://127.0.0.1:8080/legacy/?:action=file_upload")
    page = Client().get("/legacy/")
    assert (page.status_code, b"twine upload" in page.content) == (200, True)
    assert Client().put("/legacy/").status_code == 405
