"""Zips that some readers read otherwise are refused; what real tools write is taken."""

import io
import struct
import zipfile
from dataclasses import replace

import pytest
from tests.builders import Member, zip_bytes
from tests.builders.zipbytes import DESCRIPTOR_FLAG, End, Lies
from tests.specs.archives.cases import Case, refused, sentence, zip_contents

from packhouse.specs.archives.limits import Limits

A, B = Member("a.txt", b"first" * 9, method=8), Member("b.txt", b"second")
GOOD = zip_bytes([A, B])
END_RECORD = GOOD[-22:]


def zip64(*values: int) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def unicode_path(name: bytes) -> bytes:
    return struct.pack("<2HBI", 0x7075, 5 + len(name), 1, 0) + name


def with_local(**lies: int | bytes) -> bytes:
    return zip_bytes([replace(A, local=Lies(**lies)), B])


def with_central(**lies: int | bytes) -> bytes:
    return zip_bytes([replace(A, central=Lies(**lies)), B])


def with_end(**lies: int | bytes | bool) -> bytes:
    return zip_bytes([A, B], end=End(**lies))


def named(*names: str | bytes) -> bytes:
    return zip_bytes([Member(name, b"x") for name in names])


def with_mode(mode: int, made_by: bytes = b"\x14\x03") -> bytes:
    at = GOOD.index(b"PK\1\2")
    return GOOD[: at + 4] + made_by + GOOD[at + 6 : at + 40] + struct.pack("<H", mode) + GOOD[at + 42 :]


def both(member: Member, **lies: int | bytes) -> Member:
    return replace(member, local=Lies(**lies), central=Lies(**lies))


def extra(fields: bytes) -> bytes:
    return zip_bytes([replace(A, extra=fields), B])


def large(fields: bytes) -> bytes:
    """Sizes in ZIP64 alone in the local header: so ``zipfile`` writes what might have become large."""
    return zip_bytes([replace(A, local=Lies(size=0xFFFFFFFF, packed=0xFFFFFFFF, extra=fields)), B])


