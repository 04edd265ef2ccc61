"""The queue under the API of django-tasks, which is that of ``django.tasks`` in Django 6."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import InvalidTaskError, TaskResultDoesNotExist
from django_tasks.signals import task_enqueued
from django_tasks.utils import normalize_json

from packhouse.base import clock
from packhouse.base.statements import Insertion
from packhouse.queue.models import QueuedTask

NEW_TASK = Insertion(QueuedTask)
P = ParamSpec("P")
T = TypeVar("T")


current: ContextVar[QueuedTask | None] = ContextVar("current", default=None)
"""The task that is being run here, for what must know later whether its claimant is still at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundTask(Task[P, T]):
    """A task and how it is run; see ``packhouse.queue.background``."""

    attempts: int = 8
    time_limit: int = 60
    unique: bool = False
    backoff: float = 5.0
    delay: float = 0.0


class DatabaseBackend(BaseTaskBackend):
    """Queues tasks as rows of the project's database, in the caller's transaction.

    Return values are not kept: what a task has done is seen in what it has changed.
    """

    task_class = BackgroundTask
    supports_defer = True
    supports_async_task = True
    supports_get_result = True

    def enqueue(self, task: Task[P, T], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult[T]:
        """Write the row.  Raises ``TypeError`` or ``ValueError`` when an argument is no JSON value."""
        self.validate_task(task)
        if not isinstance(task, BackgroundTask):
            raise InvalidTaskError(f"{task.name} was declared for another backend")
        row = row_of(task, *args, **kwargs)
        NEW_TASK.write(row)
        result: TaskResult[T] = result_of(row, task)
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> TaskResult[Any]:
        row = QueuedTask.objects.filter(pk=result_id).first() if result_id.isdecimal() else None
        if row is None:
            raise TaskResultDoesNotExist(result_id)
        return result_of(row, task_of(row))


def row_of(task: BackgroundTask[..., Any], *args: Any, **kwargs: Any) -> QueuedTask:
    """The row of a call, not yet written.  Raises ``TypeError`` or ``ValueError`` when an argument is no JSON value."""
    now = clock.now()
    arguments = normalize_json({"args": args, "kwargs": kwargs})
    return QueuedTask(
        queue=task.queue_name,
        name=task.module_path,
        arguments=arguments,
        max_attempts=task.attempts,
        time_limit=task.time_limit,
        backoff=task.backoff,
        dedupe=_dedupe_key(task.module_path, arguments) if task.unique else None,
        run_at=task.run_after or now + timedelta(seconds=task.delay),
        enqueued_at=now,
    )


def task_of(row: QueuedTask) -> Task[..., Any]:
    """The task that *row* names.  Raises ``ImportError`` when it no longer exists or is no task."""
    task = import_string(row.name)
    if not isinstance(task, Task):
        raise ImportError(f"{row.name} is no task")  # noqa: TRY004  # as if it were not there
    return task


def key_of(task: BackgroundTask[..., Any], *args: Any) -> str:
    """What calls of the unique *task* with *args* have in common."""
    if not task.unique:
        raise ValueError(f"calls of {task.name} have nothing in common")
    return _dedupe_key(task.module_path, normalize_json({"args": args, "kwargs": {}}))


def call(row: QueuedTask) -> None:
    """Run the task of *row* here and now; whatever it raises comes through."""
    task = task_of(row)
    arguments = row.arguments
    context = (TaskContext(task_result=result_of(row, task)),) if task.takes_context else ()
    before = current.set(row)
    try:
        task.call(*context, *arguments["args"], **arguments["kwargs"])
    finally:
        current.reset(before)


def result_of(row: QueuedTask, task: Task[..., Any]) -> TaskResult[Any]:
    """*row* as django-tasks shows it."""
    status = {
        QueuedTask.State.WAITING: TaskResultStatus.READY,
        QueuedTask.State.RUNNING: TaskResultStatus.RUNNING,
        QueuedTask.State.DONE: TaskResultStatus.SUCCESSFUL,
        QueuedTask.State.DEAD: TaskResultStatus.FAILED,
    }[QueuedTask.State(row.state)]
    return TaskResult(
        task=task,
        id=str(row.pk),
        status=status,
        enqueued_at=row.enqueued_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        last_attempted_at=row.started_at,
        args=row.arguments["args"],
        kwargs=row.arguments["kwargs"],
        backend=task.backend,
        errors=[_error(row.last_error)] if row.last_error else [],
        worker_ids=[row.lease_by or "past"] * row.attempts,  # its length is the number of attempts
    )


def _error(text: str) -> TaskError:
    """The last line of a traceback starts with the exception's path."""
    path = text.strip().rpartition("\n")[2].partition(":")[0]
    return TaskError(exception_class_path=path if "." in path else f"builtins.{path}", traceback=text)


def _dedupe_key(name: str, arguments: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([name, arguments], sort_keys=True).encode()).hexdigest()
