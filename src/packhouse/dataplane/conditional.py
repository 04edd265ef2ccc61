"""Conditional and range requests (RFC 9110 §13, §14)."""

import re
from typing import Literal

_RANGE = re.compile(r"^\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*$", re.IGNORECASE)
UNSATISFIABLE: Literal["unsatisfiable"] = "unsatisfiable"


def matches(if_none_match: str, etag: str) -> bool:
    """Whether the value of ``If-None-Match`` holds *etag* (weak comparison) or is ``*``."""
    if if_none_match == etag:
        return True
    return any(part.strip().removeprefix("W/") in (etag, "*") for part in if_none_match.split(","))


def byte_range(header: str, size: int) -> tuple[int, int] | Literal["unsatisfiable"] | None:
    """The slice that a ``Range`` value asks for, as (start, end), end not included.

    None when the header is to be ignored: another unit, several ranges, or malformed.  ``UNSATISFIABLE`` is a 416.
    """
    found = _RANGE.match(header)
    if not found or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if first == "":
        length = min(int(last), size)
        return (size - length, size) if length else UNSATISFIABLE
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return (start, end) if start < size else UNSATISFIABLE


def range_applies(if_range: str | None, etag: str) -> bool:
    """Whether a ``Range`` is still good for the representation with *etag* (strong comparison; dates never match)."""
    return if_range is None or if_range.strip() == etag