SIZES = (len(A.data), len(A.body))
TIMES = b"UT\x05\x00\x01abcd"
CASES = [
    Case("bytes before the first member", GOOD, zip_bytes([A, B], prefix=b"#!/bin/sh\n"), "zip-not-a-zip"),
    Case("bytes after the end", GOOD, GOOD + b"\0", "zip-trailing-data"),
    Case("a second end after the first", GOOD, GOOD + END_RECORD, "zip-end-mismatch"),
    Case("a zip record in the comment", with_end(comment=b"hello"), with_end(comment=b"PK\1\2"), "zip-hidden-record"),
    Case("no end", GOOD, GOOD[:-22], "zip-not-a-zip"),
    Case("too high a count of entries", GOOD, with_end(count_here=3, count=3), "zip-directory-invalid"),
    Case("too low a count of entries", GOOD, with_end(count_here=1, count=1), "zip-end-mismatch"),
    Case("counts that differ", GOOD, with_end(count_here=1), "zip-end-mismatch"),
    Case("another disk", GOOD, with_end(disk=1), "zip-end-mismatch"),
    Case("a wrong directory size", GOOD, with_end(size=1), "zip-end-mismatch"),
    Case("a wrong directory offset", GOOD, with_end(offset=1), "zip-end-mismatch"),
    Case("bytes between members and directory", GOOD, zip_bytes([A, B], gap=b"PK hidden"), "zip-gap"),
    Case("a member that is not listed", GOOD, zip_bytes([A, replace(B, listed=False)]), "zip-gap"),
    Case("a first member that is not listed", GOOD, zip_bytes([replace(A, listed=False), B]), "zip-gap"),
    Case("a listed member that is not there", GOOD, zip_bytes([A, replace(B, stored=False)]), "zip-header-mismatch"),
    Case("two entries for one member", GOOD, zip_bytes([A, replace(B, central=Lies(offset=0))]), "zip-gap"),
    Case("another name in the local header", GOOD, with_local(name=b"z.txt"), "zip-header-mismatch"),
    Case("another size in the local header", GOOD, with_local(size=1), "zip-header-mismatch"),
    Case("another packed size in the local header", GOOD, with_local(packed=1), "zip-header-mismatch"),
    Case("another packed size in the directory", GOOD, with_central(packed=1), "zip-header-mismatch"),
    Case("another checksum in the local header", GOOD, with_local(crc=1), "zip-header-mismatch"),
    Case("another method in the local header", GOOD, with_local(method=0), "zip-header-mismatch"),
    Case("a data descriptor", GOOD, with_local(flags=DESCRIPTOR_FLAG), "zip-data-descriptor"),
    Case("encryption", GOOD, with_central(flags=1), "zip-flags"),
    Case("a later version of zip", with_central(version=45), with_central(version=46), "zip-flags"),
    Case("a later version in the local header", with_local(version=45), with_local(version=46), "zip-flags"),
    Case("a comment on a member", GOOD, zip_bytes([replace(A, comment=b"c"), B]), "zip-member-comment"),
    Case("bzip2", GOOD, zip_bytes([replace(A, method=12)]), "zip-method"),
    Case("a real size above the stated one", GOOD, zip_bytes([both(A, size=44), B]), "zip-size-mismatch"),
    Case("a real size below the stated one", GOOD, zip_bytes([both(A, size=46), B]), "zip-size-mismatch"),
    Case("stored sizes that differ", GOOD, zip_bytes([A, both(B, size=7)]), "zip-size-mismatch"),
    Case("bytes after the packed data", GOOD, zip_bytes([replace(A, packed=A.body + b"x"), B]), "zip-size-mismatch"),
    Case("packed data without an end", GOOD, zip_bytes([replace(A, packed=A.body[:-2]), B]), "zip-size-mismatch"),
    Case("packed data that are corrupt", GOOD, zip_bytes([replace(A, packed=b"\xff" * 9), B]), "zip-corrupt"),
    Case("a wrong checksum", GOOD, zip_bytes([both(A, crc=7), B]), "zip-crc-mismatch"),
    Case("extra fields that are cut off", extra(TIMES), extra(TIMES[:-1]), "zip-extra-invalid"),
    Case("a stray byte after the extra fields", extra(TIMES), extra(TIMES + b"x"), "zip-extra-invalid"),
    Case("a zip record in an extra field", extra(TIMES), extra(b"UT\4\0PK\5\6"), "zip-hidden-record"),
    Case("another name in an extra", extra(unicode_path(b"a.txt")), extra(unicode_path(b"b.txt")), "zip-extra-invalid"),
    Case("that name twice", extra(unicode_path(b"a.txt")), extra(unicode_path(b"a.txt") * 2), "zip-extra-invalid"),
    Case("a second truth in ZIP64", extra(zip64(*SIZES)), extra(zip64(*SIZES[::-1])), "zip-zip64-invalid"),
    Case("ZIP64 twice", extra(zip64(*SIZES)), extra(zip64(*SIZES) * 2), "zip-extra-invalid"),
    Case("ZIP64 of odd length", extra(zip64()), extra(b"\1\0\4\0abcd"), "zip-zip64-invalid"),
    Case("sizes that ZIP64 lacks", large(zip64(*SIZES)), large(zip64(SIZES[0])), "zip-zip64-invalid"),
    Case("a ZIP64 end of wrong length", with_end(zip64=True), with_end(zip64=True, zip64_size=45), "zip-zip64-invalid"),
    Case("a ZIP64 end elsewhere", with_end(zip64=True), with_end(zip64=True, zip64_offset=0), "zip-zip64-invalid"),
    Case("no ZIP64 locator", with_end(zip64=True), with_end(zip64=True, locator=False), "zip-end-mismatch"),
    Case("two names alike", named("a/b", "a/c"), named("a/b", "a/b"), "archive-path-duplicate"),
    Case("two separators alike", named("a/b", "a\\c"), named("a/b", "a\\b"), "archive-path-duplicate"),
    Case("a file that is a folder too", named("a/b", "c"), named("a/b", "a"), "archive-path-conflict"),
    Case("a way up", named("a/b..c"), named("a/../b"), "archive-path-unsafe"),
    Case("a way up on Windows", named("a..\\b"), named("..\\b"), "archive-path-unsafe"),
    Case("a root", named("a"), named("/a"), "archive-path-unsafe"),
    Case("a drive", named("cc:a"), named("c:a"), "archive-path-unsafe"),
    Case("a control character", named("a b"), named("a\x1fb"), "archive-path-invalid"),
    Case("a NUL", named("a.py"), named("a.py\0.txt"), "archive-path-invalid"),
    Case("an empty part", named("a/b"), named("a//b"), "archive-path-invalid"),
    Case("a long name", named("a" * 1024), named("a" * 1025), "archive-path-invalid"),
    Case("another encoding", named("ü"), zip_bytes([Member(b"\xfc", flags=0x800)]), "archive-path-invalid"),
    Case("no UTF-8 flag", named("ü"), zip_bytes([Member("ü", flags=0)]), "zip-name-encoding"),
    Case("a symbolic link", with_mode(0o100644), with_mode(0o120777), "zip-kind"),
    Case("a folder without a slash", with_mode(0o644), with_mode(0o040755), "zip-kind"),
    Case("a folder with contents", zip_bytes([Member("a/")]), zip_bytes([Member("a/", b"x")]), "zip-kind"),
]


