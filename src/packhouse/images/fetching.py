"""Fetching a picture: http or https, public addresses only, with bounds on time, size and the number of redirects."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Final
from urllib.parse import urljoin

from packhouse.base.egress import FAILURES, asked, parts_of, read
from packhouse.base.network import NotAllowed
from packhouse.images import kinds
from packhouse.images.addresses import LONGEST, PREFIX

LARGEST: Final = 5 * 1024**2
SECONDS: Final = 8.0
REDIRECTS: Final = 3
MOVED: Final = frozenset({301, 302, 303, 307, 308})
MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})", re.IGNORECASE)
SHORTEST, USUAL, LONGEST_KEPT = 3600, 86_400, 7 * 86_400
"""Seconds for which a picture is kept: as its origin says, within bounds."""
HEADERS: Final = {
    "User-Agent": "packhouse-images",
    "Accept": "image/avif,image/webp,image/png,image/svg+xml,image/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class NotFetched(Exception):
    """There is no picture to show; the text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture, its media type, and for how many seconds it may be kept."""

    kind: str
    data: bytes
    lifetime: int


def fetch(url: str, *, allowed: Sequence[str] = (), seconds: float = SECONDS) -> Picture:
    """The picture at *url*, within *seconds* in total.  Networks *allowed* count as public, and may use any port.

    Raises ``NotFetched``.
    """
    deadline = time.monotonic() + seconds
    try:
        for _ in range(REDIRECTS + 1):
            _check(url)
            with asked(url, allowed=allowed, deadline=deadline, headers=HEADERS) as response:
                target = response.headers.get("Location")
                if response.status not in MOVED or not target:
                    return _picture(response, deadline)
                url = urljoin(url, target)
    except FAILURES as error:  # ValueError: an address or a picture that is none
        raise NotFetched(f"{type(error).__name__}: {error}"[:200]) from error
    raise NotFetched("it is redirected too often")


def _check(url: str) -> None:
    """A picture of this proxy, or of one like it, is not fetched again.  Raises ``NotAllowed``."""
    if len(url) > LONGEST or PREFIX in parts_of(url).path:
        raise NotAllowed("it is too long, or comes from a proxy of pictures")


def _picture(response: HTTPResponse, deadline: float) -> Picture:
    """The picture in an answer, if it is one."""
    if response.status != 200:
        raise NotFetched(f"its origin answers {response.status}")
    data = read(response, at_most=LARGEST, deadline=deadline)
    kind, shown = kinds.recognised(data)
    said = MAX_AGE.search(response.headers.get("Cache-Control", ""))
    return Picture(kind, shown, min(LONGEST_KEPT, max(SHORTEST, int(said[1]) if said else USUAL)))
