"""Versions of releases: parsing, one canonical spelling, a sort key that a database can order.

https://packaging.python.org/specifications/version-specifiers/ (PEP 440).
"""

from bisect import bisect
from collections.abc import Sequence

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from packhouse.specs.errors import Refused
from packhouse.specs.names import shorten

VERSION_MAX_LENGTH = 200
"""Characters.  PEP 440 knows no limit; a version must fit a file name, and Python refuses to parse endless numbers."""

REASONS: dict[str, str] = {
    "version-invalid": "A version follows PEP 440, in ASCII without surrounding space, and has at most"
    f" {VERSION_MAX_LENGTH} characters.",
}

_END = b"\x00"
_PRE_RANK = {"a": b"\x01", "b": b"\x02", "rc": b"\x03"}
_LEGACY = b"\x00"


def parse(text: str) -> Version:
    """Return the version that ``text`` spells; raise `Refused` (``version-invalid``) if it is none of PEP 440."""
    version = _parse_or_none(text)
    if version is None:
        message = f"{shorten(text)!r} is invalid for Version. {REASONS['version-invalid']}"
        raise Refused("version-invalid", message, field="version")
    return version


def canonical(version: Version) -> str:
    """Return the one spelling that all equal versions share: normalised, without trailing zeros (``1.0`` → ``1``)."""
    return canonicalize_version(version)


def is_prerelease(version: Version) -> bool:
    """Tell whether installers pass the version over unless asked: alpha, beta, candidate or development release."""
    return version.is_prerelease


def sort_key(version: Version) -> bytes:
    """Return a key whose bytes order is the order of PEP 440, for numbers of any size.

    Equal versions have equal keys, and no key is the beginning of another one, so that more may be appended.
    The parts stand in the order in which they decide: epoch, release without trailing zeros, pre, post, dev, local.
    """
    return b"".join(
        (
            _number(version.epoch),
            _release(version.release),
            _pre(version),
            _END if version.post is None else b"\x01" + _number(version.post),
            b"\x01" if version.dev is None else _END + _number(version.dev),
            _local(version.local),
        )
    )


def sort_key_of(text: str) -> bytes:
    """Return the `sort_key` of the version that ``text`` spells; text that spells none sorts before every version."""
    version = _parse_or_none(text)
    if version is not None:
        return sort_key(version)
    # Escaped, so that the end mark cannot stand inside and different texts have different keys.
    escaped = text.encode(errors="surrogatepass").replace(b"\x01", b"\x01\x02").replace(b"\x00", b"\x01\x01")
    return _LEGACY + escaped + _END


def with_version(versions: Sequence[str], version: str) -> Sequence[str]:
    """Return ascending *versions* with *version* among them, in its place."""
    if version in versions:
        return versions
    at = bisect(versions, sort_key_of(version), key=sort_key_of)
    return [*versions[:at], version, *versions[at:]]


def _parse_or_none(text: str) -> Version | None:
    if len(text) > VERSION_MAX_LENGTH or not text.isascii() or text != text.strip():
        return None
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _number(number: int) -> bytes:
    """Encode so that larger numbers sort later: length first.  Never begins with a zero byte, which marks ends."""
    digits = number.to_bytes((number.bit_length() + 7) // 8)
    if len(digits) < 254:
        return bytes([len(digits) + 1]) + digits
    return b"\xff" + _number(len(digits)) + digits


def _release(release: tuple[int, ...]) -> bytes:
    significant = len(release)
    while significant and release[significant - 1] == 0:
        significant -= 1
    return b"".join(map(_number, release[:significant])) + _END


def _pre(version: Version) -> bytes:
    if version.pre is not None:
        letter, number = version.pre
        return _PRE_RANK[letter] + _number(number)
    # 1.dev1 comes before 1a1, but 1.post1.dev1 after 1rc1.
    only_dev = version.dev is not None and version.post is None
    return b"\x00" if only_dev else b"\x04"


def _local(local: str | None) -> bytes:
    parts = local.split(".") if local else []
    return b"".join(b"\x02" + _number(int(p)) if p.isdigit() else b"\x01" + p.encode() + _END for p in parts) + _END