@pytest.mark.parametrize("case", CASES, ids=sentence)
def test_a_zip_with_something_that_readers_treat_differently_is_refused(case):
    assert refused(zip_contents, case.bad) == case.code


@pytest.mark.parametrize("case", CASES, ids=sentence)
def test_its_good_neighbour_holds_what_zipfile_finds_too(case):
    with zipfile.ZipFile(io.BytesIO(case.good)) as archive:
        theirs = {info.filename: archive.read(info) for info in archive.infolist()}
    ours = zip_contents(case.good)
    assert list(ours.values()) == list(theirs.values())
    assert list(ours) == [name.replace("\\", "/").rstrip("/") for name in theirs]


def test_members_that_share_their_data_are_refused():
    """A zip bomb of one layer: many entries over one kernel of packed zeros."""
    kernel = Member("0", bytes(10_000), method=8)
    others = [replace(kernel, name=str(number), stored=False, central=Lies(offset=0)) for number in range(1, 9)]
    assert refused(zip_contents, zip_bytes([kernel, *others])) == "zip-gap"


@pytest.mark.parametrize(("size", "allowed"), [(1000, True), (50_000, True), (60_000, False)])
def test_only_large_contents_may_not_unpack_to_fifty_times_their_size(size, allowed):
    data = zip_bytes([Member("zeros", bytes(size), method=8)])
    limits = Limits(ratio_from=50_000)
    if allowed:
        assert zip_contents(data, limits)["zeros"] == bytes(size)
    else:
        assert refused(zip_contents, data, limits) == "archive-bomb"


def test_a_bomb_that_hides_its_size_is_stopped_at_the_stated_one():
    bomb = both(Member("zeros", bytes(50_000_000), method=8), size=10)
    assert refused(zip_contents, zip_bytes([bomb])) == "zip-size-mismatch"


def test_more_members_than_allowed_are_refused():
    data = named(*map(str, range(6)))
    assert len(zip_contents(data, Limits(members=6))) == 6
    assert refused(zip_contents, data, Limits(members=5)) == "archive-too-many-members"


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 1_000_003])
@pytest.mark.parametrize("method", [0, 8])
def test_contents_of_any_size_come_out_whole(size, method):
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    assert zip_contents(zip_bytes([Member("a", data, method=method)])) == {"a": data}


@pytest.mark.parametrize("force_zip64", [False, True])
def test_what_zipfile_writes_is_taken(force_zip64):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        with archive.open("folder/ü.txt", "w", force_zip64=force_zip64) as member:
            member.write(b"text")
    assert zip_contents(out.getvalue()) == {"folder": b"", "folder/ü.txt": b"text"}
