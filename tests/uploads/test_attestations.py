"""Uploads that bring attestations along, through the door: verified ones become provenance, all others are refused."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypi_attestations import Provenance as ServedProvenance
from tests.factories.accounts import make_token, make_user
from tests.factories.projects import make_project
from tests.factories.publishers import make_minted_token, make_publisher
from tests.factories.sigstore import GITHUB, SLSA, Sigstore
from tests.index.world import page
from tests.uploads.publishing import sdist, upload, wheel

from packhouse.attestations.models import Provenance
from packhouse.audit.models import Event
from packhouse.documents.models import Document
from packhouse.flags.actions import set_flag
from packhouse.flags.queries import forget
from packhouse.projects.models import File, JournalEntry, Project, Release

pytestmark = pytest.mark.django_db

ACME = {name: text.replace("octo/demo", "Acme/Demo") for name, text in GITHUB.items()}
WORDS = "Invalid attestations supplied during upload: "


class World:
    """The project demo, whose publisher is a workflow of GitHub, on an index that trusts an own Sigstore."""

    def __init__(self, settings: Any, root: Path) -> None:
        forget()
        self.settings = settings
        self.ours = Sigstore()
        self.set(attestation_root=str(self.ours.trusted_root(root / "trusted_root.json")))
        self.ada = make_user("ada")
        self.project = make_project("demo", owner=self.ada)
        _, self.laptop = make_token(self.ada, "laptop")
        self.activestate = make_minted_token(make_publisher(self.project, kind="activestate"))
        self.token = make_minted_token(make_publisher(self.project))

    def set(self, **values: Any) -> None:
        self.settings.PACKHOUSE = dataclasses.replace(self.settings.PACKHOUSE, **values)

    def attest(self, file: tuple[str, bytes], **parts: Any) -> dict[str, Any]:
        return self.ours.attest(*file, **({"claims": ACME} | parts))

    def upload(self, file: tuple[str, bytes], attestations: Any, *, token: str = "") -> Any:
        text = attestations if isinstance(attestations, str) else json.dumps(attestations)
        return upload(file, token=token or self.token, change={"attestations": text})


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    return World(settings, tmp_path)


def test_a_file_with_attestations_is_published_with_its_provenance(world: World) -> None:
    for file in (wheel(), sdist()):
        both = [world.attest(file), world.attest(file, predicate=SLSA)]
        assert world.upload(file, both).status_code == 200
        kept = Provenance.objects.get(file__filename=file[0])
        assert page(f"provenance/{file[0]}") == kept.body.encode()
        (bundle,) = ServedProvenance.model_validate_json(kept.body).attestation_bundles
        assert [one.model_dump(mode="json") for one in bundle.attestations] == both
        assert kept.publisher == {
            "kind": "GitHub",
            "repository": "Acme/Demo",
            "workflow": "release.yml",
            "environment": None,
        }
        assert kept.statements[0]["claims"] == ACME
    listed = json.loads(page("simple/demo"))["files"]
    base = f"{world.settings.PACKHOUSE.public_url}/integrity/demo/1.0"
    assert {file["provenance"] for file in listed} == {
        f"{base}/demo-1.0-py3-none-any.whl/provenance",
        f"{base}/demo-1.0.tar.gz/provenance",
    }


def test_a_file_without_attestations_has_no_provenance(world: World) -> None:
    assert upload(wheel(), token=world.token).status_code == 200
    assert not Provenance.objects.exists()


def test_every_kind_of_publisher_that_has_certificates_can_attest(world: World) -> None:
    file = wheel()
    gitlab = {
        "issuer": "https://gitlab.com",
        "repository": "https://gitlab.com/acme/tools/demo",
        "commit": "0123abc",
        "ref": "refs/heads/main",
        "workflow": "https://gitlab.com/acme/tools/demo//ci/release.yml@0123abc",
    }
    token = make_minted_token(make_publisher(world.project, kind="gitlab"))
    assert world.upload(file, [world.attest(file, claims=gitlab)], token=token).status_code == 200
    other = sdist()
    token = make_minted_token(make_publisher(world.project, kind="google"))
    google = {"issuer": "https://accounts.google.com"}
    signed = world.attest(other, claims=google, email="job@acme.iam.gserviceaccount.com")
    assert world.upload(other, [signed], token=token).status_code == 200
    kinds = Provenance.objects.order_by("pk").values_list("publisher__kind", flat=True)
    assert list(kinds) == ["GitLab", "Google"]


def by_a_user(world: World, file: tuple[str, bytes]) -> Any:
    return world.upload(file, [world.attest(file)], token=world.laptop)


def by_activestate(world: World, file: tuple[str, bytes]) -> Any:
    return world.upload(file, [world.attest(file)], token=world.activestate)


def without_trusted_root(world: World, file: tuple[str, bytes]) -> Any:
    Path(world.settings.PACKHOUSE.attestation_root).unlink()
    return world.upload(file, [world.attest(file)])


def sending(make: Callable[[World, tuple[str, bytes]], Any]) -> Callable[[World, tuple[str, bytes]], Any]:
    return lambda world, file: world.upload(file, make(world, file))


def tampered(world: World, file: tuple[str, bytes]) -> Any:
    attestation = world.attest(file)
    signature = attestation["envelope"]["signature"]
    attestation["envelope"]["signature"] = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
    return [attestation]


REFUSED: dict[str, Callable[[World, tuple[str, bytes]], Any]] = {
    "attestations-need-publisher": by_a_user,
    "attestations-unsupported": by_activestate,
    "trusted-root-unavailable": without_trusted_root,
    "attestations-malformed": sending(lambda world, file: "[{]"),
    "attestations-empty": sending(lambda world, file: []),
    "attestations-too-many": sending(lambda world, file: [world.attest(file)] * 3),
    "attestations-repeated": sending(lambda world, file: [world.attest(file), world.attest(file)]),
    "attestation-not-verified": sending(tampered),
    "attestation-other-publisher": sending(lambda world, file: [world.attest(file, claims=GITHUB)]),
    "attestation-statement": sending(lambda world, file: [world.attest(file, statement=b"{}")]),
    "attestation-other-file": sending(lambda world, file: [world.attest((file[0], b"other"))]),
    "attestation-predicate": sending(lambda world, file: [world.attest(file, predicate="https://own.example/v1")]),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_not_as_it_must_be_is_refused_and_leaves_nothing_behind(world: World, reason: str) -> None:
    counted = (Project, Release, File, Provenance, JournalEntry, Event, Document)
    before = [model.objects.count() for model in counted]
    answer = REFUSED[reason](world, wheel())
    assert (answer["X-Packhouse-Reason"], answer.status_code) == (reason, 503 if reason.startswith("trusted") else 400)
    assert [model.objects.count() for model in counted] == before
    if answer.status_code == 400:
        assert WORDS in answer.content.decode()
        assert "/help/#attestations" in answer.content.decode()


def test_an_empty_field_is_malformed(world: World) -> None:
    assert world.upload(wheel(), "")["X-Packhouse-Reason"] == "attestations-malformed"


def test_with_the_flag_attestations_are_not_looked_at(world: World) -> None:
    set_flag(name="disable-pep740", enabled=True)
    forget()
    assert world.upload(wheel(), "nonsense").status_code == 200
    assert not Provenance.objects.exists()


def test_the_same_file_again_changes_nothing_of_its_provenance(world: World) -> None:
    file = wheel()
    first = world.attest(file)
    assert world.upload(file, [first]).status_code == 200
    kept = Provenance.objects.get()
    for again in ([world.attest(file)], [first, world.attest(file, predicate=SLSA)], "nonsense"):
        assert world.upload(file, again).status_code == 200
        assert Provenance.objects.get().body == kept.body
    assert hashlib.sha256(page(f"provenance/{file[0]}")).digest() == hashlib.sha256(kept.body.encode()).digest()


def test_a_file_that_was_published_without_gets_none_later(world: World) -> None:
    file = wheel()
    assert upload(file, token=world.token).status_code == 200
    assert world.upload(file, [world.attest(file)]).status_code == 200
    assert not Provenance.objects.exists()
    assert json.loads(page("simple/demo"))["files"][0]["provenance"] is None
