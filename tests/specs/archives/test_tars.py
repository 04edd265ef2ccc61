"""Tarballs that some readers read otherwise are refused; what real tools write is taken."""

import gzip
import io
import tarfile
from dataclasses import replace

import pytest
from tests.builders import TarMember, gz, gz_repeated, tar_bytes
from tests.builders.tarbytes import BLOCK
from tests.specs.archives.cases import Case, refused, sentence, tar_contents, tar_names

from packhouse.specs.archives.limits import MIB, Limits

FILE = TarMember("demo-1.0/a.txt", b"first")
GNU_MAGIC = b"ustar  \0"


def tar(*members: TarMember, end: bytes = bytes(2 * BLOCK)) -> bytes:
    return gz(tar_bytes([FILE, *members], end=end))


def named(name: str | bytes) -> bytes:
    return tar(TarMember(name, b"x"))


def pax(**records: str | bytes) -> bytes:
    return tar(TarMember("demo-1.0/b", b"second", pax=records))


def raw_pax(records: bytes, kind: bytes = b"x") -> bytes:
    return tar(TarMember("x", records, kind), TarMember("demo-1.0/b", b"second"))


def link(target: str, name: str = "demo-1.0/sub/link", kind: bytes = b"2") -> bytes:
    return tar(TarMember(name, kind=kind, link=target))


def sized(size: int | bytes) -> bytes:
    return tar(TarMember("demo-1.0/b", b"second", size=size))


def gnu(kind: bytes, text: bytes) -> TarMember:
    return TarMember("././@LongLink", text, kind)


