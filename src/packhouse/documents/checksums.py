"""Joining CRC-32 checksums: the checksum of two strings in a row from those of each, without reading them again.

The method is that of zlib's ``crc32_combine``: a checksum is a polynomial over GF(2) modulo the CRC's generator, and
appending n bytes multiplies it by x^(8n).  Python's ``zlib`` does not expose it.
"""

from functools import cache

_GENERATOR = 0xEDB88320
_ONE = 1 << 31


def _multiply(a: int, b: int) -> int:
    """The product of two polynomials modulo the generator (bit-reversed, as CRC-32 keeps them)."""
    product, mask = 0, _ONE
    while a:
        if a & mask:
            product ^= b
            a ^= mask
        mask >>= 1
        b = (b >> 1) ^ _GENERATOR if b & 1 else b >> 1
    return product


@cache
def _square(power: int) -> int:
    """x^(2^power) modulo the generator."""
    return _ONE >> 1 if power == 0 else _multiply(_square(power - 1), _square(power - 1))


def shift_by(length: int) -> int:
    """The factor by which *length* bytes behind it move a checksum: x^(8·length)."""
    factor, power = _ONE, 3
    while length:
        if length & 1:
            factor = _multiply(_square(power), factor)
        length >>= 1
        power += 1
    return factor


def combine(first: int, second: int, shift: int) -> int:
    """The CRC-32 of two strings in a row; *shift* is ``shift_by`` of the second one's length."""
    return _multiply(shift, first) ^ second
