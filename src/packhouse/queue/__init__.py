"""The task queue: background work that is promised together with the change that asks for it.

Owns: queued tasks and the clock of periodic ones.  Words: a *task* is a function declared with ``background``; to
*enqueue* it writes a row in the caller's transaction (rolled back: never queued); a *lane* is a process that runs the
tasks of some queues; it holds a *lease* on each while it runs, and a task whose lease runs out is taken again.

A task runs **at least once**: a worker may die between the task's effect and the note that it is done.  Write tasks
that take ids, read fresh state and are safe to run twice.  A task that fails is tried again, later and later; when its
attempts are used up it is *dead*: kept and listed until somebody retries or discards it.  One that cannot run just now
raises ``Later``.

Doors: ``background``, ``Later``, ``queries`` (ages, dead tasks), ``actions`` (retry, discard, and for tasks that do the
work of others: ``take_over``, ``put_off``, ``gather``), ``periodic`` (Every, Daily), ``worker.run`` (supervisor),
``models``.  This module imports no Django, because the supervisor needs none.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from packhouse.queue.backend import BackgroundTask

__all__ = ["QUEUES", "Later", "background"]

P = ParamSpec("P")
T = TypeVar("T")

QUEUES = ("default", "mail", "purge", "heavy")
"""``heavy`` is for what takes minutes; ``mail`` and ``purge`` are nobody else's, so that nothing makes them late."""


class Later(Exception):
    """Raised by a task that cannot run just now, which is nobody's failure: it waits *seconds*, and keeps its attempt.

    It never dies of that, so there must be something that comes to an end by itself that it waits for.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:g} s")
        self.seconds = seconds


def background(
    queue: str = "default",
    *,
    attempts: int = 8,
    time_limit: int = 60,
    unique: bool = False,
    backoff: float = 5.0,
    delay: float = 0.0,
) -> "Callable[[Callable[P, T]], BackgroundTask[P, T]]":
    """Declare a module-level function as a task; ``.enqueue(*args)`` (JSON values only) then queues it.

    *attempts*: how often it is tried before it is dead.  *time_limit*: seconds after which it is killed, which counts
    as a failed attempt.  *backoff*: seconds before the second attempt; each later wait is twice as long, an hour at
    most, with jitter.  *unique*: waiting tasks with the same arguments collapse into one run, which starts after the
    commit of every one of them.  *delay*: seconds before the first attempt, in which more of them come together; a task
    that does them all (``actions.gather``) then costs the same for many as for one.  The function may run more than
    once for one ``enqueue``.
    """

    def declare(function: "Callable[P, T]") -> "BackgroundTask[P, T]":
        from packhouse.queue.backend import BackgroundTask  # noqa: PLC0415

        return BackgroundTask(
            func=function,
            queue_name=queue,
            attempts=attempts,
            time_limit=time_limit,
            unique=unique,
            backoff=backoff,
            delay=delay,
        )

    return declare
