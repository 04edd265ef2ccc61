"""Telling what an error of the database or of a disk means: no room, or nobody there."""

import errno
import sqlite3

from django.db import DatabaseError, InterfaceError, OperationalError

_NO_ROOM = {"53100", "53200"}
"""SQLSTATE of PostgreSQL: disk full, out of memory."""
_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
_BROKEN_DISK = {errno.EIO, errno.EROFS, errno.ESTALE}


def is_full(error: BaseException) -> bool:
    """Whether something could not be written because a disk is full."""
    if isinstance(error, OSError):
        return error.errno in _FULL_DISK
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, DatabaseError) and getattr(cause, "sqlstate", None) in _NO_ROOM


def is_outage(error: BaseException) -> bool:
    """Whether the database or a disk did not do its work, as opposed to having refused what was asked."""
    if isinstance(error, OSError):
        return error.errno in _FULL_DISK | _BROKEN_DISK
    return isinstance(error, OperationalError | InterfaceError)
