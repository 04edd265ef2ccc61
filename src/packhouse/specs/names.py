"""Project names: which are valid, which are the same, which may be taken.

Names and normalisation: https://packaging.python.org/specifications/name-normalization/ (PEP 503, PEP 508).
"""

import re

from packhouse.specs.errors import Refused
from packhouse.specs.stdlib_names import STDLIB_NAMES

NAME_MAX_LENGTH = 200
"""Characters; the longest name on PyPI has fewer than 100, and a file name must hold it beside version and tags."""

RESERVED_NAMES: frozenset[str] = frozenset(
    {"admin", "legacy", "packages", "pypi", "requirements", "requirements-txt", "simple"}
)
"""Normalised names that nobody may take: what remains when an installer's command line loses a slash or an option
(``pip install -i https://host simple``, ``pip install requirements.txt``) and the index's own first path segments."""

REASONS: dict[str, str] = {
    "name-invalid": "A project name holds ASCII letters, digits, '.', '_' and '-' only, starts and ends with a letter"
    f" or digit, and has at most {NAME_MAX_LENGTH} characters.",
    "name-is-standard-library": "A project may not take the name of a module of Python's standard library.",
    "name-is-reserved": "A project may not take a name that the index itself or a mistyped install command uses.",
}

_VALID = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?", re.ASCII | re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_.]+")
_LOOK_ALIKES = str.maketrans({".": None, "_": None, "-": None, "l": "1", "i": "1", "o": "0"})


def normalize(name: str) -> str:
    """Return the one spelling that all equal names share: lower case, runs of ``-_.`` become one ``-`` (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def is_valid_name(name: str) -> bool:
    """Tell whether ``name`` is a project name of PEP 508, short enough, without surrounding space or newline."""
    return len(name) <= NAME_MAX_LENGTH and _VALID.fullmatch(name) is not None


def skeleton(name: str) -> str:
    """Return what the eye sees of a name: two names of one skeleton are too similar for two projects.

    Separators go, ``l`` ``L`` ``i`` ``I`` become ``1`` and ``o`` ``O`` become ``0``, the rest is lower case.
    """
    return name.lower().translate(_LOOK_ALIKES)


def is_stdlib_name(name: str) -> bool:
    """Tell whether ``name``, in any spelling, is that of a standard library module of CPython 2.6 to 3.14."""
    return normalize(name) in STDLIB_NAMES


def is_reserved_name(name: str) -> bool:
    """Tell whether ``name``, in any spelling, is one of `RESERVED_NAMES`."""
    return normalize(name) in RESERVED_NAMES


def check_name(name: str) -> str:
    """Return ``name`` when it is valid; raise `Refused` (``name-invalid``) otherwise."""
    if is_valid_name(name):
        return name
    raise Refused(
        "name-invalid", f"{shorten(name)!r} is an invalid value for Name. {REASONS['name-invalid']}", field="name"
    )


def check_project_name(name: str) -> str:
    """Return ``name`` when a new project may bear it, as far as the name alone tells; raise `Refused` otherwise.

    Whether the name is taken, too similar to another one or prohibited here is known to the projects room.
    """
    check_name(name)
    if is_stdlib_name(name):
        raise Refused(
            "name-is-standard-library", f"The name {name!r} is that of a standard library module.", field="name"
        )
    if is_reserved_name(name):
        raise Refused("name-is-reserved", f"The name {name!r} is reserved.", field="name")
    return name


def shorten(value: str, limit: int = 60) -> str:
    """Return ``value`` for a message: its middle is left out past ``limit`` characters."""
    if len(value) <= limit:
        return value
    half = (limit - 3) // 2
    return f"{value[:half]}...{value[-half:]}"
