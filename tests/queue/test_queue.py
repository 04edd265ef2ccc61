"""The queue's promises that need no worker process: they run tasks in the test's own."""

import threading
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection, connections, transaction
from django_tasks import TaskResultStatus, task_backends
from django_tasks.exceptions import TaskResultDoesNotExist
from tests.queue import jobs

from packhouse.base import clock
from packhouse.queue import QUEUES, Later, actions, backend, leases, periodic, queries
from packhouse.queue.models import QueuedTask, Schedule

LEASE = timedelta(seconds=20)
State = QueuedTask.State


def work(queue: str = "default", name: str = "tester") -> list[QueuedTask]:
    """Do what a lane does with all that is due, one after the other; returns the rows as they are afterwards."""
    ran = []
    while rows := leases.claim(queue, name=name, lease=LEASE):
        failure = None
        try:
            backend.call(rows[0])
        except Exception as raised:  # noqa: BLE001
            failure = raised
        leases.settle(rows[0], failure)
        ran.append(QueuedTask.objects.get(pk=rows[0].pk))
    return ran


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "notes")


def lines(path: str) -> list[str]:
    return Path(path).read_text().split()


@pytest.mark.django_db(transaction=True)
def test_a_task_is_queued_by_commit_and_by_nothing_else(path):
    with transaction.atomic():
        jobs.note.enqueue(path)
        transaction.set_rollback(True)
    assert QueuedTask.objects.count() == 0
    with transaction.atomic():
        jobs.note.enqueue(path)
    assert [row.state for row in work()] == [State.DONE]
    assert lines(path) == ["done"]


@pytest.mark.django_db
def test_a_task_has_the_state_that_django_tasks_names(path):
    result = jobs.note.enqueue(path, line="hello")
    assert (result.status, result.attempts) == (TaskResultStatus.READY, 0)
    work()
    result.refresh()
    assert (result.status, result.attempts, result.kwargs) == (TaskResultStatus.SUCCESSFUL, 1, {"line": "hello"})
    assert jobs.note.get_result(result.id).is_finished
    with pytest.raises(TaskResultDoesNotExist):
        task_backends["default"].get_result("999999")


@pytest.mark.django_db
def test_a_task_waits_for_its_time(path):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        jobs.note.using(run_after=clock.now() + timedelta(minutes=5)).enqueue(path)
        assert work() == []
        moment.shift(300)
        assert len(work()) == 1


@pytest.mark.django_db
def test_arguments_that_are_no_json_are_refused():
    with pytest.raises((TypeError, ValueError)):
        jobs.note.enqueue(object())
    assert QueuedTask.objects.count() == 0


@pytest.mark.django_db
def test_a_poison_task_is_dead_after_its_attempts_with_longer_and_longer_waits_and_neighbours_go_on(path, tmp_path):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        poison = jobs.fail_always.enqueue(path)
        waits = []
        for attempt in range(3):
            jobs.note.enqueue(str(tmp_path / f"neighbour{attempt}"))
            work()
            row = QueuedTask.objects.get(pk=poison.id)
            assert row.attempts == attempt + 1
            waits.append((row.run_at - clock.now()).total_seconds())
            moment.shift(3600)
    assert row.state == State.DEAD
    assert 0.1 <= waits[0] <= 0.2 <= waits[1] <= 0.4
    assert len(list(tmp_path.glob("neighbour*"))) == 3
    assert len(lines(path)) == 3
    assert [row.pk for row in queries.dead_tasks()] == [int(poison.id)]


@pytest.mark.django_db
def test_a_task_that_cannot_run_just_now_waits_as_long_as_it_says_and_keeps_all_its_attempts(path):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        jobs.not_while_there.enqueue(path)
        Path(path).touch()
        for _ in range(5):
            (row,) = work()
            assert (row.state, row.attempts, row.last_error) == (State.WAITING, 0, "")
            assert row.run_at == clock.now() + timedelta(seconds=30)
            moment.shift(30)
        Path(path).unlink()
        assert [row.state for row in work()] == [State.DONE]


