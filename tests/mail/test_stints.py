"""Many letters to one reader: one task hands them over, each once and in order, whatever becomes of its worker."""

import threading
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from tests.factories.statements import statements
from tests.mail.desk import deliver, post_one, with_mail

from packhouse.base import clock
from packhouse.mail import actions, ports, sending, tasks
from packhouse.mail.models import Letter
from packhouse.queue import Later, backend, leases
from packhouse.queue.models import QueuedTask

State = Letter.State
LEASE = timedelta(seconds=20)


@pytest.fixture
def outbox(settings, tmp_path):
    settings.PACKHOUSE = with_mail(f"file://{tmp_path}/outbox")
    return tmp_path / "outbox"


@pytest.fixture(params=[1, 5])
def at_once(request, outbox, monkeypatch):
    """How many letters are handed over before that is written down: a mail server takes one, a folder many."""
    monkeypatch.setattr(ports, "plugged_in", lambda: ports.Outbox(outbox, at_once=request.param))
    return request.param


@pytest.fixture
def handed(at_once, monkeypatch):
    """The letters that were handed over, in that order, and what is to be done instead of it (letter → callable)."""
    hand_over, instead = ports.Outbox.hand_over, {}

    def note(port, letter):
        if act := instead.pop(letter.pk, None):
            act()
        order.append(letter.pk)
        return hand_over(port, letter)

    order: list[int] = []
    monkeypatch.setattr(ports.Outbox, "hand_over", note)
    return order, instead


class KilledError(BaseException):
    """Nothing that is written down happens after it."""


def kill():
    raise KilledError


def take(name: str = "worker") -> QueuedTask:
    (row,) = leases.claim("mail", name=name, lease=LEASE)
    return row


def waiting() -> set[int]:
    return {row.arguments["args"][0] for row in QueuedTask.objects.waiting()}


@pytest.mark.django_db
def test_one_task_hands_over_all_that_wait_for_its_reader_and_nobody_else_s(handed):
    letters = [post_one(str(number)).pk for number in range(6)]
    other = post_one("7", to="eve@users.example").pk
    row = take()
    backend.call(row)
    assert handed[0] == letters
    assert waiting() == {other}
    assert QueuedTask.objects.get(pk=row.pk).state == QueuedTask.State.DONE  # noted by the last letter's transaction
    assert deliver() == ["done"]
    assert set(Letter.objects.values_list("state", flat=True)) == {State.SENT}


@pytest.mark.django_db
def test_a_letter_more_costs_few_statements_more(handed, at_once):
    counts = []
    for count in (3, 4):
        for number in range(count):
            post_one(f"{count}-{number}")
        row = take()
        with CaptureQueriesContext(connection) as asked:
            backend.call(row)
        counts.append([text.split()[0] for text in statements(asked) if "SAVEPOINT" not in text])
    # sent, its task removed; the next one found and claimed
    assert Counter(counts[1]) - Counter(counts[0]) == (
        {"SELECT": 2, "UPDATE": 2, "DELETE": 1} if at_once == 1 else {"UPDATE": 1}
    )


@pytest.mark.django_db
def test_while_one_is_at_work_the_tasks_of_its_reader_wait_and_keep_their_attempts(handed):
    order, instead = handed
    letters = [post_one(str(number)).pk for number in range(4)]
    seen = {}

    def another_worker() -> None:
        row = take("another")
        with pytest.raises(Later) as later:
            backend.call(row)
        seen["settled"] = leases.settle(row, later.value)
        seen["attempts"] = set(QueuedTask.objects.waiting().values_list("attempts", flat=True))
        seen["due"] = QueuedTask.objects.due("mail", clock.now()).count()
        seen["waiting"] = waiting()

    instead[letters[1]] = another_worker
    backend.call(take())
    assert seen == {"settled": True, "attempts": {0}, "due": 0, "waiting": set(letters[1:])}
    assert order == letters
    assert waiting() == set()


@pytest.mark.django_db
def test_a_task_whose_time_is_up_lets_others_go_first_and_keeps_its_attempt(handed, at_once, monkeypatch):
    monkeypatch.setattr(sending, "STINT", 0.0)
    letters = [post_one(str(number)).pk for number in range(3 * at_once)]
    for number in range(3):
        row = take()
        with pytest.raises(Later) as later:
            backend.call(row)
        leases.settle(row, later.value)
        assert handed[0] == letters[: at_once * (number + 1)]
        assert QueuedTask.objects.get(pk=row.pk).attempts == 0
    assert set(deliver()) == {"done"}
    assert handed[0] == letters


