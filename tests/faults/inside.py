"""What must hold between the rows of an index: ``python -m tests.faults.inside``, with its settings in the environment.

Waits until the queue has nothing left to do, then prints JSON: ``violations`` (lines) and ``looked`` (how much was
looked at, by invariant).  What it does not look at, the surfaces, is the matter of ``invariants``.  With ``drained`` as
argument it only waits until that is done which the queue holds now, and prints when that was (``time.monotonic``).
"""

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from pathlib import Path

import django

PATIENCE = 120.0
"""Seconds within which some task must get done.  The promise for all is 30 s on a machine that does nothing else."""

LETTERS = {
    "role:change": ("role-changed-as-collaborator", "collaborator-role-changed"),
    "role:remove": ("removed-as-collaborator", "collaborator-removed"),
    "release:yank": ("yanked-project-release",),
    "release:unyank": ("unyanked-project-release",),
    "release:remove": ("removed-project-release",),
    "api_token:added": ("api-token-added",),
    "api_token:removed": ("api-token-removed",),
}
"""The letters that follow from an event, each to somebody with a verified address."""

Violations = Iterator[str]


def main() -> None:
    """Look, and print what was seen."""
    django.setup()
    if sys.argv[1:] == ["drained"]:
        json.dump(drained(), sys.stdout)
        return
    looked: Counter[str] = Counter()
    violations = [line for check in CHECKS for line in check(looked)]
    json.dump({"violations": violations[:200], "looked": looked}, sys.stdout)


def drained() -> float:
    """Wait for what the queue holds now; returns when the last of it was done.

    What was put off on purpose is no part of that: the later rounds of a purge, seconds and a minute after the first.
    """
    from django.db.models import Max

    from packhouse.queue.models import QueuedTask

    newest = QueuedTask.objects.aggregate(newest=Max("pk"))["newest"] or 0
    unfinished = QueuedTask.objects.filter(state__in=(QueuedTask.State.WAITING, QueuedTask.State.RUNNING))
    owed = unfinished.filter(pk__lte=newest).exclude(name__endswith=".purge_later")
    while owed.exists():
        time.sleep(0.1)
    return time.monotonic()


def queue(looked: Counter[str]) -> Violations:
    """Whatever waits or runs gets done: the second round of a purge, a minute after the first, too."""
    from packhouse.queue.models import QueuedTask

    unfinished = QueuedTask.objects.filter(state__in=(QueuedTask.State.WAITING, QueuedTask.State.RUNNING))
    looked["I6 tasks that waited"] += unfinished.count()
    least, progress = sys.maxsize, time.monotonic()
    while left := unfinished.count():
        least, progress = (left, time.monotonic()) if left < least else (least, progress)
        if time.monotonic() - progress > PATIENCE:
            shown = list(unfinished.values_list("name", "state", "attempts", "run_at", "last_error")[:5])
            yield f"I6 the queue empties: {left} left, {shown}"
            return
        time.sleep(0.1)


def tasks(looked: Counter[str]) -> Violations:
    """No task is dead: what failed for a while has been done since."""
    from packhouse.queue.models import QueuedTask

    for name, error in QueuedTask.objects.dead().values_list("name", "last_error"):
        yield f"I6 no task is dead: {name} {error[-300:]}"
    looked["I6 tasks done"] += QueuedTask.objects.filter(state=QueuedTask.State.DONE).count()


def letters(looked: Counter[str]) -> Violations:
    """Each event has its letters, each letter one message, and no message is another's."""
    from django.db.models import Q

    from packhouse.audit.models import Event
    from packhouse.mail.models import Letter

    causes = Counter(Letter.objects.values_list("cause", flat=True))
    of_tokens = Q(tag__startswith="api_token", subject_kind="user")
    of_projects = Q(subject_kind="project") & ~Q(tag__startswith="api_token")
    # what is told on a user and on a project is told twice, and one of the two events has the letter
    for event in Event.objects.filter(of_tokens | of_projects, tag__in=LETTERS).iterator():
        for name in LETTERS[event.tag]:
            looked["I6 letters of events"] += 1
            if not causes[f"{name}:{event.pk}"]:  # to one address there cannot be two: the table says so
                yield f"I6 letters of events: no {name} of {event.pk}, {event}"
    yield from _messages(Letter.objects.exclude(state=Letter.State.WITHHELD).values_list("uid", "state"), looked)


def _messages(posted: Iterable[tuple[object, str]], looked: Counter[str]) -> Violations:
    from django.conf import settings

    outbox = Path(settings.PACKHOUSE.mail.removeprefix("file://"))
    lying: Counter[str] = Counter()
    for path in outbox.glob("*.eml"):
        lying[str(message_from_bytes(path.read_bytes())["Message-ID"]).strip("<>").partition("@")[0]] += 1
    for uid, state in posted:
        looked["I6 messages"] += 1
        if state != "sent" or lying.pop(str(uid), 0) != 1:
            yield f"I6 one message: letter {uid} is {state}"
    yield from (f"I6 no other message: {uid} {count} times" for uid, count in lying.items())


