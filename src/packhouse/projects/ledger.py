"""What one transaction says of projects: journal entries and facts, gathered first, written last.

Rows that can collide (names, files) must be written before the serial lock is taken: a writer who waits for another's
row while it holds that lock would stop everybody.  So actions note entries here while they work, and the ledger writes
them when they are done: lock, journal, serials, facts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from django.db import connection, transaction

from packhouse.audit.actions import NEW_EVENT, Actor
from packhouse.audit.models import Event
from packhouse.base.facts import following, handle
from packhouse.base.identity import Identity
from packhouse.base.statements import Alteration, Insertion, in_one_go, written_together
from packhouse.documents.actions import serial_lock
from packhouse.projects.facts import ProjectFact
from packhouse.projects.models import JournalEntry, Project
from packhouse.queue.backend import NEW_TASK, row_of


@dataclass(slots=True)
class Ledger:
    """The pages of one transaction.  ``by`` is who will stand in the journal; a publisher leaves that empty."""

    by: Actor
    entries: list[tuple[Project, JournalEntry]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    facts: list[tuple[Project, ProjectFact]] = field(default_factory=list)

    def note(self, project: Project, action: str, version: str | None = None) -> None:
        """Put *action* (in the words of the journal) into the journal."""
        entry = JournalEntry(name=project.name, version=version, action=action, submitted_by_id=user_id(self.by))
        self.entries.append((project, entry))

    def record(self, event: Event) -> None:
        """Put a drafted *event* into the trail."""
        self.events.append(event)

    def tell(self, project: Project, fact: ProjectFact) -> None:
        """Announce *fact* once the journal is written, with its serial.  Tasks are queued beside the journal."""
        self.facts.append((project, fact))

    def write(self) -> None:
        tasks = [(NEW_TASK, row_of(task, *told)) for _, fact in self.facts for task, told in following(fact)]
        events = [(NEW_EVENT, event) for event in self.events]
        entries = [(_NEW_ENTRY, entry) for _, entry in self.entries]
        projects = {project.pk: project for project, _ in self.entries}
        only = next(iter(projects)) if len(projects) == 1 else None
        after = partial(_keep_newest_serial, only) if only else lambda: None
        written_together(*tasks, *events, *entries, before=serial_lock, after=after)
        for project, entry in self.entries:
            project.last_serial = entry.pk
        if not only:
            with in_one_go():
                for key, project in projects.items():
                    if key:  # else the project is gone
                        _LAST_SERIAL.put(project)
        for project, fact in self.facts:
            handle(replace(fact, serial=project.last_serial))


_NEW_ENTRY = Insertion(JournalEntry)
_LAST_SERIAL = Alteration(Project, "last_serial")


def _keep_newest_serial(project_id: int) -> None:
    """Note in the project the serial of the newest entry of all: nobody else writes any under the serial lock."""
    projects, entries = (connection.ops.quote_name(model._meta.db_table) for model in (Project, JournalEntry))
    newest = f"UPDATE {projects} SET last_serial = (SELECT MAX(id) FROM {entries}) WHERE id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(newest, [project_id])


@contextmanager
def journalled(by: Actor, ledger: Ledger | None = None) -> Iterator[Ledger]:
    """A transaction with a ledger that is written at its end; inside a given *ledger*, a part of that one."""
    if ledger is not None:
        yield ledger
        return
    with transaction.atomic():
        ledger = Ledger(by)
        yield ledger
        ledger.write()


def user_id(by: Actor) -> int | None:
    """The number of the user behind *by*, if there is one."""
    if by is None:
        return None
    return by.user_id if isinstance(by, Identity) else by.pk
