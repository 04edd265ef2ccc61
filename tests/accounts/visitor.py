"""A person in front of a browser, who also reads their mail."""

import re
from typing import Any

from django.test import Client
from tests.factories.accounts import make_user

from packhouse.accounts.models import User
from packhouse.mail.models import Letter
from packhouse.queue import backend
from packhouse.queue.models import QueuedTask

PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "a much longer phrase of bytes"
LINK = re.compile(r"https?://[^/\s]+(/\S+)")


def make_member(username: str = "ada", **fields: Any) -> User:
    """A user who can sign in with ``PASSWORD``; without a second factor unless asked for."""
    return make_user(username, password=fields.pop("password", PASSWORD), **{"two_factor": False} | fields)


class Visitor(Client):
    """Django's test client, with the ways of people."""

    def register(self, **fields: str) -> Any:
        form = {"username": "ada", "name": "Ada", "email": "ada@users.example", "password": PASSWORD}
        return self.post("/account/register/" + fields.pop("query", ""), form | fields)

    def log_in(self, username: str = "ada", password: str = PASSWORD, **more: str) -> Any:
        return self.post("/account/login/", {"username": username, "password": password} | more)

    def is_in(self) -> bool:
        """Whether there is a session that works."""
        return bool(self.get("/manage/account/sessions/").status_code == 200)

    def forget_proof(self) -> None:
        """Let the half hour pass."""
        session = self.session
        session.pop("proved_at", None)
        session.save()


def link_in(name: str, to: str | None = None) -> str:
    """The path that the newest letter *name* leads to."""
    found = Letter.objects.filter(name=name, **({"to": to} if to else {})).latest("pk")
    match = LINK.search(found.text)
    assert match, found.text
    return match[1]


def letters(*names: str) -> list[tuple[str, str]]:
    """Which letters went to whom."""
    found = Letter.objects.filter(name__in=names) if names else Letter.objects.all()
    return sorted(found.values_list("name", "to"))


def work_off(name: str = "packhouse.accounts.tasks") -> None:
    """Run the waiting tasks whose path begins with *name*."""
    for row in QueuedTask.objects.waiting().filter(name__startswith=name):
        backend.call(row)
        QueuedTask.objects.filter(pk=row.pk).delete()
