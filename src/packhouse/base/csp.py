"""The content security policy: which sources a page may use, and the views that need more.

Nothing inline, nothing from elsewhere, no frames.  A view that needs more says so with ``@csp``.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from django.http import HttpResponseBase

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

POLICY: Final[Mapping[str, tuple[str, ...]]] = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'",),
    "font-src": ("'self'",),
    "connect-src": ("'self'",),
    "manifest-src": ("'self'",),
    "form-action": ("'self'",),
    "frame-ancestors": ("'none'",),
    "base-uri": ("'none'",),
}


def policy(more: Mapping[str, Iterable[str]] | None = None) -> str:
    """The header's value: ``POLICY``, widened by the sources in *more*."""
    directives = {name: list(sources) for name, sources in POLICY.items()}
    for name, sources in (more or {}).items():
        kept = [source for source in directives.get(name, []) if source != "'none'"]
        directives[name] = kept + [source for source in sources if source not in kept]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def csp(**more: Iterable[str]) -> Callable[[View], View]:
    """Lets a view's pages use further sources: ``@csp(img_src=["https://images.example"], form_action=[…])``."""
    wider = {name.replace("_", "-"): tuple(sources) for name, sources in more.items()}

    def decorate(view: View) -> View:
        @wraps(view)
        def with_policy(*args: Any, **kwargs: Any) -> HttpResponseBase:
            response = view(*args, **kwargs)
            response.csp = wider  # type: ignore[attr-defined]
            return response

        return with_policy  # type: ignore[return-value]

    return decorate
