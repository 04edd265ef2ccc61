"""Whether a person registers, as a vendor's captcha tells.  Off unless the setting ``captcha`` names a vendor.

All three vendors speak alike: the widget puts a token into the form, and ``POST siteverify`` with ``secret``,
``response`` and ``remoteip`` answers JSON whose ``success`` is true once for each token.
"""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from django import forms
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packhouse.base import metrics
from packhouse.base.values import CaptchaSite, captcha_site

PATIENCE: Final = 5.0
"""Seconds for one answer of the vendor; somebody waits for it."""
TRIES: Final = 2
LONGEST: Final = 16_384
"""Characters of a token; none is nearly as long."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Vendor:
    """Where a vendor's script lies and where tokens are verified, what its widget is called, and its sources.

    ``script`` takes the language; the widget of who has none there has it in ``data-language``.
    """

    script: str
    verification: str
    widget: str
    sources: tuple[str, ...]

    @property
    def field(self) -> str:
        """The name under which the widget puts its token into the form."""
        return f"{self.widget}-response"


VENDORS: Final[Mapping[str, Vendor]] = {
    "hcaptcha": Vendor(
        "https://js.hcaptcha.com/1/api.js?hl={}",
        "https://api.hcaptcha.com/siteverify",
        "h-captcha",
        ("https://hcaptcha.com", "https://*.hcaptcha.com"),
    ),
    "recaptcha": Vendor(
        "https://www.google.com/recaptcha/api.js?hl={}",
        "https://www.google.com/recaptcha/api/siteverify",
        "g-recaptcha",
        ("https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/"),
    ),
    "turnstile": Vendor(
        "https://challenges.cloudflare.com/turnstile/v0/api.js",
        "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        "cf-turnstile",
        ("https://challenges.cloudflare.com",),
    ),
}


def site() -> CaptchaSite | None:
    """The vendor and the key of this index; None where nobody is asked."""
    return captcha_site(settings.PACKHOUSE.captcha)


def sources() -> dict[str, tuple[str, ...]]:
    """What a page with the widget may use beyond the usual, by directive of the content security policy."""
    named = site()
    directives = ("script-src", "frame-src", "style-src", "connect-src")
    return dict.fromkeys(directives, VENDORS[named.vendor].sources) if named else {}


def problem(token: str, *, address: str) -> str:
    """What is wrong with the token that the widget made for whoever is at *address*; usually nothing."""
    named = site()
    if named is None:
        return ""
    for _try in range(TRIES):
        try:
            verdict = _ask(named, token[:LONGEST], address)
        except (OSError, ValueError, TypeError) as error:
            log.warning("captcha-failed", error=type(error).__name__)
            continue
        return "" if verdict.get("success") is True else _("That was not taken for a person's answer. Try once more.")
    metrics.count("packhouse_upstream_errors", "captcha")
    return _("The service that tells people from programs does not answer. Try again in a moment.")


def probe() -> str:
    """Has the vendor verify a token that is none; raises ``OSError`` or ``ValueError`` where it does not, or cannot."""
    named = site()
    if named is None or not settings.PACKHOUSE.captcha_secret:
        raise ValueError("captcha_secret is not set")
    codes = _ask(named, "packhouse-check", "127.0.0.1").get("error-codes") or []
    if wrong := [code for code in codes if "secret" in str(code) or "sitekey" in str(code)]:
        raise ValueError(f"{named.vendor} says {wrong[0]}")
    return ""


def _ask(named: CaptchaSite, token: str, address: str) -> dict[str, Any]:
    url = named.endpoint or VENDORS[named.vendor].verification
    form = {"secret": settings.PACKHOUSE.captcha_secret, "sitekey": named.key, "response": token, "remoteip": address}
    request = urllib.request.Request(url, urlencode(form).encode(), {"User-Agent": "packhouse"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 (http or https, by the setting)
        answer = json.loads(response.read(2**20))
    if not isinstance(answer, dict):
        raise TypeError("not an object")
    return answer


class Widget(forms.Widget):
    """The vendor's widget, which its script draws."""

    template_name = "accounts/captcha.html"
    use_fieldset = True

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str | None:
        named = site()
        return data.get(VENDORS[named.vendor].field) if named else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        named = site()
        found = super().get_context(name, value, attrs)
        if named is None:
            return found
        vendor, language = VENDORS[named.vendor], translation.get_language() or "en"
        return found | {"site": named, "vendor": vendor, "language": language, "script": vendor.script.format(language)}

    def id_for_label(self, id_: str | None, index: Any = None) -> str:
        return ""


def field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Robot check"),
        widget=Widget(),
        error_messages={"required": gettext_lazy("Answer this question, which needs JavaScript.")},
    )
