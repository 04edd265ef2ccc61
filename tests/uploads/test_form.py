"""Reading the form: what is one, what is none, and how little the wrong ones may cost."""

import hashlib
import io
import time
from pathlib import Path

import pytest
from tests.uploads.publishing import BOUNDARY, body_of

from packhouse.uploads import form
from packhouse.uploads.reasons import Rejected

KIND = f"multipart/form-data; boundary={BOUNDARY}"


def read(body: bytes, kind: str = KIND, *, spool: Path) -> form.Form:
    return form.read_form(io.BytesIO(body), kind, len(body), spool=spool)


def test_texts_are_kept_in_order_and_the_file_lies_on_disk_with_its_digests(tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    parts = [("name", "demo"), ("classifiers", "B"), ("classifiers", "A"), ("content", ("f.whl", content, "a/b"))]
    with read(body_of(parts), spool=tmp_path) as got:
        assert got.fields["classifiers"] == ("B", "A")
        assert got.content is not None
        assert (got.content.filename, got.content.content_type, got.content.size) == ("f.whl", "a/b", len(content))
        assert got.content.file.read() == content
        assert got.content.md5 == hashlib.md5(content).hexdigest()
        assert got.content.sha256 == hashlib.sha256(content).hexdigest()
        assert got.content.blake2_256 == hashlib.blake2b(content, digest_size=32).hexdigest()
        assert list(tmp_path.iterdir()) == []
    assert got.content.file.closed


def test_a_form_without_a_file_may_be_urlencoded(tmp_path: Path) -> None:
    got = read(b":action=submit&name=a%2Fb", "application/x-www-form-urlencoded", spool=tmp_path)
    assert (got.fields[":action"], got.text("name"), got.content) == (("submit",), "a/b", None)


def test_a_signature_is_ignored_and_unknown_fields_may_repeat(tmp_path: Path) -> None:
    parts = [("gpg_signature", ("f.asc", b"x" * 5000, "")), ("project-url", "a"), ("project-url", "b")]
    got = read(body_of(parts), spool=tmp_path)
    assert (got.text("gpg_signature"), got.fields["project-url"]) == ("", ("a", "b"))


@pytest.mark.parametrize("name", sorted(form.SINGLE))
def test_a_field_that_comes_once_may_not_come_twice(name: str, tmp_path: Path) -> None:
    with pytest.raises(Rejected) as refused:
        read(body_of([(name, "a"), (name, "a")]), spool=tmp_path)
    assert (refused.value.code, refused.value.field) == ("duplicate-field", name)


def test_two_files_are_one_too_many(tmp_path: Path) -> None:
    part = ("content", ("f.whl", b"x", ""))
    with pytest.raises(Rejected) as refused:
        read(body_of([part, part]), spool=tmp_path)
    assert refused.value.code == "duplicate-field"


PART = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=".encode()
END = f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"", KIND, id="nothing"),
        pytest.param(b"x" * 1000, KIND, id="no boundary"),
        pytest.param(b"\r" * 4_000_000, KIND, id="carriage returns alone"),
        pytest.param(PART + b'"a"\r\n\r\n' + b"\r" * 4_000_000 + END, KIND, id="carriage returns in a field"),
        pytest.param((PART + b'"a"\r\n\r\n\r\n') * 100_000, KIND, id="endless parts"),
        pytest.param(PART + b'"a"\r\n' + b"X-A: b\r\n" * 1000 + b"\r\nx" + END, KIND, id="endless headers"),
        pytest.param(PART + b'"' + b"a" * 10_000 + b'"\r\n\r\nx' + END, KIND, id="a long header"),
        pytest.param(PART + b'"a"\r\n\r\nx', KIND, id="cut off"),
        pytest.param(body_of([("a", b"\xff")]), KIND, id="not UTF-8"),
        pytest.param(body_of([("name", "x" * (1024**2 + 1))]), KIND, id="a long field"),
        pytest.param(body_of([("a", "x" * 1024**2)] * 6), KIND, id="many long fields"),
        pytest.param(body_of([("description", "x" * (form.LONG_TEXT_SIZE + 1))]), KIND, id="a long description"),
        pytest.param(b"x", "multipart/form-data; boundary=" + "b" * 1_000_000, id="a boundary of a megabyte"),
        pytest.param(b"x", "multipart/form-data", id="no boundary named"),
        pytest.param(b"x", "application/json", id="not a form"),
        pytest.param(b"a=%ff", "application/x-www-form-urlencoded", id="not UTF-8, encoded"),
        pytest.param(b"&".join([b"a=1"] * 5001), "application/x-www-form-urlencoded", id="endless fields"),
    ],
)
def test_what_is_no_form_is_refused_at_once(body: bytes, kind: str, tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(Rejected) as refused:
        read(body, kind, spool=tmp_path)
    assert (refused.value.code, refused.value.status) == ("invalid-form-data", 400)
    assert refused.value.message.startswith("Invalid Form Data.")
    assert len(refused.value.message) < 300
    assert time.process_time() - began < 0.5
