"""What people and programs are told when a disk is full or broken."""

import errno

import pytest

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
