"""Caveats: what restricts an API token, in the JSON shapes that PyPI's tokens use.

A caveat is a compact JSON array ``[tag, field, …]``.  Tags from 0 are PyPI's, tags from 100 our own.  Reading is
strict: exact types (``true`` and ``1.0`` are no integers), no unknown tag, no extra field.  What cannot be read denies.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Final, Protocol
from uuid import UUID

GRANTS: Final = ("upload", "yank", "manage", "read")
"""What a token may be made for, in the order in which it is shown."""
PATTERN: Final = re.compile(r"(?=.*[a-z0-9])[a-z0-9*](?:[a-z0-9*-]{0,98}[a-z0-9*])?\Z")
"""A pattern of normalized project names: ``*`` stands for any run of characters, also an empty one."""


class CaveatRefused(ValueError):
    """A caveat does not hold, or cannot be read; the message says why, for the person who holds the token."""


class NamedProject(Protocol):
    """What a caveat has to know of a project."""

    @property
    def normalized_name(self) -> str: ...
    @property
    def uid(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What caveats are judged against.

    ``now`` is in seconds since the epoch; ``user_uid`` is the token's user, or ``publisher_id`` its trusted publisher;
    ``project`` the project asked for, if any; ``grant`` which of ``GRANTS`` the request needs, empty for none;
    ``address`` the client's, empty where unknown.
    """

    now: float
    user_uid: UUID | None
    project: NamedProject | None = None
    grant: str = ""
    address: str = ""
    publisher_id: str = ""


@dataclass(frozen=True, slots=True)
class Expiration:
    """Holds while ``not_before`` ≤ now < ``expires_at`` (whole seconds since the epoch)."""

    expires_at: int
    not_before: int

    def fields(self) -> list[Any]:
        return [0, self.expires_at, self.not_before]

    def check(self, context: Context) -> None:
        if context.now < self.not_before:
            raise CaveatRefused("token is not yet valid")
        if context.now >= self.expires_at:
            raise CaveatRefused("token is expired")


@dataclass(frozen=True, slots=True)
class ProjectName:
    """Holds for the projects with these normalized names (PEP 503)."""

    normalized_names: tuple[str, ...]

    def fields(self) -> list[Any]:
        return [1, list(self.normalized_names)]

    def check(self, context: Context) -> None:
        _check_project(context, lambda project: project.normalized_name in self.normalized_names)


@dataclass(frozen=True, slots=True)
class ProjectID:
    """Holds for the projects with these ids, so that a name which was given up and taken again is another project."""

    project_ids: tuple[str, ...]

    def fields(self) -> list[Any]:
        return [2, list(self.project_ids)]

    def check(self, context: Context) -> None:
        _check_project(context, lambda project: str(project.uid) in self.project_ids)


@dataclass(frozen=True, slots=True)
class RequestUser:
    """Holds for requests in the name of this user; None stands for whichever user owns the token (legacy form)."""

    user_id: str | None

    def fields(self) -> list[Any]:
        return [3, self.user_id]

    def check(self, context: Context) -> None:
        if context.user_uid is None:
            raise CaveatRefused("user-scoped token used without a user")
        if self.user_id is not None and self.user_id != str(context.user_uid):
            raise CaveatRefused("user-scoped token is not valid for this user")


@dataclass(frozen=True, slots=True)
class OIDCPublisher:
    """Holds for one trusted publisher, therefore never for a user."""

    publisher_id: str

    def fields(self) -> list[Any]:
        return [4, self.publisher_id, None]

    def check(self, context: Context) -> None:
        if not context.publisher_id:
            raise CaveatRefused("publisher-scoped token used without its trusted publisher")
        if context.publisher_id != self.publisher_id:
            raise CaveatRefused("publisher-scoped token is not valid for this trusted publisher")


@dataclass(frozen=True, slots=True)
class ProjectPattern:
    """Holds for the projects whose normalized name matches one of these patterns (see ``PATTERN``)."""

    patterns: tuple[str, ...]

    def fields(self) -> list[Any]:
        return [100, list(self.patterns)]

    def check(self, context: Context) -> None:
        _check_project(
            context, lambda project: any(_matches(pattern, project.normalized_name) for pattern in self.patterns)
        )


@dataclass(frozen=True, slots=True)
class Permissions:
    """Holds for requests that need one of these grants, or none at all.  It takes rights away and gives none."""

    grants: tuple[str, ...]

    def fields(self) -> list[Any]:
        return [101, list(self.grants)]

    def check(self, context: Context) -> None:
        if context.grant and context.grant not in self.grants:
            raise CaveatRefused(f"token may not be used to {context.grant}")


