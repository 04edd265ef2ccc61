"""Tasks for the tests: they note in files what they did, because they run in other processes."""

import asyncio
import os
import time
from pathlib import Path

from django.db import transaction

from packhouse.queue import Later, actions, background


@background()
def note(path: str, line: str = "done") -> None:
    with Path(path).open("a") as file:
        file.write(line + "\n")


@background(unique=True)
def note_once(path: str) -> None:
    note.call(path)


@background(unique=True)
def note_number(number: int) -> None:
    pass


@background(unique=True, delay=30)
def note_together(path: str, line: str) -> None:
    """Note the lines of all that wait, unless one of them is poison."""
    with transaction.atomic():
        lines = {line} | {other for _, other in actions.gather(note_together, 10)}
        if "poison" in lines:
            raise ValueError("poison")
        note.call(path, " ".join(sorted(lines)))


@background()
def not_while_there(path: str) -> None:
    if Path(path).exists():
        raise Later(30)


@background(attempts=3, backoff=0.2)
def fail_always(path: str) -> None:
    note.call(path)
    raise ValueError("cannot reach https://user:hunter2@example.org with token=pypi-hunter2")


@background(attempts=1)
def fail_unspeakably() -> None:
    """With what no database takes: the name of a file that is no UTF-8."""
    raise ValueError(os.fsdecode(b"nowhere: caf\xe9"))


@background(attempts=1)
def fail_beyond_exceptions() -> None:
    raise asyncio.CancelledError("called off")


@background(attempts=2, backoff=0.2)
def sleep_the_first_time(path: str) -> None:
    """Say which process this is; the first one then hangs."""
    first = not Path(path).exists()
    note.call(path, str(os.getpid()))
    if first:
        time.sleep(900)
    note.call(path, "finished")


@background(attempts=1, time_limit=1)
def sleep_too_long(path: str) -> None:
    note.call(path, "started")
    time.sleep(900)


@background(attempts=1, time_limit=1)
def hold_the_interpreter(path: str) -> None:
    """Never let another thread run: what a bad regular expression does."""
    note.call(path, "started")
    import re

    re.match(r"(a+)+$", "a" * 60 + "b")


@background("heavy")
def note_heavy(path: str) -> None:
    note.call(path)


@background("mail")
def note_mail(path: str) -> None:
    note.call(path)


@background("purge")
def note_purge(path: str) -> None:
    note.call(path)


@background()
def nap(path: str) -> None:
    time.sleep(0.05)
    note.call(path)


@background()
def tick() -> None:
    pass
