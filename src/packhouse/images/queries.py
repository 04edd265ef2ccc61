"""Asking for a picture: from the shelf, else from its origin."""

import threading
from collections.abc import Callable
from functools import cache
from typing import Final

import structlog
from django.conf import settings

from packhouse.base import clock
from packhouse.images.fetching import NotFetched, fetch
from packhouse.images.shelf import Kept, Shelf

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
REFUSED_FOR: Final = 600
"""Seconds for which a picture that could not be fetched is not asked for again, and an old one is shown instead."""


class TooBusy(Exception):
    """As many pictures are being fetched as may be; the others come later."""


def picture(url: str, may_fetch: Callable[[], bool]) -> Kept | None:
    """The picture at *url*; None where there is none.  Raises ``TooBusy``.

    *may_fetch* is asked before it is fetched: no reader may have very many fetched.

    A picture that has aged is shown for as long as its origin does not answer.
    """
    kept = shelf().get(url)
    if kept is None or not kept.is_fresh:
        kept = _fetched(url, kept, may_fetch)
    return kept if kept.kind else None


def _fetched(url: str, old: Kept | None, may_fetch: Callable[[], bool]) -> Kept:
    if not may_fetch() or not _turns().acquire(blocking=False):
        if old is not None:
            return old
        raise TooBusy
    try:
        new = _new(url, old)
    finally:
        _turns().release()
    shelf().put(url, new)
    return new


def _new(url: str, old: Kept | None) -> Kept:
    now = int(clock.now().timestamp())
    try:
        found = fetch(url, allowed=settings.PACKHOUSE.image_networks)
    except NotFetched as refused:
        log.info("image-not-fetched", url=url, reason=str(refused))
        return Kept(old.kind, old.data, now + REFUSED_FOR) if old else Kept("", b"", now + REFUSED_FOR)
    return Kept(found.kind, found.data, now + found.lifetime)


@cache
def shelf() -> Shelf:
    """The shelf of this process."""
    return Shelf(settings.PACKHOUSE.home / "cache" / "images", settings.PACKHOUSE.image_cache_size)


@cache
def _turns() -> threading.Semaphore:
    """Half of the threads: a slow origin never holds all of them."""
    return threading.Semaphore(max(1, settings.PACKHOUSE.threads // 2))
