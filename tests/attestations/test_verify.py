"""Attestations as an own Sigstore signs them, verified by the real libraries: good ones pass, each fault is refused."""

import base64
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pypi_attestations import Attestation, Provenance
from tests.factories import sigstore
from tests.factories.sigstore import COMMIT, GITHUB, SLSA, Sigstore, about, b64

from packhouse.attestations import trust
from packhouse.attestations.attester import GITHUB as GITHUB_ISSUER
from packhouse.attestations.attester import publisher_of
from packhouse.attestations.reasons import PREFIX, REASONS
from packhouse.attestations.statements import Statement, Verified
from packhouse.attestations.verify import LONGEST, Subject, verify
from packhouse.base.identity import AttestationIdentity
from packhouse.specs.errors import Refused

FILE, CONTENT = "demo-1.0-py3-none-any.whl", b"the bytes of a wheel"
OCTO = AttestationIdentity("GitHub", GITHUB_ISSUER, "octo/demo", "release.yml", "pypi")
OWN = "https://gitlab.example:8443"
AT_GITLAB = {
    "issuer": "https://gitlab.com",
    "repository": "https://gitlab.com/group/sub/demo",
    "commit": COMMIT,
    "ref": "refs/heads/main",
    "workflow": "https://gitlab.com/group/sub/demo//ci/release.yml@refs/heads/main",
}
TANUKI = AttestationIdentity("GitLab", "https://gitlab.com", "group/sub/demo", "ci/release.yml")
ROBOT = AttestationIdentity("Google", "https://accounts.google.com", email="robot@project.iam.gserviceaccount.com")


@pytest.fixture(scope="module")
def ours() -> Sigstore:
    return Sigstore()


