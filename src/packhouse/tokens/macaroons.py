"""The text of an API token: ``{prefix}-`` and a libmacaroons v2 binary macaroon in URL-safe base64 without padding.

Knows nothing of Django.  Format: https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from pymacaroons import MACAROON_V2, Macaroon, Verifier
from pymacaroons.exceptions import MacaroonException

MAX_TEXT = 16 * 1024
"""The longest token text that is looked at, in characters."""


class MacaroonRefused(ValueError):
    """The text is no token of ours; the message says why."""


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as presented: well-formed, its signature not yet verified.  ``caveats`` are in the holder's order."""

    identifier: UUID
    caveats: tuple[str, ...]
    macaroon: Macaroon


def mint(*, location: str, identifier: UUID, root_key: bytes, caveats: Iterable[str], prefix: str) -> str:
    """The text of a new token, signed with *root_key* (32 bytes)."""
    macaroon = Macaroon(location=location, identifier=str(identifier), key=root_key, version=MACAROON_V2)
    for caveat in caveats:
        macaroon.add_first_party_caveat(caveat)
    return f"{prefix}-{macaroon.serialize()}"


def parse(text: str, prefix: str) -> Presented:
    """The token in *text*.

    There is one spelling for each token: text that would be written otherwise (padding, stray characters, trailing
    bytes, the v1 format) is refused, and so are third-party caveats, which nobody here can discharge.
    Raises ``MacaroonRefused``.
    """
    if len(text) > MAX_TEXT:
        raise MacaroonRefused("token is too long")
    encoded = text.removeprefix(f"{prefix}-")
    if encoded == text or not encoded.startswith("A"):  # "A" opens every v2 macaroon: the version byte 0x02
        raise MacaroonRefused("token has an unknown format")
    macaroon = _deserialize(encoded)
    if not all(caveat.first_party() for caveat in macaroon.caveats):
        raise MacaroonRefused("third-party caveats are not supported")
    try:
        identifier = UUID(bytes.decode(macaroon.identifier_bytes, "ascii"))
        caveats = tuple(bytes.decode(caveat.caveat_id_bytes, "utf-8") for caveat in macaroon.caveats)
    except ValueError:
        raise MacaroonRefused("token is malformed") from None
    return Presented(identifier, caveats, macaroon)


def _deserialize(encoded: str) -> Macaroon:
    try:
        macaroon = Macaroon.deserialize(encoded)
        faithful = macaroon.version == MACAROON_V2 and macaroon.serialize() == encoded
    except Exception:  # noqa: BLE001 - the library raises many kinds, plain Exception among them, on malformed bytes
        raise MacaroonRefused("token is malformed") from None
    if not faithful:
        raise MacaroonRefused("token is malformed")
    return macaroon


def is_signed_with(presented: Presented, root_keys: Sequence[bytes]) -> bool:
    """Whether one of *root_keys* signed the token and every caveat that was added to it since.

    Compares in constant time.  Caveats are judged elsewhere, and only after this: nothing in an unsigned token is read.
    """
    verifier = Verifier()
    verifier.satisfy_general(lambda _: True)
    return any(_verifies(verifier, presented.macaroon, key) for key in root_keys)


def _verifies(verifier: Verifier, macaroon: Macaroon, root_key: bytes) -> bool:
    try:
        return bool(verifier.verify(macaroon, root_key))
    except MacaroonException:
        return False