@pytest.mark.django_db(transaction=True)
def test_a_task_may_note_with_its_effect_that_it_is_done(path):
    """Rolled back, it is not; committed, nobody runs it again, whatever becomes of its worker."""
    jobs.note.enqueue(path)
    (row,) = leases.claim("default", name="worker", lease=LEASE)
    with transaction.atomic():
        assert leases.finish(row)
        transaction.set_rollback(True)
    assert leases.recover_from("worker") == 1
    (row,) = leases.claim("default", name="worker", lease=LEASE)
    with transaction.atomic():
        assert leases.finish(row)
    assert leases.settle(row, None)
    assert leases.recover_from("worker") == 0
    assert QueuedTask.objects.get().state == State.DONE


@pytest.mark.django_db
def test_a_task_takes_over_what_waits_to_do_the_same_and_puts_off_what_would_be_in_its_way(path):
    for number in range(4):
        jobs.note_once.enqueue(f"{path}{number}")
    (running,) = leases.claim("default", name="worker", lease=LEASE)
    for number in range(3):
        actions.take_over(jobs.note_once, [f"{path}{number}"])
    assert [row.pk for row in QueuedTask.objects.running()] == [running.pk]
    assert [row.arguments["args"] for row in QueuedTask.objects.waiting()] == [[f"{path}3"]]
    jobs.note_number.enqueue(1)
    jobs.note_number.enqueue(2)
    actions.put_off(jobs.note_number, [1, 5], timedelta(minutes=1))
    due = [row.arguments["args"] for row in QueuedTask.objects.due("default", clock.now())]
    assert due == [[f"{path}3"], [2]]
    with pytest.raises(ValueError, match="nothing in common"):
        actions.take_over(jobs.note, [path])


@pytest.mark.django_db
def test_a_task_gathers_all_that_wait_to_do_the_same_which_takes_one_run_after_a_moment(path):
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as traveller:
        jobs.note_together.enqueue(path, "a")
        assert work() == []  # the moment in which others join it
        traveller.shift(29)
        jobs.note_together.enqueue(path, "b")
        jobs.note_together.enqueue(path, "a")
        jobs.note_once.enqueue(path)
        traveller.shift(1)
        assert [row.state for row in work()] == [State.DONE, State.DONE]
        traveller.shift(60)
        assert work() == []
    assert sorted(Path(path).read_text().splitlines()) == ["a b", "done"]


@pytest.mark.django_db
def test_a_poison_task_takes_no_other_along(path):
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as traveller:
        for line in ("poison", "a", "b"):
            jobs.note_together.enqueue(path, line)
        for _ in range(20):
            traveller.shift(3600)
            work()
            jobs.note_together.enqueue(path, "later")
        traveller.shift(3600)
        work()
    assert {tuple(row.arguments["args"][1:]) for row in QueuedTask.objects.dead()} == {("poison",)}
    assert not QueuedTask.objects.waiting().exists()
    assert {"a", "b", "later"} <= set(lines(path))
    dead = QueuedTask.objects.dead().get()
    assert dead.attempts == dead.max_attempts


@pytest.mark.django_db
def test_the_error_is_kept_without_what_looks_like_a_secret(path):
    jobs.fail_always.enqueue(path)
    (row,) = work()
    assert "ValueError: cannot reach" in row.last_error
    assert "hunter2" not in row.last_error
    assert backend.result_of(row, jobs.fail_always).errors[0].exception_class is ValueError


@pytest.mark.django_db
def test_waits_double_up_to_an_hour():
    for attempts, longest in ((1, 5), (2, 10), (5, 80), (30, 3600)):
        assert longest / 2 <= leases.delay_after(attempts, 5.0).total_seconds() <= longest


@pytest.mark.django_db
def test_a_task_that_no_longer_exists_fails_like_any_other(path):
    jobs.note.enqueue(path)
    QueuedTask.objects.update(name="tests.queue.jobs.gone", max_attempts=1)
    assert [(row.state, "ImportError" in row.last_error) for row in work()] == [(State.DEAD, True)]


@pytest.mark.django_db
def test_a_name_that_is_no_task_is_not_called():
    jobs.tick.enqueue()
    QueuedTask.objects.update(name="os.getpid", max_attempts=1)
    assert [(row.state, "is no task" in row.last_error) for row in work()] == [(State.DEAD, True)]


