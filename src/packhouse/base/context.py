"""What the shell of every page needs to know."""

from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_info

from packhouse.base.visibility import is_public


def shell(request: HttpRequest) -> dict[str, Any]:
    """For all templates: ``site_name``, ``terms_url``, ``is_public`` and ``languages``.

    On private pages also ``visitor`` and ``flashes``.

    ``visitor`` is the user, or None for nobody in particular; on public pages always None, since nothing of the
    visitor may be looked at there.
    """
    public = is_public(request)
    return {
        "site_name": settings.PACKHOUSE.site_name,
        "terms_url": settings.PACKHOUSE.terms_url,
        "is_public": public,
        "languages": [(code, get_language_info(code)["name_local"]) for code, _ in settings.LANGUAGES],
        "language": get_language(),
        "here": request.get_full_path() if request.method in {"GET", "HEAD"} else request.path,
        "visitor": None if public else _visitor(request),
        "flashes": () if public else get_messages(request),
    }


def _visitor(request: HttpRequest) -> Any:
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None
