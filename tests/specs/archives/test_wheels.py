"""What a wheel must hold, and what the index learns from it."""

import base64
import hashlib
from dataclasses import replace

import pytest
from tests.builders import Member, make_sdist, make_wheel, record_for, zip_bytes
from tests.builders.names import metadata_text
from tests.builders.wheel import wheel_text
from tests.builders.zipbytes import Lies
from tests.specs.archives.cases import inspected, refused

from packhouse.specs.archives.inspect import inspect_source
from packhouse.specs.archives.limits import Limits
from packhouse.specs.archives.source import Memory
from packhouse.specs.errors import Refused

INFO = "demo-1.0.dist-info"
MODULE = b'"""A demonstration."""\n'
FILES = {"demo/__init__.py": MODULE}


def good_record(**replaced: bytes) -> str:
    """The right RECORD of a wheel with ``FILES``, with some contents replaced by others."""
    contents = {
        "demo/__init__.py": MODULE,
        f"{INFO}/METADATA": metadata_text("demo", "1.0").encode(),
        f"{INFO}/WHEEL": wheel_text("py3-none-any").encode(),
    }
    return record_for(contents | replaced, INFO)


def problems(record: str | bytes, **named) -> list[tuple[str, str]]:
    found = inspected(make_wheel(files=FILES, record=record, **named))
    return [(mismatch.path, mismatch.problem) for mismatch in found.mismatches]


def test_a_good_wheel_tells_its_metadata_and_numbers():
    found = inspected(make_wheel(files=FILES, metadata="Name: demo\n", record=""))
    assert found.metadata == b"Name: demo\n"
    assert found.root == INFO
    assert found.member_count == 4
    assert found.unpacked == len(MODULE + b"Name: demo\n" + wheel_text("py3-none-any").encode())


@pytest.mark.parametrize(
    ("filename", "code"),
    [
        ("demo-1.0-py3-none-any.whl", None),
        ("demo-1.0-7-py3-none-any.whl", None),
        ("demo-1.0-py3-any.whl", "archive-kind"),
        ("demo-1.0-py3-none-any.zip", "archive-kind"),
        ("demo-1.0--none-any.whl", "archive-kind"),
        ("demo-1.1-py3-none-any.whl", "wheel-dist-info"),
        ("Demo-1.0-py3-none-any.whl", "wheel-dist-info"),
    ],
)
def test_the_dist_info_is_the_one_that_the_file_name_tells(filename, code):
    data = make_wheel()[1]
    if code is None:
        assert inspected((filename, data)).root == INFO
    else:
        assert refused(inspect_source, Memory(data), filename, "bdist_wheel", (), Limits()) == code


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("demo/_vendor/other-1.dist-info/METADATA", None),
        ("other-1.dist-info/METADATA", "wheel-dist-info"),
        ("Demo-1.0.Dist-Info/METADATA", "wheel-dist-info"),
        ("demo-1.0.data/purelib/other-1.dist-info/METADATA", "wheel-dist-info"),
        ("demo-1.0.data/PlatLib/other-1.dist-info/METADATA", "wheel-dist-info"),
        ("demo-1.0.data/purelib/other.py", None),
        (f"{INFO}/metadata", "wheel-file-missing"),
        (f"{INFO}/Wheel", "wheel-file-missing"),
        (f"{INFO}/record", "wheel-record-missing"),
        (f"{INFO}/metadata.json", None),
    ],
)
def test_no_second_dist_info_or_manifest_stands_in_a_wheel(path, code):
    wheel = make_wheel(files={path: b""})
    if code is None:
        assert inspected(wheel).member_count == 4
    else:
        assert refused(inspected, wheel) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [("METADATA", "wheel-file-missing"), ("WHEEL", "wheel-file-missing"), ("RECORD", "wheel-record-missing")],
)
def test_a_wheel_without_one_of_its_files_is_refused(name, code):
    assert refused(inspected, make_wheel(without=[name])) == code


