"""The backend itself; Django wants it under this name."""

import fcntl
import os
from typing import Any

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose transactions queue for the right to write.

    ``waits_its_turn`` can be set to False for writes that would rather fail than wait (``base.sqlite.pragmas``).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waits_its_turn = True
        self._turn: int | None = None
        self._holds_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        if self.waits_its_turn and not self.is_in_memory_db():
            fcntl.flock(self._turn_file(), fcntl.LOCK_EX)
            self._holds_turn = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            if not self._is_writing():
                self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()
            if self._turn is not None:
                os.close(self._turn)
                self._turn = None

    def _is_writing(self) -> bool:
        """Whether the transaction is still open: a commit that failed leaves it to the rollback."""
        return self.connection is not None and self.connection.in_transaction

    def _turn_file(self) -> int:
        if self._turn is None:
            path = f"{self.settings_dict['NAME']}-turn"
            self._turn = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._turn

    def _end_turn(self) -> None:
        if self._holds_turn and self._turn is not None:
            self._holds_turn = False
            fcntl.flock(self._turn, fcntl.LOCK_UN)