def search(looked: Counter[str]) -> Violations:
    """The index of the search says what the rows say."""
    from packhouse.projects.models import Project
    from packhouse.search import entries
    from packhouse.search.models import Entry

    shown = ("name", "version", "summary", "keywords", "import_names", "created", "updated", "archived")
    ids = list(Project.objects.values_list("pk", flat=True))
    right = {
        made.entry.project_id: tuple(getattr(made.entry, name) for name in shown)
        for start in range(0, len(ids), 200)
        for made in entries.make(ids[start : start + 200])
    }
    found = {number: tuple(row) for number, *row in Entry.objects.values_list("project_id", *shown)}
    looked["I6 search entries"] += len(right)
    for number in right.keys() | found.keys():
        if right.get(number) != found.get(number):
            yield f"I6 search says what the rows say: {found.get(number)}, not {right.get(number)}"


def roles(looked: Counter[str]) -> Violations:
    """The last event about a person's role on a project says what the row says (I8)."""
    from packhouse.audit.models import Event
    from packhouse.projects.models import Role

    told: dict[tuple[str, str], list[str]] = defaultdict(list)
    for event in Event.objects.filter(subject_kind="project", tag__startswith="role:").order_by("pk"):
        name = "" if event.tag == "role:remove" else event.additional["role_name"]
        told[event.subject_id, event.additional["target_user"]].append(name)
    rows = Role.objects.values_list("project__uid", "user__username", "name")
    there = {(str(uid), username): name for uid, username, name in rows}
    for key in told.keys() | there.keys():
        looked["I8 role changes"] += len(told[key])
        if (told[key] or [""])[-1] != there.get(key, ""):
            yield f"I8 roles are as told: {key} {told[key]}, not {there.get(key)}"
        if any(one == other for one, other in zip(told[key], told[key][1:], strict=False)):
            yield f"I8 a change of a role is told once: {key} {told[key]}"


def tokens(looked: Counter[str]) -> Violations:
    """Each token was told when it was made, once, and those that are gone when they went (I8)."""
    from packhouse.audit.models import Event
    from packhouse.tokens.models import Token

    def told(tag: str) -> Counter[str]:
        events = Event.objects.filter(subject_kind="user", tag=tag)
        return Counter(event.additional["macaroon_id"] for event in events.iterator())

    made, gone = told("api_token:added"), told("api_token:removed")
    there = {str(pk) for pk in Token.objects.values_list("pk", flat=True)}
    looked["I8 tokens made"] += made.total()
    for token in made.keys() | there | gone.keys():
        if made[token] != 1 or gone[token] != (token not in there):
            yield f"I8 tokens are told: {token} made {made[token]}, gone {gone[token]}, there {token in there}"


def flags(looked: Counter[str]) -> Violations:
    """The last event about each flag says how it is (I8)."""
    from packhouse.audit.models import Event
    from packhouse.flags.models import Flag

    told = {
        event.additional["flag"]: event.additional["enabled"]
        for event in Event.objects.filter(tag="flag:change").order_by("pk")
    }
    rows = dict(Flag.objects.values_list("name", "enabled"))
    looked["I8 flags"] += len(rows)
    if told != rows:
        yield f"I8 flags are as told: {told}, not {rows}"


def files(looked: Counter[str]) -> Violations:
    """Each file was told when it came, once, with its digest; each release that is yanked was told so last (I8)."""
    from packhouse.audit.models import Event
    from packhouse.projects.models import File, Release

    came: dict[str, list[str]] = defaultdict(list)
    for event in Event.objects.filter(tag="file:add").iterator():
        came[event.subject_name].append(event.additional["sha256"])
    for filename, sha256 in File.objects.values_list("filename", "sha256"):
        looked["I8 files"] += 1
        if came[filename] != [sha256]:
            yield f"I8 files are told: {filename} {came[filename]}"
    yanked: dict[tuple[str, str], str] = {}
    for event in Event.objects.filter(tag__in=("release:yank", "release:unyank", "release:remove")).order_by("pk"):
        looked["I8 yanks and removals"] += 1
        yanked[event.subject_id, event.additional["version"]] = event.tag
    rows = Release.objects.values_list("project__uid", "version", "yanked")
    there = {(str(uid), version): "release:yank" if is_yanked else "release:unyank" for uid, version, is_yanked in rows}
    for key, tag in yanked.items():
        if there.get(key, "release:remove") != tag:
            yield f"I8 releases are as told: {key} {tag}, not {there.get(key)}"


def schedule(looked: Counter[str]) -> Violations:
    """What runs by the clock runs within a day, whatever the clock was meanwhile (R21).

    The keeper of the schedule looks twice a minute: what it wrote while the clock was stepped it has mended by then.
    """
    from datetime import timedelta

    from packhouse.base import clock
    from packhouse.queue.models import Schedule

    ends = time.monotonic() + PATIENCE
    late = Schedule.objects.filter(next_run__gt=clock.now() + timedelta(days=1, minutes=1))
    while late.all().exists() and time.monotonic() < ends:
        time.sleep(1)
    looked["R21 periodic tasks"] += Schedule.objects.count()
    for name, upcoming in late.values_list("name", "next_run"):
        yield f"R21 periodic tasks go on: {name} at {upcoming}"


CHECKS = (queue, schedule, tasks, letters, search, roles, tokens, flags, files)

if __name__ == "__main__":
    main()