GOOD = tar()
LONG = b"demo-1.0/" + b"x" * 200
SECOND = TarMember("demo-1.0/b")
FOLDER = TarMember("demo-1.0/b", kind=b"5")
CASES = [
    Case("a second gzip member", GOOD, GOOD + gz(b""), "gzip-trailing-data"),
    Case("bytes after the gzip member", GOOD, GOOD + b"\0", "gzip-trailing-data"),
    Case("a cut gzip stream", GOOD, GOOD[:-1], "gzip-invalid"),
    Case("a wrong gzip checksum", GOOD, GOOD[:-8] + b"1234" + GOOD[-4:], "gzip-invalid"),
    Case("a wrong gzip length", GOOD, GOOD[:-1] + b"\1", "gzip-invalid"),
    Case("no gzip at all", GOOD, tar_bytes([FILE]), "gzip-invalid"),
    Case("nothing", GOOD, b"", "gzip-invalid"),
    Case("no end", GOOD, tar(end=b""), "tar-no-end"),
    Case("half an end", GOOD, tar(end=bytes(BLOCK)), "tar-no-end"),
    Case("a member after one block of zeros", GOOD, tar(end=bytes(BLOCK) + tar_bytes([SECOND])), "tar-no-end"),
    Case(
        "a member after the end", tar(end=bytes(10240)), tar(end=bytes(1024) + tar_bytes([SECOND])), "tar-trailing-data"
    ),
    Case("a member that is cut off", GOOD, gz(tar_bytes([FILE])[: BLOCK + 3]), "gzip-invalid"),
    Case("a wrong checksum", tar(SECOND), tar(replace(SECOND, checksum=1)), "tar-header-invalid"),
    Case(
        "an unknown dialect",
        tar(replace(SECOND, magic=GNU_MAGIC)),
        tar(replace(SECOND, magic=b"other")),
        "tar-header-invalid",
    ),
    Case("a time that is no number", tar(SECOND), tar(replace(SECOND, time=b"12x45678901\0")), "tar-header-invalid"),
    Case(
        "a time before 1970",
        tar(replace(SECOND, time=b"\xff" * 12)),
        tar(replace(SECOND, time=b"-1")),
        "tar-header-invalid",
    ),
    Case("a negative size", sized(6), sized(b"-0000000006\0"), "tar-size-invalid"),
    Case("a negative binary size", sized(6), sized(b"\xff" * 12), "tar-size-invalid"),
    Case("a binary size", sized(6), sized(b"\x80" + bytes(10) + b"\6"), "tar-size-invalid"),
    Case("digits after the size", sized(b"06\0"), sized(b"06\0" + b"7" * 9), "tar-size-invalid"),
    Case("a folder with a size", tar(FOLDER), tar(replace(FOLDER, size=512)), "tar-size-invalid"),
    Case("a link with a size", link("../a.txt"), tar(TarMember("demo-1.0/l", b"x", b"2", "a.txt")), "tar-size-invalid"),
    Case("another size in pax", pax(size="6"), pax(size="5"), "tar-size-invalid"),
    Case("a GNU sparse file", tar(SECOND), tar(replace(SECOND, kind=b"S")), "tar-sparse"),
    Case("a pax sparse file", pax(mtime="1.5"), pax(**{"GNU.sparse.realsize": "9"}), "tar-sparse"),
    Case("a star sparse file", pax(**{"SCHILY.dev": "1"}), pax(**{"SCHILY.realsize": "9"}), "tar-sparse"),
    Case("a hard link", link("../a.txt"), link("demo-1.0/a.txt", kind=b"1"), "tar-kind"),
    Case("a character device", tar(SECOND), tar(replace(SECOND, kind=b"3")), "tar-kind"),
    Case("a block device", tar(SECOND), tar(replace(SECOND, kind=b"4")), "tar-kind"),
    Case("a named pipe", tar(SECOND), tar(replace(SECOND, kind=b"6")), "tar-kind"),
    Case("a Solaris header", tar(SECOND), tar(replace(SECOND, kind=b"X")), "tar-kind"),
    Case("a file with a folder's name", tar(replace(SECOND, kind=b"\0")), named("demo-1.0/c/"), "tar-kind"),
    Case("a link to the root", link("../a.txt"), link("/etc/passwd"), "tar-link-unsafe"),
    Case("a link to a drive", link("cc:a"), link("c:a"), "tar-link-unsafe"),
    Case("a link out of the top folder", link(".."), link("../.."), "tar-link-unsafe"),
    Case("a link out of it on Windows", link("..\\a.txt"), link("..\\..\\x"), "tar-link-unsafe"),
    Case("a link that goes up after down", link("../sub/./x"), link("../other/../x"), "tar-link-unsafe"),
    Case("a link that is the top folder", link("."), link(".", name="demo-1.1"), "tar-link-unsafe"),
    Case("a link to nothing", link("x"), link(""), "tar-link-unsafe"),
    Case(
        "a member below a link",
        link("x"),
        tar(TarMember("demo-1.0/l", kind=b"2", link="x"), TarMember("demo-1.0/l/y")),
        "archive-path-conflict",
    ),
    Case(
        "a link that differs in case",
        link("x"),
        tar(TarMember("demo-1.0/A.txt", kind=b"2", link="x")),
        "archive-path-conflict",
    ),
    Case("a member twice", tar(FOLDER, FOLDER), tar(SECOND, SECOND), "archive-path-duplicate"),
    Case("a file that is a folder too", tar(FOLDER), tar(FOLDER, SECOND), "archive-path-duplicate"),
    Case("a way up", named("demo-1.0/..b"), named("demo-1.0/../b"), "archive-path-unsafe"),
    Case("a root", named("demo-1.0/b"), named("/demo-1.0/b"), "archive-path-unsafe"),
    Case("a drive", named("demo-1.0/c:b"), named("c:/demo-1.0"), "archive-path-unsafe"),
    Case("a dot before the path", named("demo-1.0/.b"), named("./demo-1.0/b"), "archive-path-invalid"),
    Case("another encoding", named("demo-1.0/ü"), named(b"demo-1.0/\xfc"), "archive-path-invalid"),
    Case("a control character", named("demo-1.0/b c"), named("demo-1.0/b\nc"), "archive-path-invalid"),
    Case("a NUL in a pax path", pax(path="demo-1.0/c"), pax(path="demo-1.0/c\0.txt"), "archive-path-invalid"),
    Case("a way up in a pax path", pax(path="demo-1.0/c"), pax(path="demo-1.0/../c"), "archive-path-unsafe"),
    Case("an empty pax path", pax(path="demo-1.0/c"), pax(path=""), "archive-path-invalid"),
    Case(
        "a pax record that is too long", raw_pax(b"9 mtime=1"[:8] + b"\n"), raw_pax(b"99 mtime=1\n"), "tar-pax-invalid"
    ),
    Case("a pax record that is too short", raw_pax(b"11 mtime=1\n"), raw_pax(b"10 mtime=1\n"), "tar-pax-invalid"),
    Case("a pax record without length", raw_pax(b"11 mtime=1\n"), raw_pax(b"mtime=1\n"), "tar-pax-invalid"),
    Case("a pax record of length nothing", raw_pax(b"11 mtime=1\n"), raw_pax(b"0 mtime=1\n"), "tar-pax-invalid"),
    Case("a pax record without value", raw_pax(b"9 mtime=\n"), raw_pax(b"8 mtime\n"), "tar-pax-invalid"),
    Case("a pax path told twice", raw_pax(b"10 path=d\n"), raw_pax(b"10 path=d\n" * 2), "tar-pax-invalid"),
    Case(
        "two pax headers",
        pax(a="b"),
        tar(TarMember("x", b"6 a=b\n", b"x"), replace(SECOND, pax={"c": "d"})),
        "tar-pax-invalid",
    ),
    Case("a pax header without member", pax(a="b"), tar(TarMember("x", b"6 a=b\n", b"x")), "tar-pax-invalid"),
    Case("another charset", pax(hdrcharset="ISO-IR 10646 2000 UTF-8"), pax(hdrcharset="BINARY"), "tar-pax-invalid"),
    Case("a path for all members", raw_pax(b"12 comment=\n", b"g"), raw_pax(b"10 path=d\n", b"g"), "tar-pax-invalid"),
    Case(
        "a global header at the end",
        raw_pax(b"6 a=b\n", b"g"),
        tar(TarMember("x", b"6 a=b\n", b"g")),
        "tar-pax-invalid",
    ),
    Case(
        "a global header between",
        tar(gnu(b"L", LONG), SECOND),
        tar(gnu(b"L", LONG), TarMember("x", b"6 a=b\n", b"g"), SECOND),
        "tar-pax-invalid",
    ),
    Case("a huge header", tar(SECOND), tar(TarMember("x", bytes(MIB + 1), b"x"), SECOND), "tar-pax-invalid"),
    Case(
        "a name behind a name",
        tar(gnu(b"L", LONG + b"\0"), SECOND),
        tar(gnu(b"L", LONG + b"\0x"), SECOND),
        "tar-pax-invalid",
    ),
    Case(
        "a name behind its size",
        tar(gnu(b"L", LONG), SECOND),
        tar(replace(gnu(b"L", LONG), size=9), SECOND),
        "tar-pax-invalid",
    ),
    Case(
        "a record behind the header",
        pax(a="b"),
        tar(TarMember("x", b"6 a=b\n6 c=d\n", b"x", size=6), SECOND),
        "tar-pax-invalid",
    ),
    Case("a link with a folder's name", link("x"), link("x", name="demo-1.0/sub/"), "tar-kind"),
    Case(
        "two long names", tar(gnu(b"L", LONG), SECOND), tar(gnu(b"L", LONG), gnu(b"L", LONG), SECOND), "tar-pax-invalid"
    ),
    Case(
        "two dialects on a member",
        tar(gnu(b"L", LONG), SECOND),
        tar(gnu(b"L", LONG), replace(SECOND, pax={"a": "b"})),
        "tar-pax-invalid",
    ),
    Case(
        "a prefix outside POSIX",
        named("demo-1.0/" + "d" * 99 + "/x"),
        tar(TarMember("demo-1.0/" + "d" * 99 + "/x", magic=GNU_MAGIC)),
        "tar-header-invalid",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=sentence)
def test_a_tarball_with_something_that_readers_treat_differently_is_refused(case):
    assert refused(tar_contents, case.bad) == case.code


@pytest.mark.parametrize("case", CASES, ids=sentence)
def test_its_good_neighbour_holds_what_tarfile_finds_too(case):
    with tarfile.open(fileobj=io.BytesIO(case.good)) as archive:
        theirs = {member.name.replace("\\", "/"): member.size for member in archive}
    assert {path: len(data) for path, data in tar_contents(case.good).items()} == theirs


@pytest.mark.parametrize("dialect", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_tarfile_writes_is_taken(dialect):
    names = ["demo-1.0/ü.txt", "demo-1.0/" + "d" * 90 + "/" + "f" * 90]
    out = io.BytesIO()
    with gzip.open(out, "wb") as packed, tarfile.open(fileobj=packed, mode="w", format=dialect) as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uname = 4, 1.5, "nobody"
            archive.addfile(member, io.BytesIO(b"text"))
    assert tar_contents(out.getvalue()) == dict.fromkeys(names, b"text")


def test_a_comment_from_git_archive_is_taken():
    header = TarMember("pax_global_header", b"52 comment=" + b"a" * 40 + b"\n", b"g")
    assert list(tar_contents(gz(tar_bytes([header, FILE])))) == [FILE.name]


def test_readmes_that_differ_in_case_alone_are_taken():
    assert len(tar_contents(tar(TarMember("demo-1.0/README"), TarMember("demo-1.0/readme")))) == 3


def test_ten_gigabytes_of_zeros_are_refused_early():
    start = tar_bytes([replace(FILE, size=8**11 - 1, data=b"")], end=b"")
    assert refused(tar_names, gz_repeated(start, bytes(MIB), 10_000)) == "archive-bomb"


def test_gigabytes_of_zeros_after_the_end_are_refused_at_once():
    assert refused(tar_names, gz_repeated(tar_bytes([FILE]), bytes(MIB), 10_000)) == "tar-trailing-data"


def test_a_million_members_are_refused():
    folders = tar_bytes([TarMember("demo-1.0", kind=b"5")] * 1000, end=b"")
    assert refused(tar_contents, gz_repeated(b"", folders, 1000)) == "archive-too-many-members"


@pytest.mark.parametrize(("size", "allowed"), [(40_000, True), (200_000, False)])
def test_only_large_contents_may_not_unpack_to_fifty_times_their_size(size, allowed):
    data = tar(TarMember("demo-1.0/zeros", bytes(size)))
    limits = Limits(ratio_from=50_000)
    if allowed:
        assert tar_contents(data, limits)["demo-1.0/zeros"] == bytes(size)
    else:
        assert refused(tar_contents, data, limits) == "archive-bomb"


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 262_144, 1_000_003])
def test_contents_of_any_size_come_out_whole(size):
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    assert tar_contents(tar(TarMember("demo-1.0/b", data)))["demo-1.0/b"] == data
