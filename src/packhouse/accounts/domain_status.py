"""Whether a domain is still somebody's.  Whoever registers one that was given up gets the letters to its addresses.

Asked is the service of the setting ``domain_status``, in the manner of Fastly's domain status API:
``GET {service}?domain=example.org`` with the key in ``Fastly-Key``; the answer is JSON whose ``status`` lists words.
"""

import json
import urllib.request
from typing import Final
from urllib.parse import quote

import structlog
from django.conf import settings

PATIENCE: Final = 10.0
"""Seconds for one answer; nobody waits for it."""
LOST: Final = frozenset({"undelegated", "inactive", "expiring", "deleting", "unknown"})
"""States of a domain that nobody holds, or is about to hold no longer."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def is_set_up() -> bool:
    return bool(settings.PACKHOUSE.domain_status != "none://")


def is_lost(domain: str) -> bool | None:
    """Whether nobody holds *domain* any more; None where the service does not say."""
    try:
        words = _ask(domain)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("domain-status-failed", error=type(error).__name__)
        return None
    return bool(LOST & words) if words else None


def probe() -> str:
    """Asks about a domain; raises ``OSError`` or ``ValueError`` where there is no answer."""
    _ask("example.org")
    return ""


def _ask(domain: str) -> set[str]:
    url = f"{settings.PACKHOUSE.domain_status}?domain={quote(domain)}"
    headers = {"Accept": "application/json", "Fastly-Key": settings.PACKHOUSE.domain_status_key}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (http or https, by the setting)
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
        answer = json.loads(response.read(2**20))
    return set(answer.get("status", "").split())
