"""What may be removed.  Pure functions over plain facts.  Who must have a factor stands in ``accounts.rules``."""

from packhouse.base.decision import ALLOWED, Decision, denied


def may_remove(setting: str, *, factors: int) -> Decision:
    """Whether a user with so many *factors* may remove one: the last one stays, unless nobody needs one.

    *setting* is ``require_two_factor``.  Whoever has published something would be locked out of it.
    """
    if factors > 1 or setting == "nobody":
        return ALLOWED
    return denied("last-factor", "Set up another second factor first: your account must have one.")
