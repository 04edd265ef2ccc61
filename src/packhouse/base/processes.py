"""Processes beside this one, for work that needs no database.  Imports nothing that needs Django's settings."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor

import django
from django.conf import settings


def beside(count: int) -> ProcessPoolExecutor:
    """A pool of *count* fresh processes under the same settings: copies of this one would share its connections."""
    fresh = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, fresh, _set_up, (settings.SETTINGS_MODULE,))


def _set_up(module: str) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    django.setup()


def _end_with_parent() -> None:
    """Nobody is left waiting for work when the process that gives it is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
