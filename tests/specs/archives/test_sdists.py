"""What a source distribution must hold."""

import struct
import zlib

import pytest
from tests.builders import Member, TarMember, make_sdist, zip_bytes
from tests.specs.archives.cases import inspected, refused

from packhouse.specs.archives.limits import Limits


def test_a_good_sdist_tells_its_metadata_and_numbers():
    found = inspected(make_sdist(metadata="Name: demo\n", files={"demo.py": b"12345"}))
    assert (found.metadata, found.root, found.member_count) == (b"Name: demo\n", "demo-1.0", 2)
    assert found.unpacked == len(found.metadata) + 5
    found.check_record()


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (TarMember("demo-1.0/egg-info/PKG-INFO"), None),
        (TarMember("demo-1.0", kind=b"5"), None),
        (TarMember("demo-1.0/link", kind=b"2", link="PKG-INFO"), None),
        (TarMember("demo-1.1/x"), "sdist-one-folder"),
        (TarMember("x"), "sdist-one-folder"),
        (TarMember("Demo-1.0/x"), "sdist-one-folder"),
        (TarMember("demo-1.0/pkg-info"), "sdist-pkg-info-missing"),
        (TarMember("demo-1.0/PKG-INFO"), "archive-path-duplicate"),
    ],
    ids=lambda value: value.name if isinstance(value, TarMember) else value,
)
def test_one_folder_holds_one_pkg_info(member, code):
    sdist = make_sdist(extra=(member,))
    if code is None:
        assert inspected(sdist).root == "demo-1.0"
    else:
        assert refused(inspected, sdist) == code


@pytest.mark.parametrize(
    "member",
    [
        TarMember("demo-1.0/x"),
        TarMember("demo-1.0/PKG-INFO", kind=b"5"),
        TarMember("demo-1.0/PKG-INFO", kind=b"2", link="x"),
        TarMember("demo-1.0/pkg-info"),
    ],
)
def test_an_sdist_without_the_file_pkg_info_is_refused(member):
    assert refused(inspected, make_sdist(without=("PKG-INFO",), extra=(member,))) == "sdist-pkg-info-missing"


def test_an_empty_sdist_is_refused():
    assert refused(inspected, make_sdist(without=("PKG-INFO",), files={})) == "sdist-one-folder"


def test_metadata_beyond_all_measure_are_refused():
    assert refused(lambda: inspected(make_sdist(metadata="x" * 101), limits=Limits(metadata=100))) == "archive-bomb"


def test_licence_files_are_found_below_the_top_folder():
    link = TarMember("demo-1.0/COPYING", kind=b"2", link="LICENSE")
    sdist = make_sdist(licenses={"LICENSE": b"MIT", "deep/NOTICE": b"x"}, extra=(link,))
    found = inspected(sdist, "LICENSE", "deep/NOTICE", "COPYING", "deep")
    assert found.licenses == ("LICENSE", "deep/NOTICE")
    assert found.missing_licenses == ("COPYING", "deep")


def test_a_zip_is_no_sdist_any_more():
    assert refused(inspected, ("demo-1.0.zip", zip_bytes([Member("demo-1.0/PKG-INFO")]))) == "archive-kind"


def test_an_sdist_with_a_zip_in_its_gzip_header_is_refused():
    """A reader of zips looks from the end for a directory, and would find that of another archive."""
    tar = make_sdist()[1]
    hidden = zip_bytes([Member("evil.py", b"x")])
    extra = struct.pack("<2sH", b"zz", len(hidden)) + hidden
    with_zip = tar[:3] + bytes([tar[3] | 4]) + tar[4:10] + struct.pack("<H", len(extra)) + extra + tar[10:]
    assert zlib.decompress(with_zip, 31) == zlib.decompress(tar, 31)
    assert refused(inspected, ("demo-1.0.tar.gz", with_zip)) == "archive-polyglot"
    assert inspected(("demo-1.0.tar.gz", tar)).root == "demo-1.0"
