"""What the processes of one ``packhouse serve`` share: a folder in the home, as long as they run.

It holds the sign that the server is about to stop, and the metrics of each process.  The folder's name is handed down
in the environment; a process that was started alone has none and shares nothing.
"""

import ctypes
import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

VARIABLE: Final = "_PACKHOUSE_RUN"
PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36


def make_folder(home: Path) -> Path:
    """A fresh folder for this process and its children; those of processes that are gone are removed."""
    for folder in (home / "run").iterdir():
        if folder.name.isdigit() and not is_alive(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    folder = home / "run" / str(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o750)
    os.environ[VARIABLE] = str(folder)
    return folder


def folder() -> Path | None:
    """The folder that this process shares with its siblings, if it has any."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def remove_folder() -> None:
    """Called by whoever made it, last."""
    if shared := folder():
        shutil.rmtree(shared, ignore_errors=True)
        del os.environ[VARIABLE]


def start_draining() -> None:
    """From now on the server says that it is not ready, so that nobody sends it more work."""
    if shared := folder():
        with suppress(OSError):
            (shared / "draining").touch()


def is_draining() -> bool:
    """Whether the server is about to stop."""
    shared = folder()
    return shared is not None and (shared / "draining").exists()


def ask_to_restart() -> bool:
    """Ask the supervisor of this process to begin anew, with the configuration as it is now; False without one."""
    shared = folder()
    if shared is None or not shared.name.isdigit():
        return False
    try:
        os.kill(int(shared.name), signal.SIGUSR1)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def end_with_parent() -> None:
    """Sends this process SIGTERM when its parent is gone, however that ended, or the supervisor is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    parent = os.getppid()
    if folder() is not None and not is_alive(_owner()):
        os.kill(os.getpid(), signal.SIGTERM)
    if sys.platform != "linux":
        threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def adopt_orphans() -> bool:
    """Makes what its descendants leave behind when they die children of this process; False where nothing can.

    The process has to wait for them, too: see prctl(2), PR_SET_CHILD_SUBREAPER.
    """
    return sys.platform == "linux" and not ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _owner() -> int:
    shared = folder()
    return int(shared.name) if shared else os.getpid()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def is_alive(pid: int) -> bool:
    """Whether a process with that id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
