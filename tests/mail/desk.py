"""What tests of letters share: a letter to post, and a worker that tries what waits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from packhouse.mail.actions import post
from packhouse.mail.draft import Button, Draft
from packhouse.mail.models import Letter
from packhouse.queue import backend, leases
from packhouse.queue.models import QueuedTask


def a_draft() -> Draft:
    return Draft(
        subject="Something happened",
        says=["The first paragraph.", "The <b>second</b> & last."],
        facts=[("Who", "ada")],
        button=Button("Look at it", "/somewhere/"),
        because="Because of a test.",
    )


def post_one(cause: str = "1", *, to: str = "ada@users.example", **options: Any) -> Letter:
    """A letter, posted and committed."""
    given = {"user_id": None, "language": "en"} | options
    with transaction.atomic():
        return post(given.pop("name", "note"), given.pop("draft", a_draft), to=to, cause=cause, **given)


def deliver(rounds: int = 1) -> list[str]:
    """Run the tasks of the queue ``mail``, those not yet due too, *rounds* times; returns the states they end in."""
    states = []
    for _ in range(rounds):
        tasks = QueuedTask.objects.waiting().filter(queue="mail")
        tasks.update(run_at="2000-01-01T00:00:00Z")
        due = tasks.count()
        for _turn in range(due):
            for row in leases.claim("mail", name="tester", lease=timedelta(seconds=20), limit=1):
                failure = None
                try:
                    backend.call(row)
                except Exception as raised:  # noqa: BLE001
                    failure = raised
                leases.settle(row, failure)
                states.append(QueuedTask.objects.get(pk=row.pk).state)
    return states


def with_mail(url: str, **more: Any) -> Any:
    """The configuration of the tests with another way out."""
    return replace(settings.PACKHOUSE, mail=url, **more)
