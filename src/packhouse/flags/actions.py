"""Turning flags."""

from django.db import transaction

from packhouse.audit import actions as audit
from packhouse.base import clock
from packhouse.base.facts import announce
from packhouse.flags import queries
from packhouse.flags.facts import FlagTurned
from packhouse.flags.known import KNOWN
from packhouse.flags.models import Flag


def set_flag(*, name: str, enabled: bool, notify: bool = False, by: audit.Actor = None) -> None:
    """Turn the flag on or off; this process sees it at once, others within a second.

    Raises ``KeyError`` for an undeclared flag.
    """
    if name not in KNOWN:
        raise KeyError(f"{name} is not declared in packhouse.flags.known")
    with transaction.atomic():
        Flag.objects.update_or_create(
            name=name, defaults={"enabled": enabled, "notify": notify, "changed": clock.now()}
        )
        audit.record(
            "flag:change",
            subject=audit.Subject("index", "flags", name),
            by=by,
            additional={"flag": name, "enabled": enabled, "notify": notify},
        )
        announce(FlagTurned(name, enabled))
        transaction.on_commit(queries.forget)
