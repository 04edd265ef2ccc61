"""Caveats: what restricts an API token, in the JSON shapes that PyPI's tokens use.

A caveat is a compact JSON array ``[tag, field, …]``.  Reading is strict: exact types (``true`` and ``1.0`` are no
integers), no unknown tag, no extra field.  What cannot be read denies.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID


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
    """What caveats are judged against: the time (seconds since the epoch), the project asked for, the token's user."""

    now: float
    user_uid: UUID | None
    project: NamedProject | None = None


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
        raise CaveatRefused("publisher-scoped token used without its trusted publisher")


Caveat = Expiration | ProjectName | ProjectID | RequestUser | OIDCPublisher


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