def test_metadata_beyond_all_measure_are_refused():
    assert refused(lambda: inspected(make_wheel(metadata="x" * 101), limits=Limits(metadata=100))) == "archive-bomb"


def test_the_right_record_has_no_mismatches():
    assert problems(good_record()) == []
    inspected(make_wheel()).check_record()


SHA = "sha256=" + "A" * 43
ROW = good_record().splitlines()[0]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (good_record().replace(ROW + "\n", ""), ("demo/__init__.py", "is not in RECORD")),
        (good_record() + f"demo/other.py,{SHA},1\n", ("demo/other.py", "is not in the wheel")),
        (good_record() + ROW + "\n", ("demo/__init__.py", "is told twice in RECORD")),
        (good_record(**{"demo/__init__.py": b"x" * 23}), ("demo/__init__.py", "differs from its hash in RECORD")),
        (good_record().replace(",23\n", ",24\n"), ("demo/__init__.py", "differs from its size in RECORD")),
        (
            good_record().replace(ROW, "demo/__init__.py,,"),
            ("demo/__init__.py", "has no hash of SHA-256 or better in RECORD"),
        ),
        (
            good_record().replace(ROW, "demo/__init__.py"),
            ("demo/__init__.py", "has no hash of SHA-256 or better in RECORD"),
        ),
        (
            good_record().replace(ROW, "demo/__init__.py,md5=tFFGBRWYzDDlVhQ7hSBQ5A,23"),
            ("demo/__init__.py", "has no hash of SHA-256 or better in RECORD"),
        ),
        (
            good_record().replace(ROW, "demo/__init__.py,sha256=%%%,23"),
            ("demo/__init__.py", "differs from its hash in RECORD"),
        ),
    ],
    ids=lambda value: value[1].replace(" ", "_") if isinstance(value, tuple) else "",
)
def test_each_difference_between_record_and_contents_is_told(record, expected):
    assert problems(record) == [expected]


@pytest.mark.parametrize(
    "record",
    [
        good_record().replace("demo/__init__.py", "demo\\__init__.py"),
        good_record().replace("\n", "\r\n"),
        good_record() + "\n",
        good_record().replace(",23\n", ",\n"),
        good_record().replace("demo/__init__.py", '"demo/__init__.py"'),
    ],
    ids=["backslashes", "CRLF", "a blank line", "no size", "quotes"],
)
def test_the_record_may_be_written_otherwise(record):
    assert problems(record) == []


@pytest.mark.parametrize("algorithm", ["sha384", "sha512", "sha3_256", "blake2b"])
def test_hashes_better_than_sha256_count(algorithm):
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, MODULE).digest()).decode().rstrip("=")
    assert problems(good_record().replace(ROW, f"demo/__init__.py,{algorithm}={digest},23")) == []


@pytest.mark.parametrize("name", ["RECORD.jws", "RECORD.p7s"])
def test_deprecated_signatures_need_no_row(name):
    assert problems(good_record()) == []
    found = inspected(make_wheel(files=FILES | {f"{INFO}/{name}": b"{}"}, record=good_record()))
    assert found.mismatches == ()


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"\xff,,\n", "wheel-record-invalid"),
        (b'"demo,,\n', "wheel-record-invalid"),
        (b'"a"b,,\n', "wheel-record-invalid"),
        ("/etc/passwd,,\n", "wheel-record-unsafe"),
        ("../../bin/sh,,\n", "wheel-record-unsafe"),
        ("demo\\..\\x,,\n", "wheel-record-unsafe"),
        ("C:/x,,\n", "wheel-record-unsafe"),
    ],
)
def test_a_record_that_is_no_list_of_own_files_is_refused(record, code):
    assert refused(inspected, make_wheel(record=record)) == code


