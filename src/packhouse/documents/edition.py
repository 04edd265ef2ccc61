"""With what documents were made: the way of rendering, and the public URL that links begin with.  Pure.

Each document says so by a number.  Readers take no other than their own, so that a link to an address that the index
no longer has is never served, however long it takes to make all documents anew.
"""

from functools import lru_cache
from hashlib import sha256
from typing import Final

RENDERING: Final = 1
"""Raised by one when the same rows make other bytes than before."""
INDEX: Final = "index"
STAMP: Final = "stamp"
WITHHELD: Final = "withheld"
"""Of the files that may not be downloaded."""
PROVENANCE: Final = "provenance/"
"""Before the name of a file: what it came with, which is never made in another way."""
INTEGRITY_CLOSED: Final = "integrity/closed"
"""Stored while no provenance is served."""
_WITHOUT_LINKS: Final = frozenset({INDEX, STAMP, WITHHELD, INTEGRITY_CLOSED})


def stamp_of(public_url: str) -> str:
    """What the stamp says once all documents were made with *public_url*."""
    return f"{RENDERING} {public_url.rstrip('/')}"


@lru_cache(maxsize=16)
def number(stamp: str) -> int:
    """The edition of documents made with *stamp*: some number of 56 bits, never 0."""
    return int.from_bytes(sha256(stamp.encode()).digest()[:7], "big") | 1


def is_of(edition: int, key: str, made: int) -> bool:
    """Whether the document *key* that was *made* so is of that *edition*; those without links are of every one."""
    return made == edition or key in _WITHOUT_LINKS or key.startswith(PROVENANCE)
