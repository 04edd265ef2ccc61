"""Telling what an error of the database or of a disk means: no room, or nobody there."""

import errno
import sqlite3

from django.db import DatabaseError, InterfaceError, OperationalError

_NO_ROOM = {"53100", "53200"}
"""SQLSTATE of PostgreSQL: disk full, out of memory."""
_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
_BROKEN_DISK = {errno.EIO, errno.EROFS, errno.ESTALE}
_BROKEN_FILE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""What SQLite makes of a disk that is gone in the midst of a change, and of damage; Django names them no further."""


def is_full(error: BaseException) -> bool:
    """Whether something could not be written because a disk is full."""
    if isinstance(error, OSError):
        return error.errno in _FULL_DISK
    if isinstance(error.__cause__, sqlite3.Error):
        return _code(error) == sqlite3.SQLITE_FULL
    return isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", None) in _NO_ROOM


def is_outage(error: BaseException) -> bool:
    """Whether the database or a disk did not do its work, as opposed to having refused what was asked."""
    if isinstance(error, OSError):
        return error.errno in _FULL_DISK | _BROKEN_DISK
    return isinstance(error, OperationalError | InterfaceError) or _code(error) in _BROKEN_FILE


def _code(error: BaseException) -> int | None:
    """The primary result code of SQLite behind *error*."""
    code: int | None = getattr(error.__cause__, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
