"""What a user must have done before publishing.  Pure functions over plain facts; all texts reach the uploader."""

from packhouse.base.decision import ALLOWED, Decision, denied
from packhouse.base.identity import Identity


def must_have_verified_email(identity: Identity) -> Decision:
    """Users need a verified primary address; other identities have none."""
    if identity.kind != "user" or identity.verified_email:
        return ALLOWED
    return denied(
        "email-not-verified",
        f"User {identity.username!r} does not have a verified primary email address. "
        "Please add and verify a primary email address before attempting to upload.",
    )


def needs_two_factor(setting: str, *, publishes: bool) -> bool:
    """Whether *setting* (``require_two_factor``) asks for a second factor before what belongs to publishing, or not."""
    return setting == "everybody" or (publishes and setting != "nobody")


def must_have_two_factor(identity: Identity, setting: str, *, publishes: bool = True) -> Decision:
    """Users need a second factor where *setting* (``require_two_factor``) says so; see ``needs_two_factor``.

    A token that the operator made passes.
    """
    if identity.kind != "user" or identity.two_factor or not needs_two_factor(setting, publishes=publishes):
        return ALLOWED
    return denied(
        "two-factor-missing",
        f"User {identity.username!r} does not have two-factor authentication enabled. "
        "Please enable two-factor authentication before attempting to upload.",
    )