@pytest.fixture(scope="module")
def root(ours: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ours.trusted_root(tmp_path_factory.mktemp("trust") / "trusted_root.json")


@pytest.fixture
def verified(root: Path) -> Callable[..., Verified]:
    def ask(
        attestations: Any, attester: AttestationIdentity = OCTO, filename: str = FILE, content: bytes = CONTENT
    ) -> Verified:
        text = attestations if isinstance(attestations, str) else json.dumps(attestations)
        subject = Subject(filename, hashlib.sha256(content).hexdigest())
        return verify(text, attester=attester, subject=subject, trusted_root=str(root))

    return ask


def refused(verified: Callable[..., Verified], *args: Any, **kwargs: Any) -> tuple[str, str]:
    """The code and the words of the refusal, which begin as clients know."""
    with pytest.raises(Refused) as caught:
        verified(*args, **kwargs)
    assert caught.value.field == "attestations"
    assert caught.value.message.startswith(PREFIX)
    return caught.value.code, caught.value.message.removeprefix(PREFIX)


def test_what_was_built_and_signed_by_the_publisher_becomes_a_provenance_object(
    ours: Sigstore, verified: Callable[..., Verified]
) -> None:
    attestation = ours.attest(FILE, CONTENT)
    found = verified([attestation])

    served = json.loads(found.body)
    publisher = {"kind": "GitHub", "repository": "octo/demo", "workflow": "release.yml", "environment": "pypi"}
    assert served == {
        "version": 1,
        "attestation_bundles": [{"publisher": publisher, "attestations": [attestation]}],
    }
    assert found.body == json.dumps(served, separators=(",", ":"), sort_keys=True)
    assert found.publisher == publisher
    assert found.statements == (
        Statement(
            kind=sigstore.STATEMENT,
            predicate=sigstore.PUBLISH,
            subject=FILE,
            log_index=1,
            log_time=int(ours.now.timestamp()),
            claims=dict(GITHUB),
        ),
    )
    assert Statement.from_json(json.loads(json.dumps(found.statements[0].as_json()))) == found.statements[0]


def test_what_is_served_satisfies_the_library_that_clients_verify_with(
    ours: Sigstore, root: Path, verified: Callable[..., Verified]
) -> None:
    body = verified([ours.attest(FILE, CONTENT), ours.attest(FILE, CONTENT, predicate=SLSA)]).body
    (bundle,) = Provenance.model_validate_json(body).attestation_bundles
    policy = bundle.publisher._as_policy()
    for attestation in bundle.attestations:
        trust.verifier(str(root)).verify_dsse(attestation.to_bundle(), policy)
    assert [one.statement["predicateType"] for one in bundle.attestations] == [sigstore.PUBLISH, SLSA]


@pytest.mark.parametrize(
    ("attester", "claims"),
    [
        (OCTO, {}),
        (OCTO, {"workflow": f"https://github.com/octo/demo/.github/workflows/release.yml@{COMMIT}"}),
        (dataclasses.replace(OCTO, environment=""), {}),
        (TANUKI, AT_GITLAB),
        (TANUKI, AT_GITLAB | {"workflow": f"https://gitlab.com/group/sub/demo//ci/release.yml@{COMMIT}"}),
        (
            dataclasses.replace(TANUKI, issuer=OWN),
            {name: text.replace("https://gitlab.com", OWN) for name, text in AT_GITLAB.items()},
        ),
        (
            dataclasses.replace(OCTO, issuer="https://github.example/_services/token"),
            {name: text.replace("https://github.com", "https://github.example") for name, text in GITHUB.items()}
            | {"issuer": "https://github.example/_services/token"},
        ),
    ],
    ids=["by ref", "by commit", "without environment", "GitLab", "GitLab by commit", "an own GitLab", "an own GitHub"],
)
def test_the_workflow_is_believed_that_the_project_trusts(
    ours: Sigstore, verified: Callable[..., Verified], attester: AttestationIdentity, claims: dict[str, str]
) -> None:
    signed = ours.attest(FILE, CONTENT, claims=claims if "issuer" in claims else GITHUB | claims)
    assert verified([signed], attester).publisher == publisher_of(attester)


def test_a_repository_is_told_as_the_certificate_spells_it(
    ours: Sigstore, root: Path, verified: Callable[..., Verified]
) -> None:
    claims = {name: text.replace("octo/demo", "Octo/Demo") for name, text in GITHUB.items()}
    body = verified([ours.attest(FILE, CONTENT, claims=claims)]).body
    (bundle,) = Provenance.model_validate_json(body).attestation_bundles
    assert bundle.publisher.repository == "Octo/Demo"  # type: ignore[union-attr]
    policy = bundle.publisher._as_policy()
    trust.verifier(str(root)).verify_dsse(bundle.attestations[0].to_bundle(), policy)


def test_a_service_account_is_believed_by_its_address(ours: Sigstore, verified: Callable[..., Verified]) -> None:
    google = {"issuer": "https://accounts.google.com"}
    signed = ours.attest(FILE, CONTENT, claims=google, email=ROBOT.email)
    assert verified([signed], ROBOT).publisher == {"kind": "Google", "email": ROBOT.email}
    for claims, email in (google, "other@project.example"), (GITHUB, ROBOT.email), (google, ""):
        other = ours.attest(FILE, CONTENT, claims=claims, email=email)
        assert refused(verified, [other], ROBOT)[0] == "attestation-other-publisher"


def test_the_publisher_of_a_gitlab_names_its_path() -> None:
    assert publisher_of(TANUKI) == {
        "kind": "GitLab",
        "repository": "group/sub/demo",
        "workflow_filepath": "ci/release.yml",
        "environment": None,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://token.actions.githubusercontent.com/"},
        {"issuer": "https://gitlab.com"},
        {"repository": "https://github.com/octo/demo2"},
        {"workflow": "https://github.com/octo/demo/.github/workflows/other.yml@refs/tags/v1.0"},
        {"workflow": "https://github.com/octo/demo/.github/workflows/release.yml@refs/heads/elsewhere"},
        {"workflow": "https://github.com/octo/demo/.github/workflows/release.yml"},
        {"workflow": "https://github.com/evil/demo/.github/workflows/release.yml@refs/tags/v1.0"},
        {"issuer": None},
        {"repository": None},
        {"workflow": None},
        {"commit": None, "ref": None},
        {"commit": "", "ref": "", "workflow": "https://github.com/octo/demo/.github/workflows/release.yml@"},
    ],
)
def test_what_another_workflow_signed_is_refused(
    ours: Sigstore, verified: Callable[..., Verified], changed: dict[str, str | None]
) -> None:
    claims = {name: text for name, text in (GITHUB | changed).items() if text is not None}
    code, why = refused(verified, [ours.attest(FILE, CONTENT, claims=claims)])
    assert (code, why[:30]) == ("attestation-other-publisher", "the certificate was issued to ")


