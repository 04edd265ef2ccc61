"""Addresses in ``Author-email`` and ``Maintainer-email``: lists of addresses, each perhaps with a name (RFC 5322)."""

import re

ADDRESS_MAX_LENGTH = 254
"""Characters of one address: what fits an SMTP path (RFC 5321, erratum 1690)."""

_QUOTED_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)')
_LOCAL_PART = r"[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f.]+(?:\.[^\s@<>()\[\],;:\"\\\x00-\x1f\x7f.]+)*"
_LABEL = r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?"
_ADDRESS = re.compile(rf"{_LOCAL_PART}@{_LABEL}(?:\.{_LABEL})+")


def first_address(value: str) -> str | None:
    """Return the first address of a list such as ``Ann <ann@example.com>, bob@example.com``; None if it has none.

    The standard library's parser recurses for each bracket of a comment; this one is linear.
    """
    first, *_ = _QUOTED_OR_COMMENT.sub(" ", value).split(",")
    name, bracket, rest = first.partition("<")
    address = (rest.partition(">")[0] if bracket else name).strip()
    return address or None


def is_valid_address(address: str) -> bool:
    """Tell whether ``address`` is written as one of e-mail is, with a dotted domain.  It need not exist."""
    return len(address) <= ADDRESS_MAX_LENGTH and _ADDRESS.fullmatch(address) is not None
