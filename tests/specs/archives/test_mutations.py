"""Whatever happens to a good archive, it is read or refused, and nothing else."""

import io
import tarfile
import time
import zipfile
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import gz, make_sdist, make_wheel, tar_bytes
from tests.builders.tarbytes import BLOCK, TarMember
from tests.specs.archives.cases import inspected, tar_contents, zip_contents

from packhouse.specs.errors import Refused

WHEEL = make_wheel(
    entry_points="[console_scripts]\ndemo = demo:main\n", sboms={"a": b"{}"}, licenses={"LICENSE": b"MIT"}
)
MEMBERS = [
    TarMember("demo-1.0", kind=b"5"),
    TarMember("demo-1.0/PKG-INFO", b"Name: demo\n", pax={"mtime": "1.5"}),
    TarMember("././@LongLink", b"demo-1.0/" + b"x" * 200, b"L"),
    TarMember("demo-1.0/" + "x" * 20, b"long"),
    TarMember("demo-1.0/link", kind=b"2", link="PKG-INFO"),
]
TAR = tar_bytes(MEMBERS)
SDIST = make_sdist()
HEADERS = [at for at in range(len(TAR) // BLOCK) if TAR[at * BLOCK + 257 : at * BLOCK + 262] == b"ustar"]
FIELDS = [(0, 100), (0, 1), (124, 12), (124, 4), (156, 1), (157, 100), (257, 8), (345, 155)]
ODD = [
    b"0",
    b"1",
    b"5",
    b"L",
    b"x",
    b"demo-1.0/",
    b"demo-1.0/a/",
    b"00000000012 ",
    b"  14\0",
    b"\x80",
    b"ustar  \0",
    b"../x",
    b".",
]


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Some bytes replaced, cut out or doubled."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        length = draw(st.sampled_from([1, 1, 1, 2, 4, 8, 30, 512]))
        piece = changed[at : at + length]
        replacement = st.one_of(
            st.binary(min_size=1, max_size=8), st.sampled_from([b"", bytes(piece) * 2, b"\xff" * 4])
        )
        changed[at : at + length] = draw(replacement)
    return bytes(changed)


@st.composite
def mutated_headers(draw: st.DrawFn) -> bytes:
    """One field of one header replaced, and the checksum made right again: what an attacker would do."""
    data = bytearray(TAR)
    start = BLOCK * draw(st.sampled_from(HEADERS))
    at, length = draw(st.sampled_from(FIELDS))
    text = draw(st.one_of(st.binary(max_size=length), st.sampled_from(ODD))).ljust(length, b"\0")[:length]
    data[start + at : start + at + length] = text
    data[start + 148 : start + 156] = b" " * 8
    data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + BLOCK])
    return bytes(data)


def read_or_refuse(filename: str, data: bytes) -> None:
    began = time.process_time()
    with suppress(Refused):
        inspected((filename, data))
    assert time.process_time() - began < 5


@settings(max_examples=400)
@given(mutated(WHEEL[1]))
def test_any_mutation_of_a_wheel_is_refused_or_means_to_zipfile_what_it_means_here(data):
    read_or_refuse(WHEEL[0], data)
    with suppress(Refused):
        ours = zip_contents(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert ours == {path(info.filename): archive.read(info) for info in archive.infolist()}


@settings(max_examples=200)
@given(mutated(SDIST[1]))
def test_any_mutation_of_an_sdist_is_read_or_refused(data):
    read_or_refuse(SDIST[0], data)


@settings(max_examples=400)
@given(st.one_of(mutated(TAR), mutated_headers()))
def test_any_mutation_of_a_tar_is_refused_or_means_to_tarfile_what_it_means_here(data):
    read_or_refuse(SDIST[0], gz(data))
    with suppress(Refused):
        ours = tar_contents(gz(data))
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            assert ours == {path(member.name): contents_of(archive, member) for member in archive}


def path(name: str) -> str:
    """As ours are: backslashes are separators too."""
    return name.replace("\\", "/").removesuffix("/")


def contents_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member) if member.isfile() else None
    return file.read() if file else b""


@settings(max_examples=100)
@given(mutated((make_wheel.__doc__ or "").encode()), st.sampled_from(["record", "entry_points", "metadata"]))
def test_any_text_in_a_wheel_is_read_or_refused(data, where):
    read_or_refuse(*make_wheel(**{where: data}))


def test_the_unmutated_ones_are_good():
    for distribution in (WHEEL, SDIST, (SDIST[0], gz(TAR))):
        assert inspected(distribution).member_count > 0