def test_the_public_gitlab_cannot_speak_for_an_own_one(ours: Sigstore, verified: Callable[..., Verified]) -> None:
    signed = ours.attest(FILE, CONTENT, claims=AT_GITLAB)
    assert refused(verified, [signed], dataclasses.replace(TANUKI, issuer=OWN))[0] == "attestation-other-publisher"
    assert refused(verified, [signed], dataclasses.replace(TANUKI, workflow=".gitlab-ci.yml"))[0] == (
        "attestation-other-publisher"
    )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "the list"),
        ("nonsense", "the list"),
        ("{}", "the list"),
        ("[1]", "0"),
        ("[{}]", "0.version"),
        ("[" * 5000, "the list"),
        (" " * (LONGEST + 1), "they are longer"),
    ],
)
def test_what_is_no_list_of_attestations_is_malformed(verified: Callable[..., Verified], text: str, where: str) -> None:
    code, why = refused(verified, text)
    assert code == "attestations-malformed"
    assert where in why


def test_members_of_the_wrong_kind_are_malformed(ours: Sigstore, verified: Callable[..., Verified]) -> None:
    good = ours.attest(FILE, CONTENT)

    def with_(*path: str, value: Any) -> dict[str, Any]:
        changed: Any = deepcopy(good)
        place = changed
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        return changed

    for wrong in (
        with_("version", value=2),
        with_("verification_material", "certificate", value=1),
        with_("verification_material", "transparency_entries", value=[]),
        with_("verification_material", "transparency_entries", value=["entry"]),
        with_("envelope", "statement", value=None),
        with_("envelope", value="text"),
    ):
        assert refused(verified, [wrong])[0] == "attestations-malformed", wrong


def test_there_are_one_or_two_of_different_types(ours: Sigstore, verified: Callable[..., Verified]) -> None:
    one, other = ours.attest(FILE, CONTENT), ours.attest(FILE, CONTENT, predicate=SLSA)
    assert len(verified([one, other]).statements) == 2
    assert refused(verified, [])[0] == "attestations-empty"
    assert refused(verified, [one, other, one])[0] == "attestations-too-many"
    code, why = refused(verified, [one, ours.attest(FILE, CONTENT)])
    assert (code, why) == ("attestations-repeated", "there are multiple attestations of the same type.")


def test_one_bad_attestation_spoils_the_good_one_beside_it(ours: Sigstore, verified: Callable[..., Verified]) -> None:
    bad = ours.attest("other-1.0-py3-none-any.whl", CONTENT, predicate=SLSA)
    assert refused(verified, [ours.attest(FILE, CONTENT), bad])[0] == "attestation-other-file"


@pytest.mark.parametrize(
    ("filename", "signed"),
    [
        (FILE, "Demo-1.0.0-py3-none-any.whl"),
        ("demo-1.0-py2.py3-none-any.whl", "demo-1.0-py3.py2-none-any.whl"),
        ("demo-1.0.tar.gz", "demo-1.0.0.tar.gz"),
    ],
)
def test_the_signed_name_may_be_spelled_otherwise(
    ours: Sigstore, verified: Callable[..., Verified], filename: str, signed: str
) -> None:
    found = verified([ours.attest(signed, CONTENT)], filename=filename)
    assert found.statements[0].subject == signed


