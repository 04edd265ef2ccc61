"""The ``RateLimit-Policy`` and ``RateLimit`` fields (draft-ietf-httpapi-ratelimit-headers-10)."""

from packhouse.throttle.limit import Limit, Verdict


def headers(*verdicts: tuple[Limit, Verdict]) -> dict[str, str]:
    """The two header fields for one or more limits and what they said."""
    return {
        "RateLimit-Policy": ", ".join(item for limit, _ in verdicts for item in _policies(limit)),
        "RateLimit": ", ".join(item for limit, verdict in verdicts for item in _states(limit, verdict)),
    }


def _policies(limit: Limit) -> list[str]:
    return [
        f'"{name}";q={window.amount};w={window.get_expiry()};pk=:{limit.scope}:'
        for name, window in zip(limit.names(), limit.windows, strict=True)
    ]


def _states(limit: Limit, verdict: Verdict) -> list[str]:
    return [
        f'"{name}";r={usage.remaining};t={usage.reset_seconds}'
        for name, usage in zip(limit.names(), verdict.windows, strict=True)
    ]
