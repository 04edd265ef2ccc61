"""Whose a GitHub account is: its name as it spells itself, and its number, by GitHub's API (setting ``github_api``)."""

import json
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings

from packhouse.base import metrics
from packhouse.base.egress import FAILURES, asked, read

NOBODY: Final = "none://"
PATIENCE: Final = 5.0
LARGEST: Final = 256 * 1024


class NoSuchOwner(Exception):
    """GitHub has no account of that name."""


class OwnersUnavailable(Exception):
    """GitHub does not say; ``is_limited`` where it was asked too often."""

    def __init__(self, why: str, *, is_limited: bool = False) -> None:
        super().__init__(why)
        self.is_limited = is_limited


@dataclass(frozen=True, slots=True)
class Owner:
    """An account of a person or an organization."""

    name: str
    number: str


def is_set_up() -> bool:
    return bool(settings.PACKHOUSE.github_api != NOBODY)


def probe() -> str:
    """Asks for GitHub's own account; raises ``OwnersUnavailable`` or ``NoSuchOwner``."""
    return f"knows {owner_named('github').name}"


def owner_named(name: str) -> Owner:
    """The account of that name.  Raises ``NoSuchOwner`` and ``OwnersUnavailable``."""
    status, content = _asked(name)
    if status == 404:
        raise NoSuchOwner(name)
    if status != 200:
        metrics.count("packhouse_upstream_errors", "github")
        raise OwnersUnavailable(f"GitHub answers {status}", is_limited=status in {403, 429})
    match _parsed(content):
        case {"login": str(login), "id": int(number)} if login.lower() == name.lower():
            return Owner(login, str(number))
    raise OwnersUnavailable("GitHub answers something else")


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _asked(name: str) -> tuple[int, bytes]:
    url = f"{settings.PACKHOUSE.github_api.rstrip('/')}/users/{quote(name, safe='')}"
    headers = {
        "Accept": "application/vnd.github+json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": "packhouse",
    }
    if token := settings.PACKHOUSE.github_api_token:
        headers["Authorization"] = f"Bearer {token}"
    deadline = time.monotonic() + PATIENCE
    try:
        with asked(url, allowed=None, deadline=deadline, headers=headers) as response:
            return response.status, read(response, at_most=LARGEST, deadline=deadline)
    except FAILURES as error:
        metrics.count("packhouse_upstream_errors", "github")
        raise OwnersUnavailable(f"{type(error).__name__}: {error}") from error
