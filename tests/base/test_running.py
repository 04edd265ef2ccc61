"""What the processes of one server share."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from packhouse.base import running

ENDS_WITH_PARENT = "from packhouse.base import running; running.end_with_parent()"


@pytest.mark.parametrize(("gone", "status"), [(True, -signal.SIGTERM), (False, 0)], ids=["gone", "there"])
def test_a_process_whose_supervisor_was_gone_before_it_could_ask_to_be_told_of_that_ends_at_once(
    tmp_path: Path, gone: bool, status: int
) -> None:
    owner = subprocess.Popen(["true"])
    owner.wait()
    shared = tmp_path / str(owner.pid if gone else os.getpid())
    environment = os.environ | {running.VARIABLE: str(shared)}
    done = subprocess.run([sys.executable, "-c", ENDS_WITH_PARENT], env=environment, check=False)
    assert done.returncode == status
