"""What wakes a process of the queue."""

import subprocess
import sys

RUNG_BY_SIGNALS = """
import signal
from packhouse.queue.bell import Bell
bell = Bell()
signal.signal(signal.SIGALRM, lambda *_: bell.ring())
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
for _ in range(5_000):
    bell.wait(60)
signal.setitimer(signal.ITIMER_REAL, 0)
print("awake")
"""


def test_a_signal_may_ring_at_any_moment_of_waiting():
    """Each wait is ended by a signal, and thousands come while the main thread begins to wait or stops waiting."""
    command = [sys.executable, "-c", RUNG_BY_SIGNALS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (done.stdout, done.stderr) == ("awake\n", "")