@dataclass(frozen=True, slots=True)
class AddressRange:
    """Holds for requests from these networks (CIDR).  An address that is not known is in none."""

    networks: tuple[str, ...]

    def fields(self) -> list[Any]:
        return [102, list(self.networks)]

    def check(self, context: Context) -> None:
        if not any(_is_within(context.address, network) for network in self.networks):
            raise CaveatRefused("token may not be used from this address")


Caveat = (
    Expiration | ProjectName | ProjectID | RequestUser | OIDCPublisher | ProjectPattern | Permissions | AddressRange
)


def is_pattern(text: str) -> bool:
    """Whether *text* is a pattern of project names, in the one spelling that a caveat may have."""
    return bool(PATTERN.match(text))


def is_network(text: str) -> bool:
    """Whether *text* is a network in CIDR form without host bits, in the one spelling that a caveat may have."""
    try:
        return str(ip_network(text)) == text
    except ValueError:
        return False


def _matches(pattern: str, name: str) -> bool:
    """Whether *name* matches; the pattern's pieces are looked for from left to right, so the time is bounded."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    if not name.startswith(first) or len(name) < len(first) + len(last) or not name.endswith(last):
        return False
    position, end = len(first), len(name) - len(last)
    for piece in middle:
        found = name.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _is_within(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network)
    except ValueError:
        return False


def _check_project(context: Context, matches: Any) -> None:
    if context.project is None:
        raise CaveatRefused("project-scoped token used outside of a project")
    if not matches(context.project):
        raise CaveatRefused(f"project-scoped token is not valid for project: {context.project.normalized_name!r}")


def serialize(caveat: Caveat) -> str:
    """The caveat as compact JSON."""
    return compact(caveat.fields())


def compact(fields: list[Any]) -> str:
    """The JSON array *fields* in the spelling that tokens carry."""
    return json.dumps(fields, separators=(",", ":"))


def parse(text: str | bytes) -> Caveat:
    """The caveat that *text* spells.  Raises ``CaveatRefused`` when it is none of the known, exactly typed shapes."""
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise CaveatRefused("caveat is not JSON") from None
    match value:
        case {} if type(value) is dict:
            return _from_object(value)
        case [tag, *fields] if type(tag) is int:
            return _from_fields(tag, fields)
    raise CaveatRefused("caveat has an unknown shape")


def check_all(texts: Iterable[str | bytes], context: Context) -> None:
    """Raise ``CaveatRefused`` for the first caveat that does not hold in *context*."""
    for text in texts:
        parse(text).check(context)


def _from_fields(tag: int, fields: list[Any]) -> Caveat:
    match tag, fields:
        case 0, [expires_at, not_before] if type(expires_at) is int and type(not_before) is int:
            return Expiration(expires_at, not_before)
        case 1, [names] if _are_strings(names):
            return ProjectName(tuple(names))
        case 2, [ids] if _are_strings(ids):
            return ProjectID(tuple(ids))
        case 3, [user_id] if type(user_id) is str:
            return RequestUser(user_id)
        case 4, [publisher_id, *rest] if type(publisher_id) is str and _is_optional_string(rest):
            return OIDCPublisher(publisher_id)
    return _from_own_fields(tag, fields)


def _from_own_fields(tag: int, fields: list[Any]) -> Caveat:
    """The caveats that PyPI does not have."""
    match tag, fields:
        case 100, [patterns] if _are_strings(patterns) and all(map(is_pattern, patterns)):
            return ProjectPattern(tuple(patterns))
        case 101, [grants] if _are_strings(grants) and all(grant in GRANTS for grant in grants):
            return Permissions(tuple(grants))
        case 102, [networks] if _are_strings(networks) and all(map(is_network, networks)):
            return AddressRange(tuple(networks))
    raise CaveatRefused("caveat has an unknown tag or wrong fields")


def _from_object(value: dict[str, Any]) -> Caveat:
    """The caveat that one of the object forms spells; tokens carried them before there were arrays."""
    match value:
        case {"version": 1, "permissions": "user", **rest} if type(value["version"]) is int and not rest:
            return RequestUser(None)
        case {"version": 1, "permissions": {"projects": names, **more}, **rest} if (
            type(value["version"]) is int and not rest and not more
        ):
            return _from_fields(1, [names])
        case {"nbf": not_before, "exp": expires_at, **rest} if not rest:
            return _from_fields(0, [expires_at, not_before])
        case {"project_ids": ids, **rest} if not rest:
            return _from_fields(2, [ids])
    raise CaveatRefused("caveat has an unknown shape")


def _are_strings(value: Any) -> bool:
    return type(value) is list and all(type(item) is str for item in value)


def _is_optional_string(rest: list[Any]) -> bool:
    return not rest or (len(rest) == 1 and (rest[0] is None or type(rest[0]) is str))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once each: two readers must not see two meanings."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("repeated key")
    return value
