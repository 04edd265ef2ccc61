"""What people and programs are told when a disk is full or broken."""

import errno

import pytest
from django.db import DatabaseError, IntegrityError
from django.db.utils import ConnectionHandler

from packhouse.base.errors import outage_page


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.EIO, 503), (errno.EROFS, 503), (errno.ESTALE, 503), (errno.ENOSPC, 507), (errno.EDQUOT, 507)],
)
def test_a_broken_disk_is_503_and_a_full_one_507(rf, number, status):
    answer = outage_page(rf.post("/legacy/", headers={"accept": "text/plain"}), OSError(number, "disk"))
    assert answer is not None
    assert answer.status_code == status
    assert answer["Retry-After"] == "10"


def test_a_file_that_is_not_there_is_no_outage(rf):
    assert outage_page(rf.get("/"), FileNotFoundError(errno.ENOENT, "missing")) is None


@pytest.mark.django_db
@pytest.mark.parametrize("kept", [4096, 0])
def test_a_damaged_file_of_sqlite_is_an_outage_and_what_it_refuses_is_none(rf, tmp_path, kept):
    path = tmp_path / "numbers.db"
    database = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path}})["default"]
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE numbers (number UNIQUE)")
        cursor.executemany("INSERT INTO numbers VALUES (%s)", [(number,) for number in range(5000)])
        with pytest.raises(IntegrityError) as refused:
            cursor.execute("INSERT INTO numbers VALUES (1)")
    database.close()
    content = path.read_bytes()
    path.write_bytes(content[:kept] + b"\1" * (len(content) - kept))
    with database.cursor() as cursor, pytest.raises(DatabaseError) as broken:
        cursor.execute("SELECT COUNT(*) FROM numbers")
    assert outage_page(rf.get("/"), refused.value) is None
    answer = outage_page(rf.get("/"), broken.value)
    assert answer is not None
    assert answer.status_code == 503
    database.close()
