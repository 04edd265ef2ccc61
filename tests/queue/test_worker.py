"""A real worker with real lanes, killed and stopped as it happens to real ones."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.queue import jobs

from packhouse.queue.models import QueuedTask

ROOT = Path(__file__).parents[2]
State = QueuedTask.State

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running(module: str, *arguments: str):
    """A process of the queue's, on the test's database; stopped when the test is done with it."""
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}/src{os.pathsep}{ROOT}",
        "DJANGO_SETTINGS_MODULE": "tests.queue.unscheduled",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", f"packhouse.queue.{module}", *arguments], env=environment, cwd=ROOT
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            process.kill()


def worker(*arguments: str):
    return running("worker", "--grace", "0.2", *arguments)


def lane(name: str, *arguments: str):
    return running(
        "lane", "--name", name, "--slots", "default=1", "--lease", "1", "--keeper", "--grace", "0.2", *arguments
    )


def eventually(condition, seconds: float = 120):
    until = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < until, f"still not after {seconds} s: {list(QueuedTask.objects.values())}"
        time.sleep(0.05)
    return answer


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "notes")


def lines(path: str) -> list[str]:
    return Path(path).read_text().split() if Path(path).exists() else []


def done(count: int = 1) -> bool:
    return QueuedTask.objects.filter(state=State.DONE).count() == count


def test_a_worker_runs_what_is_queued_in_light_and_heavy_queues(path):
    with worker():
        jobs.note.enqueue(path)
        jobs.note_mail.enqueue(path)
        jobs.note_heavy.enqueue(path)
        eventually(lambda: done(3))
    assert lines(path) == ["done"] * 3


def test_a_task_whose_process_is_killed_runs_again_and_succeeds(path):
    with worker():
        jobs.sleep_the_first_time.enqueue(path)
        (victim,) = eventually(lambda: lines(path))
        os.kill(int(victim), signal.SIGKILL)
        eventually(done)
    first, second, finished = lines(path)
    assert first != second
    assert finished == "finished"
    assert QueuedTask.objects.get().attempts == 2


def test_a_task_whose_whole_worker_is_gone_is_taken_by_another_after_the_lease(path):
    with lane("first") as victim:
        jobs.sleep_the_first_time.enqueue(path)
        eventually(lambda: lines(path))
        victim.kill()
    with lane("second"):
        eventually(done)
    assert len(lines(path)) == 3


def test_what_a_lane_held_whose_worker_was_killed_with_it_is_taken_at_once_by_the_next_worker(path):
    with worker("--lease", "3000") as killed:
        jobs.sleep_the_first_time.enqueue(path)
        (victim,) = eventually(lambda: lines(path))
        os.kill(int(victim), signal.SIGSTOP)  # so that it cannot give back anything
        killed.kill()
        killed.wait()
        os.kill(int(victim), signal.SIGKILL)
    with worker("--lease", "3000"):
        eventually(done)
    assert QueuedTask.objects.get().attempts == 2
    assert len(lines(path)) == 3


def test_a_stopped_worker_gives_back_what_it_cannot_finish(path):
    with worker():
        jobs.sleep_the_first_time.enqueue(path)
        eventually(lambda: lines(path))
    row = QueuedTask.objects.get()
    assert (row.state, row.attempts, row.lease_by) == (State.WAITING, 0, "")


@pytest.mark.parametrize("stuck", [jobs.sleep_too_long, jobs.hold_the_interpreter], ids=["sleeping", "busy"])
def test_a_stuck_task_is_killed_at_its_limit_and_neighbours_go_on(path, stuck):
    with worker():
        stuck.enqueue(path + ".stuck")
        eventually(lambda: lines(path + ".stuck"))
        jobs.note.enqueue(path)
        jobs.note_mail.enqueue(path)
        eventually(lambda: done(2) and QueuedTask.objects.dead().exists())
    assert lines(path) == ["done", "done"]
    assert lines(path + ".stuck") == ["started"]
    assert QueuedTask.objects.dead().get().last_error.endswith("killed at its time limit of 1 s")


def test_a_hang_up_renews_the_lanes_and_the_worker_goes_on(path):
    with worker() as supervisor:
        jobs.sleep_the_first_time.enqueue(path)
        (before,) = eventually(lambda: lines(path))
        supervisor.send_signal(signal.SIGHUP)
        eventually(done)
    assert lines(path)[1] != before


def test_stuck_tasks_of_one_queue_do_not_make_another_late(path):
    with worker():
        for number in range(4):
            jobs.sleep_the_first_time.enqueue(f"{path}{number}")
        eventually(lambda: QueuedTask.objects.running().count() == 2)
        jobs.note_mail.enqueue(path)
        eventually(lambda: lines(path))
        assert QueuedTask.objects.running().filter(queue="default").count() == 2


def test_a_lane_whose_supervisor_is_gone_stops(path):
    with worker() as supervisor:
        jobs.sleep_the_first_time.enqueue(path)
        (orphan,) = eventually(lambda: lines(path))
        supervisor.kill()
        eventually(lambda: not Path(f"/proc/{orphan}").exists())
    assert QueuedTask.objects.get().state == State.WAITING


def test_a_lane_whose_supervisor_is_gone_before_it_has_started_stops_too():
    with lane("late", "--supervisor", "1999999") as process:
        assert process.wait(120) == 0


@pytest.mark.parametrize(
    ("strange", "said"), [(jobs.fail_unspeakably, "nowhere"), (jobs.fail_beyond_exceptions, "called off")]
)
def test_a_task_that_fails_in_a_strange_way_is_noted_and_keeps_no_worker_from_going_on_and_stopping(
    path, strange, said
):
    with running("worker", "--grace", "900") as process:
        for _ in range(2):  # as many as the queue has places
            strange.enqueue()
        jobs.note.enqueue(path)
        eventually(done)
        eventually(lambda: QueuedTask.objects.dead().count() == 2)
        process.terminate()
        assert process.wait(120) == 0
    assert lines(path) == ["done"]
    assert all(said in row.last_error for row in QueuedTask.objects.dead())
