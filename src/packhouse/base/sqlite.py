"""Settings of the SQLite connection for the length of one write."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connection


@contextmanager
def pragmas(**wanted: int) -> Iterator[None]:
    """Set SQLite's pragmas *wanted* (``busy_timeout`` in ms, ``synchronous`` 0 to 3) inside the block.

    With a ``busy_timeout``, transactions inside do not queue for their turn: they wait that long, then fail.
    Does nothing on other databases, nor inside of a transaction, where it is too late.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with ExitStack() as restored:
        if "busy_timeout" in wanted:
            restored.callback(setattr, connection, "waits_its_turn", True)
            connection.waits_its_turn = False  # type: ignore[attr-defined]
        for name, value in wanted.items():
            usual = _pragma(name)
            restored.callback(_set_pragma, name, usual)
            _set_pragma(name, value if name != "synchronous" else min(value, usual))
        yield


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return int(cursor.fetchone()[0])


def _set_pragma(name: str, value: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name} = {value:d}")
