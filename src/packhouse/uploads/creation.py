"""How many projects may be started: by one user, and from one address."""

from collections.abc import Iterator
from contextlib import contextmanager

from packhouse.throttle.actions import give_back, hit
from packhouse.throttle.headers import headers
from packhouse.throttle.limit import Limit, Verdict
from packhouse.throttle.queries import test as look
from packhouse.uploads.reasons import AlreadyPublished, Rejected
from packhouse.uploads.stages import Described

PER_ADDRESS = Limit("project.create.ip", "40 per hour", "ip")
PER_USER = Limit("project.create.user", "20 per hour", "user")
CLAIM = Limit("project.create.claim", "1 per hour", "user")
"""Uploads of one new project are one creation, whether they race or are tries of the same: only the first counts."""
TOO_MANY = "too-many-new-projects"

Use = tuple[Limit, tuple[object, ...]]
"""A limit, and the key under which it is used up."""


def test(upload: Described) -> None:
    """Refuse when one more would be too many; counts nothing."""
    if look(CLAIM, *_claim(upload)).allowed:
        _judge([(limit, look(limit, *key)) for limit, key in _uses(upload)])


@contextmanager
def counted(upload: Described) -> Iterator[dict[str, str]]:
    """Count the project that the block starts, or refuse; yields headers that tell the client what is left.

    Where the block fails for a reason that is not the client's, nothing is counted.
    """
    uses = _uses(upload) if upload.project is None else []
    if not uses:
        yield {}
    elif hit(CLAIM, *_claim(upload)).allowed:
        with _unless_it_fails([(CLAIM, _claim(upload))]) as used:
            yield _judge([(use[0], _hit(use, used)) for use in uses])
    else:
        yield headers(*((limit, look(limit, *key)) for limit, key in uses))


@contextmanager
def _unless_it_fails(used: list[Use]) -> Iterator[list[Use]]:
    """What is *used*, and what the block adds to it, is given back if the block fails as ours."""
    try:
        yield used
    except Exception as error:
        if _counts_nothing(error):
            for limit, key in reversed(used):
                give_back(limit, *key)
        raise


def _counts_nothing(error: Exception) -> bool:
    if isinstance(error, Rejected):
        return error.status >= 500 or error.code == TOO_MANY
    return not isinstance(error, AlreadyPublished)


def _hit(use: Use, used: list[Use]) -> Verdict:
    verdict = hit(use[0], *use[1])
    if verdict.allowed:
        used.append(use)
    return verdict


def _claim(upload: Described) -> tuple[object, ...]:
    return upload.identity.user_id, upload.normalized_name


def _uses(upload: Described) -> list[Use]:
    """What counts: nothing for trusted publishers, whose projects somebody has announced."""
    if upload.identity.kind != "user":
        return []
    limits = [
        ("ip", upload.config.new_projects_per_address, upload.request.address),
        ("user", upload.config.new_projects_per_user, upload.identity.user_id),
    ]
    return [
        (Limit(f"project.create.{scope}", f"{most} per hour", scope), (key,)) for scope, most, key in limits if most
    ]


def _judge(verdicts: list[tuple[Limit, Verdict]]) -> dict[str, str]:
    told = headers(*verdicts) if verdicts else {}
    if not all(verdict.allowed for _, verdict in verdicts):
        raise Rejected(TOO_MANY, "Too many new projects created", headers=told)
    return told
