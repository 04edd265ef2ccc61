"""The text form of tokens: made as libmacaroons does, read strictly."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymacaroons import MACAROON_V1, MACAROON_V2, Macaroon

from packhouse.tokens.macaroons import MAX_TEXT, MacaroonRefused, is_signed_with, mint, parse

KEY = bytes(range(32))
ROW = UUID("33333333-3333-4333-8333-333333333333")


def a_token(*caveats: str) -> str:
    return mint(location="index.example", identifier=ROW, root_key=KEY, caveats=caveats, prefix="packhouse")


def raw(text: str) -> bytes:
    encoded = text.removeprefix("packhouse-")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def text_of(data: bytes) -> str:
    return "packhouse-" + base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_a_token_has_the_bytes_that_libmacaroons_writes() -> None:
    location, identifier, caveat = b"index.example", str(ROW).encode(), b'[1,["sample"]]'
    head = b"\x02" + b"\x01" + bytes([len(location)]) + location + b"\x02" + bytes([len(identifier)]) + identifier
    body = b"\x00" + b"\x02" + bytes([len(caveat)]) + caveat + b"\x00" + b"\x00" + b"\x06\x20"
    assert raw(a_token(caveat.decode()))[:-32] == head + body


def test_a_token_starts_as_secret_scanners_expect() -> None:
    assert a_token('[3,"x"]').startswith("packhouse-AgENaW5kZXguZXhhbXBsZ")


def test_a_token_is_signed_by_its_own_key_alone() -> None:
    presented = parse(a_token('[1,["sample"]]'), "packhouse")
    assert (presented.identifier, presented.caveats) == (ROW, ('[1,["sample"]]',))
    assert is_signed_with(presented, [KEY])
    assert is_signed_with(presented, [b"0" * 32, KEY])
    assert not is_signed_with(presented, [b"0" * 32])
    assert not is_signed_with(presented, [])


def test_a_holder_can_add_a_caveat_without_the_index() -> None:
    macaroon = Macaroon.deserialize(a_token().removeprefix("packhouse-"))
    macaroon.add_first_party_caveat("[0,2,1]")
    presented = parse("packhouse-" + macaroon.serialize(), "packhouse")
    assert presented.caveats == ("[0,2,1]",)
    assert is_signed_with(presented, [KEY])


def test_a_caveat_cannot_be_taken_away() -> None:
    signature = raw(a_token("[0,2,1]"))[-32:]
    assert not is_signed_with(parse(text_of(raw(a_token())[:-32] + signature), "packhouse"), [KEY])


def third_party() -> str:
    macaroon = Macaroon(location="x", identifier=str(ROW), key=KEY, version=MACAROON_V2)
    macaroon.caveats.append(caveat := Macaroon.deserialize(a_token("c").removeprefix("packhouse-")).caveats[0])
    caveat.location, caveat.verification_key_id = "elsewhere", b"v" * 48
    return "packhouse-" + macaroon.serialize()


GOOD = a_token('[1,["sample"]]')
MALFORMED = {
    "nothing": "",
    "the prefix alone": "packhouse-",
    "another prefix": GOOD.replace("packhouse-", "pypi-"),
    "the prefix in capitals": GOOD.replace("packhouse-", "Packhouse-"),
    "no prefix": GOOD.removeprefix("packhouse-"),
    "padding": GOOD + "=",
    "a stray character": GOOD[:20] + "!" + GOOD[20:],
    "a line break": GOOD[:20] + "\n" + GOOD[20:],
    "no ASCII": GOOD[:20] + "é" + GOOD[20:],
    "the other alphabet": "packhouse-" + base64.b64encode(raw(GOOD) + b"\xff\xff").decode(),
    "trailing bytes": text_of(raw(GOOD) + b"\x00\x00\x00"),
    "a short signature": text_of(raw(GOOD)[:-3]),
    "a cut caveat": text_of(raw(GOOD)[:70]),
    "a longer number than needed": text_of(raw(GOOD).replace(b"\x02\x01\x0d", b"\x02\x01\x8d\x00", 1)),
    "an identifier that is no UUID": text_of(raw(GOOD).replace(b"33333333-", b"zzzzzzzz-", 1)),
    "a caveat that is not UTF-8": text_of(raw(GOOD).replace(b"sample", b"s\xff\xffple", 1)),
    "a third-party caveat": third_party(),
    "format v1": "packhouse-" + Macaroon(location="x", identifier=str(ROW), key=KEY, version=MACAROON_V1).serialize(),
    "too many characters": GOOD + "A" * MAX_TEXT,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_token_is_refused_for(text: str) -> None:
    with pytest.raises(MacaroonRefused):
        parse(text, "packhouse")


@given(st.text() | st.binary().map(text_of) | st.binary(min_size=1).map(lambda tail: text_of(b"\x02" + tail)))
def test_reading_raises_nothing_but_a_refusal(text: str) -> None:
    try:
        presented = parse(text, "packhouse")
    except MacaroonRefused:
        return
    assert not is_signed_with(presented, [KEY])


@given(st.data())
def test_no_changed_byte_keeps_the_signature(data) -> None:
    content = bytearray(raw(GOOD))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    try:
        presented = parse(text_of(bytes(content)), "packhouse")
    except MacaroonRefused:
        return
    # The location is a hint and is not signed (as in every macaroon).
    assert at < 16 or not is_signed_with(presented, [KEY])


@given(st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=5))
def test_appended_caveats_only_add_to_what_must_hold(first, more) -> None:
    macaroon = Macaroon.deserialize(a_token(*first).removeprefix("packhouse-"))
    for caveat in more:
        macaroon.add_first_party_caveat(caveat)
    presented = parse("packhouse-" + macaroon.serialize(), "packhouse")
    assert presented.caveats == (*first, *more)
    assert is_signed_with(presented, [KEY])
