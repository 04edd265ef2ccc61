"""What trusted publishers may do."""

from uuid import uuid4

import pytest

from packhouse.base.identity import ANONYMOUS, Identity, Publisher
from packhouse.publishers.rules import may_publish

JOB = Identity(kind="publisher", credential="publisher-token", publisher=Publisher(uuid4(), "github", "acme/demo"))
ALICE = Identity(kind="user", user_id=1, username="alice", credential="token", two_factor=True, verified_email=True)


@pytest.mark.parametrize(
    ("identity", "trusted", "status", "code"),
    [
        (JOB, True, "active", ""),
        (JOB, False, "active", "publisher-not-trusted"),
        (JOB, True, "archived", "project-archived"),
        (JOB, True, "quarantined", "project-quarantined"),
        (JOB, False, "quarantined", "publisher-not-trusted"),
        (ALICE, True, "active", "publisher-not-trusted"),
        (ANONYMOUS, True, "active", "publisher-not-trusted"),
    ],
)
def test_who_may_publish(identity: Identity, trusted: bool, status: str, code: str) -> None:
    assert may_publish(identity, trusted=trusted, project="demo", status=status).code == code
