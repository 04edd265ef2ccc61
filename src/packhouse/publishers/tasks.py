"""Background work of trusted publishing."""

from datetime import timedelta
from typing import Final

from packhouse.base import clock
from packhouse.publishers import leftovers, pending
from packhouse.publishers.models import MintedToken, UsedIdentity
from packhouse.queue import background

KEPT: Final = timedelta(days=1)
"""For how long minted tokens are kept after their end, so that the trail can be followed."""


@background("heavy", attempts=3, unique=True)
def forget_expired() -> None:
    """Delete tokens that ended long ago, and the memory of identity tokens that nobody takes any more."""
    MintedToken.objects.filter(expires__lt=clock.now() - KEPT).delete()
    UsedIdentity.objects.filter(expires__lt=clock.now()).delete()


@background("mail", attempts=3, unique=True)
def expire_pending() -> None:
    """Remove pending publishers that were not used within their time."""
    pending.expire()


@background("mail", attempts=3, unique=True)
def remind_of_pending() -> None:
    """Remind users of pending publishers that will soon be removed."""
    pending.remind()


@background("mail", attempts=3, unique=True)
def tell_of_tokens() -> None:
    """Tell of API tokens that are used beside a trusted publisher.  Safe to run twice."""
    leftovers.tell_of_tokens()
