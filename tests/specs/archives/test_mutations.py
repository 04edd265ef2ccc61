"""Whatever happens to a good archive, it is read or refused, and nothing else."""

import time
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import gz, make_sdist, make_wheel, tar_bytes
from tests.builders.tarbytes import TarMember
from tests.specs.archives.cases import inspected

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


def read_or_refuse(filename: str, data: bytes) -> None:
    began = time.process_time()
    with suppress(Refused):
        inspected((filename, data))
    assert time.process_time() - began < 5


@settings(max_examples=400)
@given(mutated(WHEEL[1]))
def test_any_mutation_of_a_wheel_is_read_or_refused(data):
    read_or_refuse(WHEEL[0], data)


@settings(max_examples=200)
@given(mutated(SDIST[1]))
def test_any_mutation_of_an_sdist_is_read_or_refused(data):
    read_or_refuse(SDIST[0], data)


@settings(max_examples=400)
@given(mutated(TAR))
def test_any_mutation_within_the_gzip_of_an_sdist_is_read_or_refused(data):
    read_or_refuse(SDIST[0], gz(data))


@settings(max_examples=300)
@given(mutated(make_wheel.__doc__.encode()), st.sampled_from(["record", "entry_points", "metadata"]))
def test_any_text_in_a_wheel_is_read_or_refused(data, where):
    read_or_refuse(*make_wheel(**{where: data}))


def test_the_unmutated_ones_are_good():
    for distribution in (WHEEL, SDIST, (SDIST[0], gz(TAR))):
        assert inspected(distribution).member_count > 0