@pytest.mark.django_db
def test_ten_duplicates_collapse_into_one_run_and_other_arguments_do_not(path):
    for _ in range(10):
        jobs.note_once.enqueue(path)
    jobs.note_once.enqueue(path + "2")
    work()
    assert (lines(path), lines(path + "2")) == (["done"], ["done"])
    jobs.note_once.enqueue(path)  # after the run has begun, a new change needs a new run
    work()
    assert lines(path) == ["done", "done"]


@pytest.mark.django_db
def test_a_thousand_tasks_for_one_thing_collapse_into_one_run(path):
    for _ in range(1000):
        jobs.note_once.enqueue(path)
    assert len(work()) == 1
    assert (lines(path), QueuedTask.objects.count()) == (["done"], 1)


@pytest.mark.django_db
def test_a_new_request_is_not_lost_with_an_old_one_that_is_about_to_give_up(path):
    jobs.note_once.enqueue(path)
    QueuedTask.objects.update(attempts=7)
    jobs.note_once.enqueue(path)
    (row,) = leases.claim("default", name="worker", lease=LEASE)
    leases.fail(row, "not yet")
    assert QueuedTask.objects.get().state == State.WAITING


@pytest.mark.django_db(transaction=True)
def test_each_task_is_claimed_by_one_of_many_workers():
    for _ in range(40):
        jobs.tick.enqueue()
    barrier, claimed = threading.Barrier(4), []

    def worker(number: int) -> None:
        barrier.wait()
        while rows := leases.claim("default", name=f"worker{number}", lease=LEASE, limit=3):
            claimed.extend(row.pk for row in rows)
        connections.close_all()

    run_together(worker, 4)
    assert sorted(claimed) == sorted(QueuedTask.objects.values_list("pk", flat=True))
    assert QueuedTask.objects.running().filter(attempts=1).count() == 40