@pytest.mark.parametrize(
    "signed",
    [
        "other-1.0-py3-none-any.whl",
        "demo-1.1-py3-none-any.whl",
        "demo-1.0-1-py3-none-any.whl",
        "demo-1.0-py3-none-win32.whl",
        "demo-1.0.tar.gz",
        "demo.exe",
        "",
    ],
)
def test_what_is_about_another_file_is_refused(ours: Sigstore, verified: Callable[..., Verified], signed: str) -> None:
    assert refused(verified, [ours.attest(signed, CONTENT)])[0] == "attestation-other-file"


def test_what_is_about_other_bytes_is_refused(ours: Sigstore, verified: Callable[..., Verified]) -> None:
    code, why = refused(verified, [ours.attest(FILE, b"other bytes")])
    assert (code, why) == ("attestation-other-file", "the attestation's subject does not match the file's digest.")
    without = about(FILE, CONTENT) | {"subject": [{"name": FILE, "digest": {"sha512": "00"}}]}
    assert refused(verified, [ours.attest(FILE, CONTENT, statement=without)])[0] == "attestation-other-file"


@pytest.mark.parametrize(
    "statement",
    [
        b"no JSON",
        b"[]",
        b'"text"',
        {},
        about(FILE, CONTENT) | {"_type": "https://in-toto.io/Statement/v0.1"},
        about(FILE, CONTENT) | {"subject": []},
        about(FILE, CONTENT) | {"subject": about(FILE, CONTENT)["subject"] * 2},
        about(FILE, CONTENT) | {"subject": "x"},
        about(FILE, CONTENT) | {"subject": {"name": FILE}},
        about(FILE, CONTENT) | {"subject": [{"digest": {"sha256": hashlib.sha256(CONTENT).hexdigest()}}]},
        about(FILE, CONTENT) | {"subject": [{"name": FILE, "digest": "sha256"}]},
        about(FILE, CONTENT) | {"subject": [{"name": 1, "digest": {}}]},
    ],
)
def test_what_is_no_statement_about_one_file_is_refused(
    ours: Sigstore, verified: Callable[..., Verified], statement: Any
) -> None:
    code, _ = refused(verified, [ours.attest(FILE, CONTENT, statement=statement)])
    assert code == "attestation-statement"


@pytest.mark.parametrize("predicate", ["https://example.org/own/v1", "", None, 1, ["x"]])
def test_predicates_that_nobody_knows_are_refused(
    ours: Sigstore, verified: Callable[..., Verified], predicate: Any
) -> None:
    code, why = refused(verified, [ours.attest(FILE, CONTENT, statement=about(FILE, CONTENT, predicate))])
    assert code == "attestation-predicate"
    assert why.startswith("unsupported attestation type ")


def forged(ours: Sigstore, **parts: Any) -> dict[str, Any]:
    """A good attestation, made with other keys where *parts* say so."""
    return dataclasses.replace(ours, **parts).attest(FILE, CONTENT)


