"""How a setting is declared: its group, help and kind, and its default, or how that is made from other settings."""

import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field
from typing import Any, Final

from packhouse.base.values import Kind

DERIVED: Final[Any] = None
"""The default of a setting that is made from others."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is declared about one field of ``options.Config``."""

    group: str
    help: str
    kind: Kind
    secret: bool = False
    derive: Callable[[Any], Any] | None = None
    derived_text: str = ""


def setting(
    group: str,
    help: str,  # noqa: A002
    kind: Kind,
    default: Any = MISSING,
    *,
    derive: Callable[[Any], Any] | None = None,
    derived_text: str = "",
    secret: bool = False,
) -> Any:
    """A field with what the reader must know of it; one with *derive* is made from the other settings.

    *derived_text* tells in words how.
    """
    declared = Setting(group, help, kind, secret, derive, derived_text)
    if derive:
        default = DERIVED
    return field(default=default, repr=not secret, metadata={"setting": declared})


def about(item: Field[Any]) -> Setting:
    """What is declared about the field *item* of ``options.Config``."""
    declared: Setting = item.metadata["setting"]
    return declared


def without_secrets(setting: Setting, text: str) -> str:
    """*text*, a value of *setting*, as it may be shown."""
    if not setting.secret or not text:
        return text
    if text == "database":
        return text
    return _hidden(text) if re.match(r"[a-z0-9]+://", text) else "(hidden)"


def _hidden(value: str) -> str:
    """*value* without what an address may carry in secret: user information and query."""
    scheme, _, rest = value.partition("?")[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
