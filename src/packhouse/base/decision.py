"""What a permission rule answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is allowed and, if not, why, in words for the person who asked.

    ``code`` names the reason for logs, metrics and tests; it is empty when allowed.
    """

    allowed: bool
    reason: str = ""
    code: str = ""

    def __bool__(self) -> bool:
        return self.allowed


ALLOWED = Decision(allowed=True)


def denied(code: str, reason: str) -> Decision:
    return Decision(allowed=False, reason=reason, code=code)
