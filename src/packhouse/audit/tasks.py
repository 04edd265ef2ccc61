"""Background work of the trail."""

from datetime import timedelta
from typing import Final

from django.conf import settings

from packhouse.audit import actions
from packhouse.base import clock
from packhouse.queue import background

AT_ONCE: Final = 5000
"""Events deleted in one transaction: short enough that nobody waits for it."""


@background("default", attempts=3, unique=True)
def forget_old() -> None:
    """Delete events that are older than ``audit_retention_days``.  Safe to run twice."""
    days = settings.PACKHOUSE.audit_retention_days
    if days == 0:
        return
    moment = clock.now() - timedelta(days=days)
    while actions.forget_before(moment, at_most=AT_ONCE) == AT_ONCE:
        pass