@pytest.mark.django_db
def test_what_a_killed_worker_had_before_it_is_there_once_and_in_order(handed, at_once, outbox):
    order, instead = handed
    letters = [post_one(str(number)).pk for number in range(5)]
    instead[letters[2]] = kill
    with suppress(KilledError):
        backend.call(take("killed"))
    assert [*Letter.objects.order_by("pk").values_list("state", flat=True)] == (
        [State.SENT, State.SENT, State.SENDING, State.QUEUED, State.QUEUED] if at_once == 1 else [State.SENDING] * 5
    )
    assert leases.recover_from("killed") == 1
    backend.call(take("next"))
    assert order == (letters if at_once == 1 else [*letters[:2], *letters])
    assert set(Letter.objects.values_list("state", flat=True)) == {State.SENT}
    assert len(list(outbox.glob("*.eml"))) == len(letters)


@pytest.mark.django_db
def test_a_task_fails_for_its_own_letter_and_not_for_one_behind_it(handed):
    order, instead = handed
    first, second = post_one("1").pk, post_one("2").pk

    def trouble() -> None:
        raise OSError("the disk is full")

    instead[second] = trouble
    backend.call(take())
    assert order == [first]
    assert waiting() == {second}
    assert QueuedTask.objects.waiting().get().attempts == 0
    instead[second] = trouble
    with pytest.raises(sending.NotYet, match="the disk is full"):
        backend.call(take())
    assert Letter.objects.get(pk=second).attempts == 2


@pytest.mark.django_db
def test_what_waits_behind_a_letter_in_trouble_is_free_for_whoever_comes_next(handed):
    letters = [post_one(str(number)).pk for number in range(4)]

    def trouble() -> None:
        raise OSError("the disk is full")

    handed[1][letters[1]] = trouble
    backend.call(take())
    assert [*Letter.objects.order_by("pk").values_list("state", flat=True)] == [State.SENT] + [State.QUEUED] * 3
    assert waiting() == set(letters[1:])
    assert set(deliver()) == {"done"}
    assert handed[0] == letters


@pytest.mark.django_db
def test_letters_that_the_disk_does_not_keep_have_not_left_and_leave_nothing_behind(handed, outbox, monkeypatch):
    letters = [post_one(str(number)).pk for number in range(3)]

    def broken(files):
        raise OSError("the disk is broken")

    with monkeypatch.context() as patch:
        patch.setattr(ports, "sync_files", broken)
        with pytest.raises(sending.NotYet, match="the disk is broken"):
            backend.call(take())
    assert list(outbox.iterdir()) == []
    assert set(Letter.objects.values_list("state", flat=True)) == {State.QUEUED}
    assert waiting() == set(letters[1:])
    assert set(deliver()) == {"done"}
    assert len(list(outbox.glob("*.eml"))) == len(letters)


@pytest.mark.django_db
def test_a_letter_that_is_refused_keeps_no_other_from_leaving(handed):
    letters = [post_one(str(number)).pk for number in range(3)]

    def refuse() -> None:
        raise ports.Refused("550 no such user")

    handed[1][letters[1]] = refuse
    assert deliver() == ["done"]
    assert [*Letter.objects.order_by("pk").values_list("state", "last_error")] == [
        (State.SENT, ""),
        (State.FAILED, "550 no such user"),
        (State.SENT, ""),
    ]
    assert waiting() == set()


@pytest.mark.django_db(transaction=True)
def test_workers_in_each_other_s_way_hand_every_letter_over_once_and_in_order(handed):
    letters = {to: [post_one(f"{n}", to=to).pk for n in range(12)] for to in ("a@users.example", "b@users.example")}
    start, alone = threading.Barrier(4), threading.Lock()

    def work(number: int) -> None:
        start.wait()
        try:
            while Letter.objects.unsent().exists():
                for row in leases.claim("mail", name=f"worker-{number}", lease=LEASE):
                    failure = None
                    try:
                        backend.call(row)
                    except Exception as raised:  # noqa: BLE001
                        failure = raised
                    leases.settle(row, failure)
                with alone:  # two that change the same rows in different orders wait for each other
                    QueuedTask.objects.waiting().update(run_at="2000-01-01T00:00:00Z")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[pk for pk in handed[0] if pk in mine] for mine in letters.values()] == list(letters.values())
    assert set(Letter.objects.values_list("state", flat=True)) == {State.SENT}
    assert not QueuedTask.objects.dead().exists()
    assert not QueuedTask.objects.exclude(last_error="").exists()


@pytest.mark.django_db
def test_what_is_queued_twice_is_one_run(handed):
    letter = post_one().pk
    tasks.send.enqueue(letter)
    assert deliver() == ["done"]
    assert handed[0] == [letter]


@pytest.mark.django_db
def test_what_waits_for_a_reader_is_found_without_a_look_at_all_that_has_left():
    asked = []

    def note(execute, sql, values, many, context):
        asked.append((sql, values))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(note):
        assert actions.claim_oldest("ada@users.example", 50) == actions.Turn()
    [(sql, values)] = asked
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # for so few rows it would take no index
        cursor.execute(f"EXPLAIN {'QUERY PLAN' if connection.vendor == 'sqlite' else ''} {sql}", values)
        assert "letter_unsent" in str(cursor.fetchall())