def test_a_mismatch_refuses_where_the_index_is_strict():
    found = inspected(make_wheel(files=FILES, record=""))
    assert found.mismatch_count == 3
    assert refused(found.check_record) == "wheel-record-mismatch"


def test_of_many_mismatches_the_first_are_kept_and_all_are_counted():
    found = inspected(make_wheel(files={f"demo/{number}.py": b"" for number in range(100)}, record=""))
    assert (len(found.mismatches), found.mismatch_count) == (20, 102)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[console_scripts]\nde.mo-1 = demo:main [extra]\n",
        "[group]\na/b = demo:main\n",
        "# a comment\n",
        "[x]\n[y]\n",
    ],
)
def test_entry_points_are_taken(text):
    assert inspected(make_wheel(entry_points=text)).root == INFO


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\n../x = demo:main\n",
        "[console_scripts]\n/x = demo:main\n",
        "[gui_scripts]\na/b = demo:main\n",
        "[console_scripts]\na\\b = demo:main\n",
        "[console_scripts]\na\0b = demo:main\n",
        "[console_scripts]\n.. = demo:main\n",
        "[console_scripts]\na b = demo:main\n",
        "[DEFAULT]\n../x = demo:main\n[console_scripts]\n",
        "[console_scripts]\ndemo: demo\n",
        "demo = demo:main\n",
        "[console_scripts]\na = b\na = c\n",
        b"[console_scripts]\n\xff = demo:main\n",
    ],
)
def test_entry_points_that_cannot_be_scripts_are_refused(text):
    assert refused(inspected, make_wheel(entry_points=text)) == "wheel-entry-points-invalid"


def test_licence_files_are_found_where_they_belong():
    found = inspected(
        make_wheel(licenses={"LICENSE": b"MIT", "deep/NOTICE": b"x"}), "LICENSE", "deep/NOTICE", "AUTHORS"
    )
    assert found.licenses == ("LICENSE", "deep/NOTICE")
    assert found.missing_licenses == ("AUTHORS",)
    assert refused(found.check_licenses) == "license-file-missing"
    replace(found, missing_licenses=()).check_licenses()


def test_a_licence_file_beside_its_folder_does_not_count():
    assert inspected(make_wheel(files={f"{INFO}/LICENSE": b"MIT"}), "LICENSE").missing_licenses == ("LICENSE",)


def test_boms_are_kept_up_to_a_measure():
    wheel = make_wheel(sboms={"a.cdx.json": b"{}", "large.json": b"x" * 99, "deep/b.json": b"[]"})
    sboms = inspected(wheel, limits=Limits(sboms=10)).sboms
    assert [(sbom.path.removeprefix(f"{INFO}/sboms/"), sbom.size, sbom.content) for sbom in sboms] == [
        ("a.cdx.json", 2, b"{}"),
        ("large.json", 99, None),
        ("deep/b.json", 2, b"[]"),
    ]


def test_a_wheel_whose_first_block_is_a_tar_header_too_is_refused():
    """A tar reader would see a member whose name is the zip's first header."""
    contents = bytearray(512)
    unchecked = Lies(crc=0)
    plain = zip_bytes([Member("a", bytes(contents), local=unchecked, central=unchecked)])
    at = 148 - plain.index(bytes(512))
    contents[at : at + 8] = b"%06o\0 " % (sum(plain[:512]) + 8 * 0x20)
    both = zip_bytes([Member("a", bytes(contents), local=unchecked, central=unchecked)])
    assert refused(inspected, ("a-1-py3-none-any.whl", both)) == "archive-polyglot"
    assert refused(inspected, ("a-1-py3-none-any.whl", plain)) == "wheel-dist-info"


def test_a_wheel_sent_as_an_sdist_is_refused():
    with pytest.raises(Refused):
        inspected(("demo-1.0.tar.gz", make_wheel()[1]))
    with pytest.raises(Refused):
        inspected(("demo-1.0-py3-none-any.whl", make_sdist()[1]))