@pytest.mark.django_db(transaction=True)
def test_a_duplicate_that_is_not_committed_yet_is_not_lost(path):
    """A run that began before a commit cannot have seen its change."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer: nobody claims while another transaction writes")
    jobs.note_once.enqueue(path)
    queued, worked = threading.Event(), threading.Event()

    def slow_writer(_: int) -> None:
        with transaction.atomic():
            jobs.note_once.enqueue(path)
            queued.set()
            worked.wait(120)
        connections.close_all()

    thread = threading.Thread(target=slow_writer, args=(0,))
    thread.start()
    queued.wait(120)
    assert len(work()) == 1
    worked.set()
    thread.join()
    assert len(work()) == 1


@pytest.mark.django_db
def test_a_lost_task_is_taken_again_when_its_lease_runs_out_and_the_lost_worker_cannot_interfere():
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        jobs.tick.enqueue()
        (lost,) = leases.claim("default", name="lost", lease=LEASE)
        moment.shift(15)
        leases.renew([lost], name="lost", lease=LEASE)
        moment.shift(15)
        assert leases.recover_expired() == 0
        moment.shift(6)
        assert leases.recover_expired() == 1
        (again,) = leases.claim("default", name="next", lease=LEASE)
        assert leases.finish(lost) is False
        assert leases.fail(lost, "too late") is False
        assert leases.finish(again) is True
        assert QueuedTask.objects.get().attempts == 2


@pytest.mark.django_db
def test_a_task_that_loses_every_worker_dies_and_never_waits_long_for_the_next_one(path):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        jobs.fail_always.enqueue(path)
        QueuedTask.objects.update(backoff=3600)  # after a failure
        for _ in range(leases.MOST_LOSSES):
            assert queries.dead_tasks() == []
            assert leases.claim("default", name="worker", lease=LEASE)
            moment.shift(30)
            assert leases.recover_expired() == 1
            moment.shift(10)
    assert [("worker was lost" in row.last_error) for row in queries.dead_tasks()] == [True]


@pytest.mark.django_db
def test_a_task_that_fails_by_itself_gets_no_more_attempts_for_a_worker_it_once_lost(path):
    jobs.fail_always.enqueue(path)
    assert leases.claim("default", name="worker", lease=LEASE)
    leases.recover_from("worker")
    assert QueuedTask.objects.get().max_attempts == 3


@pytest.mark.django_db(transaction=True)
def test_leases_are_renewed_beside_a_task_that_settles_what_it_has_done(path):
    """It has changed one of the rows and comes to the other one while they are renewed."""
    for number in range(2):
        jobs.note.enqueue(path, str(number))
    first, second = leases.claim("default", name="worker", lease=LEASE, limit=2)
    changed, goes_on = threading.Event(), threading.Event()

    def task(_: int) -> None:
        with transaction.atomic():
            QueuedTask.objects.filter(pk=second.pk).update(last_error="")
            changed.set()
            assert goes_on.wait(60)
            assert leases.finish(first)
        connections.close_all()

    def renewer(_: int) -> None:
        assert changed.wait(60)
        threading.Timer(0.3, goes_on.set).start()
        leases.renew([first, second], name="worker", lease=2 * LEASE)
        connections.close_all()

    run_together(lambda number: (task, renewer)[number](number), 2)
    assert [row.state for row in QueuedTask.objects.order_by("pk")] == [State.DONE, State.RUNNING]


@pytest.mark.django_db
def test_the_neighbours_of_a_task_that_overstayed_its_limit_lose_no_attempt(path):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        jobs.sleep_too_long.enqueue(path)
        jobs.tick.enqueue()
        assert len(leases.claim("default", name="worker", lease=LEASE, limit=2)) == 2
        moment.shift(2)
        assert leases.recover_from("worker") == 2
        guilty, neighbour = QueuedTask.objects.order_by("pk")
        assert (guilty.state, "time limit of 1 s" in guilty.last_error) == (State.DEAD, True)
        assert (neighbour.state, neighbour.attempts, neighbour.run_at) == (State.WAITING, 0, clock.now())


@pytest.mark.django_db
def test_a_dead_task_is_retried_or_discarded_once(path):
    jobs.fail_always.enqueue(path)
    QueuedTask.objects.update(max_attempts=1)
    work()
    (dead,) = queries.dead_tasks()
    assert [actions.retry_dead(dead.pk), actions.retry_dead(dead.pk)] == [True, False]
    assert actions.discard_dead(dead.pk) is False
    work()
    assert [actions.discard_dead(dead.pk), actions.discard_dead(dead.pk)] == [True, False]
    assert QueuedTask.objects.count() == 0


@pytest.mark.django_db
def test_ages_of_all_queues_are_told_in_one_query(path, django_assert_num_queries):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        jobs.note_mail.enqueue(path)
        jobs.tick.enqueue()
        leases.claim("default", name="worker", lease=LEASE)
        moment.shift(90)
        jobs.note_mail.enqueue(path)
        with django_assert_num_queries(1):
            ages = queries.queue_ages()
    assert [age.queue for age in ages] == list(QUEUES)
    by_name = {age.queue: age for age in ages}
    assert by_name["mail"] == queries.QueueAge("mail", waiting=2, oldest_seconds=90, running=0, dead=0)
    assert by_name["default"] == queries.QueueAge("default", waiting=0, oldest_seconds=0, running=1, dead=0)


@pytest.mark.django_db
def test_what_is_done_is_forgotten_after_a_day_and_what_is_dead_after_thirty(path):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        jobs.tick.enqueue()
        jobs.fail_always.enqueue(path)
        QueuedTask.objects.filter(name__endswith="fail_always").update(max_attempts=1)
        work()
        jobs.tick.using(run_after=clock.now() + timedelta(days=90)).enqueue()
        left = []
        for days in (0, 2, 29):
            moment.shift(timedelta(days=days))
            actions.prune_finished()
            left.append(QueuedTask.objects.count())
    assert left == [3, 2, 1]


@pytest.mark.django_db
def test_periodic_tasks_start_at_even_times():
    moment = datetime(2026, 1, 1, 12, 34, 56, tzinfo=UTC)
    assert periodic.Every(jobs.tick, 300).after(moment) == datetime(2026, 1, 1, 12, 35, tzinfo=UTC)
    assert periodic.Every(jobs.tick, 300).after(datetime(2026, 1, 1, 12, 35, tzinfo=UTC)).minute == 40
    assert periodic.Daily(jobs.tick, time(3)).after(moment) == datetime(2026, 1, 2, 3, tzinfo=UTC)
    assert periodic.Daily(jobs.tick, time(13)).after(moment) == datetime(2026, 1, 1, 13, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_a_periodic_task_is_queued_once_by_many_workers_and_once_for_all_that_was_missed():
    schedule = [periodic.Every(jobs.tick, 60)]
    with time_machine.travel("2026-01-01T00:00:30Z", tick=False) as moment:
        counts = []
        for seconds in (0, 29, 1, 0, 3600):
            moment.shift(seconds)
            barrier = threading.Barrier(3)

            def worker(_: int, barrier=barrier) -> None:
                barrier.wait()
                periodic.fire_due(schedule)
                connections.close_all()

            run_together(worker, 3)
            counts.append(QueuedTask.objects.count())
        assert counts == [0, 0, 1, 1, 2]
        assert periodic.fire_due(schedule) == datetime(2026, 1, 1, 1, 2, tzinfo=UTC)


@pytest.mark.django_db
def test_what_was_queued_put_off_or_leased_while_the_clock_was_ahead_is_not_held_back_when_it_is_set_right(path):
    with time_machine.travel("2026-01-14T00:00:00Z", tick=False) as moment:
        jobs.note.enqueue(path, "leased")
        leases.claim("default", name="gone", lease=timedelta(seconds=20))
        jobs.note.enqueue(path, "queued")
        moment.move_to("2026-01-01T00:00:00Z", tick=False)
        jobs.note.enqueue(path, "put-off")
        put_off = QueuedTask.objects.filter(arguments__args=[path, "put-off"])
        put_off.update(attempts=1, run_at=datetime(2026, 1, 14, tzinfo=UTC))
        jobs.note.using(run_after=datetime(2026, 1, 2, tzinfo=UTC)).enqueue(path, "later")  # as was asked for
        assert (leases.recover_expired(), leases.release_held_back()) == (1, 2)
        due = QueuedTask.objects.due("default", clock.now())
        assert sorted(row.arguments["args"][1] for row in due) == ["leased", "put-off", "queued"]


@pytest.mark.django_db
def test_what_was_queued_anew_while_the_clock_was_ahead_is_not_held_back_either(path):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as moment:
        for number in range(2):
            jobs.note_number.enqueue(number)
        jobs.fail_always.enqueue(path)
        QueuedTask.objects.filter(name=jobs.fail_always.module_path).update(state="dead", attempts=3)
        moment.move_to("2026-01-14T00:00:00Z", tick=False)
        [given_back] = leases.claim("default", name="-", lease=timedelta(seconds=20), limit=1)
        assert leases.settle(given_back, Later(30))
        actions.put_off(jobs.note_number, [1], timedelta(seconds=5))
        assert actions.retry_dead(QueuedTask.objects.dead().get().pk)
        moment.move_to("2026-01-01T00:00:10Z", tick=False)
        assert not QueuedTask.objects.due("default", clock.now())
        assert leases.release_held_back() == 3
        assert QueuedTask.objects.due("default", clock.now()).count() == 3


@pytest.mark.django_db
def test_a_shorter_period_holds_at_once():
    with time_machine.travel("2026-01-01T00:00:30Z", tick=False) as moment:
        periodic.fire_due([periodic.Every(jobs.tick, 86400)])
        periodic.fire_due([periodic.Every(jobs.tick, 60)])
        moment.shift(30)
        periodic.fire_due([periodic.Every(jobs.tick, 60)])
        assert QueuedTask.objects.count() == 1
        assert Schedule.objects.get().next_run == datetime(2026, 1, 1, 0, 2, tzinfo=UTC)


@pytest.mark.django_db
def test_all_that_the_schedule_lists_can_be_queued():
    for entry in periodic.scheduled():
        entry.task.enqueue()
        assert backend.task_of(QueuedTask.objects.latest("pk")) == entry.task


def run_together(target, count: int) -> None:
    threads = [threading.Thread(target=target, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
