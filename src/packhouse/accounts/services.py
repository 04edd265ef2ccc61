"""The services elsewhere that accounts are set up to use, and whether they answer; for ``packhouse check``."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings

from packhouse.accounts import captcha, domain_status, mail_domains, passwords

PATIENCE: Final = 5.0
"""Seconds for one answer; an operator waits for it."""


def _single_sign_on() -> str:
    """Asks for the provider's description of itself (OpenID Connect Discovery 1.0, section 4)."""
    issuer = settings.PACKHOUSE.sso_issuer
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:  # noqa: S310 (http or https, by the setting)
        said: dict[str, Any] = json.loads(response.read(2**20))
    if said["issuer"] != issuer:
        raise ValueError(f"calls itself {said['issuer']}, which sso_issuer must be")
    return settings.PACKHOUSE.sso_name


PROBES: Final[Mapping[str, Callable[[], str]]] = {
    "sso_issuer": _single_sign_on,
    "captcha": captcha.probe,
    "breach_check": passwords.probe_breach_check,
    "mail_domain_check": mail_domains.probe,
    "domain_status": domain_status.probe,
}
"""By setting: asks its service, and says what it is, or nothing.  Raises whatever it was that failed."""


def in_use() -> list[str]:
    """The settings that name a service."""
    return [name for name in PROBES if getattr(settings.PACKHOUSE, name) not in {"", "none://"}]
