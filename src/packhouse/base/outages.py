"""Telling what a database's error means: no room, or nobody there."""

import sqlite3

from django.db import DatabaseError, InterfaceError, OperationalError

_NO_ROOM = {"53100", "53200"}
"""SQLSTATE of PostgreSQL: disk full, out of memory."""


def is_full(error: BaseException) -> bool:
    """Whether the database could not write because its disk is full."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, DatabaseError) and getattr(cause, "sqlstate", None) in _NO_ROOM


def is_outage(error: BaseException) -> bool:
    """Whether the database did not do its work, as opposed to having refused what was asked."""
    return isinstance(error, OperationalError | InterfaceError)
