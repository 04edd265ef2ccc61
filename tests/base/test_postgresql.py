"""Times are read as Django reads them, only faster."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection


def read(text: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(%s AS timestamptz)", [text])
        (found,) = cursor.fetchone()
    assert isinstance(found, datetime)
    return found


@pytest.fixture(autouse=True)
def _on_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("is about PostgreSQL")


@pytest.mark.parametrize("micros", [0, 1, 10, 284303, 284300, 500000, 999999])
def test_times_are_read_to_the_microsecond_and_are_in_utc(micros):
    when = datetime(2026, 2, 3, 4, 5, 6, micros, UTC)
    found = read(when.isoformat())
    assert found == when
    assert found.tzinfo is UTC
    assert read("0001-01-01 00:00:00+00") == datetime(1, 1, 1, tzinfo=UTC)
    assert read("2026-02-03 04:05:06+02") == datetime(2026, 2, 3, 2, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 12:00:00+00 BC", "10000-01-01 00:00:00+00"])
def test_a_time_that_python_does_not_know_is_an_error_that_says_so(text):
    with pytest.raises(DataError, match="timestamp"):
        read(text)