def entry_of(attestation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = attestation["verification_material"]["transparency_entries"][0]
    return found


def with_entry(ours: Sigstore, change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    attestation = ours.attest(FILE, CONTENT)
    change(entry_of(attestation))
    return attestation


def with_checkpoint_of(ours: Sigstore, other: Sigstore) -> dict[str, Any]:
    theirs = entry_of(other.attest(FILE, CONTENT))["inclusionProof"]["checkpoint"]
    return with_entry(ours, lambda entry: entry["inclusionProof"].update(checkpoint=theirs))


def with_another_statement(ours: Sigstore) -> dict[str, Any]:
    attestation = ours.attest("other-1.0.tar.gz", b"other")
    attestation["envelope"]["statement"] = b64(json.dumps(about(FILE, CONTENT)).encode())
    return attestation


def with_another_signature(ours: Sigstore) -> dict[str, Any]:
    leaf = ours.leaf()
    attestation = ours.attest(FILE, CONTENT, leaf=leaf)
    again = ours.attest(FILE, CONTENT, leaf=leaf)
    attestation["envelope"]["signature"] = again["envelope"]["signature"]
    return attestation


def with_byte_flipped(ours: Sigstore, *path: str) -> dict[str, Any]:
    attestation: Any = ours.attest(FILE, CONTENT)
    place = attestation
    for name in path[:-1]:
        place = place[name]
    data = bytearray(base64.b64decode(place[path[-1]]))
    data[len(data) // 2] ^= 1
    place[path[-1]] = b64(bytes(data))
    return attestation


def with_certificate(ours: Sigstore, text: str) -> dict[str, Any]:
    attestation = ours.attest(FILE, CONTENT)
    attestation["verification_material"]["certificate"] = b64(text.encode()) if " " in text[:3] else text
    return attestation


UNVERIFIED: dict[str, Callable[[Sigstore], dict[str, Any]]] = {
    "another authority": lambda ours: forged(ours, authority=sigstore.new_key()),
    "another log": lambda ours: forged(ours, log=sigstore.new_key()),
    "another log of certificates": lambda ours: forged(ours, certificate_log=sigstore.new_key()),
    "no promise of the log of certificates": lambda ours: ours.attest(FILE, CONTENT, leaf=ours.leaf(sct=False)),
    "a certificate that had ended": lambda ours: ours.attest(FILE, CONTENT, leaf=ours.leaf(days=1)),
    "a certificate that had not begun": lambda ours: ours.attest(
        FILE, CONTENT, integrated=ours.now - timedelta(hours=1)
    ),
    "a statement that was not signed": with_another_statement,
    "a signature that is not in the log": with_another_signature,
    "a flipped bit in the signature": lambda ours: with_byte_flipped(ours, "envelope", "signature"),
    "a flipped bit in the statement": lambda ours: with_byte_flipped(ours, "envelope", "statement"),
    "a flipped bit in the certificate": lambda ours: with_byte_flipped(ours, "verification_material", "certificate"),
    "no promise of the log": lambda ours: with_entry(ours, lambda entry: entry.pop("inclusionPromise")),
    "no proof of the log": lambda ours: with_entry(ours, lambda entry: entry.pop("inclusionProof")),
    "no time": lambda ours: with_entry(ours, lambda entry: entry.pop("integratedTime")),
    "another time": lambda ours: with_entry(
        ours, lambda entry: entry.update(integratedTime=str(int(ours.now.timestamp()) + 1))
    ),
    "a time beyond all calendars": lambda ours: with_entry(
        ours, lambda entry: entry.update(integratedTime=str(10**18))
    ),
    "another place in the log": lambda ours: with_entry(ours, lambda entry: entry.update(logIndex="2")),
    "another entry": lambda ours: with_entry(
        ours,
        lambda entry: entry.update(canonicalizedBody=entry_of(ours.attest(FILE, CONTENT))["canonicalizedBody"]),
    ),
    "another kind of entry": lambda ours: with_entry(
        ours, lambda entry: entry.update(kindVersion={"kind": "hashedrekord", "version": "0.0.1"})
    ),
    "a checkpoint of somebody else": lambda ours: with_checkpoint_of(
        ours, dataclasses.replace(ours, log=sigstore.new_key())
    ),
    "another tree": lambda ours: with_entry(
        ours, lambda entry: entry["inclusionProof"].update(hashes=[b64(bytes(32))])
    ),
    "no certificate": lambda ours: with_certificate(ours, "no certificate"),
    "a certificate that is no base64": lambda ours: with_certificate(ours, "no base64!"),
    "an entry of nothing": lambda ours: with_entry(ours, lambda entry: entry.clear()),
}


@pytest.mark.parametrize("fault", UNVERIFIED)
def test_what_cannot_be_verified_is_refused(ours: Sigstore, verified: Callable[..., Verified], fault: str) -> None:
    code, why = refused(verified, [UNVERIFIED[fault](ours)])
    assert (code, why[:38]) == ("attestation-not-verified", "an attestation could not be verified: ")
    assert "\n" not in why


def test_an_authority_that_had_ended_is_not_believed(ours: Sigstore, tmp_path: Path) -> None:
    ended = dataclasses.replace(ours, now=ours.now - timedelta(days=4000))
    root = ended.trusted_root(tmp_path / "root.json")
    subject = Subject(FILE, hashlib.sha256(CONTENT).hexdigest())
    with pytest.raises(Refused) as caught:
        verify(json.dumps([ours.attest(FILE, CONTENT)]), attester=OCTO, subject=subject, trusted_root=str(root))
    assert caught.value.code == "attestation-not-verified"


def test_every_refusal_of_verification_is_documented_and_tested() -> None:
    text = Path(__file__).read_text()
    of_uploads = {"-".join(["attestations", *rest]) for rest in (["need", "publisher"], ["unsupported"])}
    assert {code for code in REASONS if f'"{code}"' not in text} == of_uploads


def test_the_trusted_root_is_that_of_the_public_sigstore_unless_the_operator_has_one(
    ours: Sigstore, root: Path
) -> None:
    text = json.dumps([ours.attest(FILE, CONTENT)])
    subject = Subject(FILE, hashlib.sha256(CONTENT).hexdigest())
    assert verify(text, attester=OCTO, subject=subject, trusted_root=str(root))
    with pytest.raises(Refused) as caught:
        verify(text, attester=OCTO, subject=subject)
    assert caught.value.code == "attestation-not-verified"
    public = json.loads(trust.public_root().read_bytes())
    assert [one["uri"] for one in public["certificateAuthorities"]][-1:] == ["https://fulcio.sigstore.dev"]


def test_a_trusted_root_is_read_again_once_it_has_changed(ours: Sigstore, tmp_path: Path) -> None:
    path = Sigstore().trusted_root(tmp_path / "root.json")
    text = json.dumps([ours.attest(FILE, CONTENT)])
    subject = Subject(FILE, hashlib.sha256(CONTENT).hexdigest())
    with pytest.raises(Refused):
        verify(text, attester=OCTO, subject=subject, trusted_root=str(path))
    ours.trusted_root(path)
    os.utime(path, ns=(1, 1))
    assert verify(text, attester=OCTO, subject=subject, trusted_root=str(path))


@pytest.mark.parametrize("content", ["", "[]", "{}", None])
def test_without_a_trusted_root_nothing_is_decided(ours: Sigstore, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "root.json"
    if content is not None:
        path.write_text(content)
    text = json.dumps([ours.attest(FILE, CONTENT)])
    with pytest.raises(trust.TrustUnavailable):
        verify(text, attester=OCTO, subject=Subject(FILE, ""), trusted_root=str(path))


def test_a_trusted_root_without_logs_is_none(ours: Sigstore, tmp_path: Path) -> None:
    text = json.dumps([ours.attest(FILE, CONTENT)])
    for missing in ("tlogs", "certificateAuthorities"):
        path = ours.trusted_root(tmp_path / f"{missing}.json", **{missing: []})
        with pytest.raises(trust.TrustUnavailable):
            verify(text, attester=OCTO, subject=Subject(FILE, ""), trusted_root=str(path))


def test_what_the_certificate_says_is_read_as_the_library_reads_it(ours: Sigstore) -> None:
    from packhouse.attestations.claims import NAMES, claims_of

    attestation = Attestation.model_validate(ours.attest(FILE, CONTENT))
    certificate = ours.leaf().certificate
    named = {NAMES[oid]: text for oid, text in attestation.certificate_claims.items()}
    assert claims_of(certificate) == named == GITHUB
