"""How many projects may be started: by one user, and from one address."""

from packhouse.throttle.actions import hit
from packhouse.throttle.headers import headers
from packhouse.throttle.limit import Limit, Verdict
from packhouse.throttle.queries import test as look
from packhouse.uploads.reasons import Rejected
from packhouse.uploads.stages import Described

PER_ADDRESS = Limit("project.create.ip", "40 per hour", "ip")
PER_USER = Limit("project.create.user", "20 per hour", "user")
CLAIM = Limit("project.create.claim", "1 per minute", "user")
"""Uploads of one new project that race are one creation: only the first of them counts."""


def test(upload: Described) -> None:
    """Refuse when one more would be too many; counts nothing."""
    _judge([(limit, look(limit, key)) for limit, key in _keys(upload)])


def count(upload: Described) -> dict[str, str]:
    """Count one project, or refuse; returns the headers that tell the client what is left."""
    use = hit if hit(CLAIM, upload.identity.user_id, upload.normalized_name).allowed else look
    return _judge([(limit, use(limit, key)) for limit, key in _keys(upload)])


def _keys(upload: Described) -> list[tuple[Limit, object]]:
    """What counts: nothing for trusted publishers, whose projects somebody has announced."""
    if upload.identity.kind != "user":
        return []
    limits = [
        ("ip", upload.config.new_projects_per_address, upload.request.address),
        ("user", upload.config.new_projects_per_user, upload.identity.user_id),
    ]
    return [(Limit(f"project.create.{scope}", f"{most} per hour", scope), key) for scope, most, key in limits if most]


def _judge(verdicts: list[tuple[Limit, Verdict]]) -> dict[str, str]:
    told = headers(*verdicts) if verdicts else {}
    if not all(verdict.allowed for _, verdict in verdicts):
        raise Rejected("too-many-new-projects", "Too many new projects created", headers=told)
    return told
