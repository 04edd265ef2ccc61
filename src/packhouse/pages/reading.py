"""Pages to read: help, security, trademarks, the site map."""

from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from packhouse.base.visibility import public
from packhouse.pages.caching import cached, keyed
from packhouse.pages.helping import GROUPS

PAGES: Final = ("help", "security", "trademarks", "sitemap")
TERMS: Final = frozenset({"terms-of-use", "terms-of-service"})


def _page(name: str) -> object:
    @cached(max_age=0)
    def shown(request: HttpRequest) -> HttpResponse:
        config = settings.PACKHOUSE
        context = {
            "public_url": str(config.public_url).rstrip("/"),
            "contact": config.mail_from,
            "token_prefix": config.token_prefix,
            "file_limit": config.file_size_limit,
            "project_limit": config.project_size_limit,
            "groups": _help(str(config.public_url).rstrip("/")) if name == "help" else (),
        }
        return keyed(render(request, f"pages/{name}.html", context), "reading")

    return shown


def _help(url: str) -> list[dict[str, object]]:
    """The topics of the help page with their commands for this very index."""
    return [
        {
            "title": group.title,
            "topics": [
                {name: getattr(topic, name) for name in ("id", "title", "paragraphs", "links")}
                | {"lines": [command.format(url=url) for command in topic.commands]}
                for topic in group.topics
            ],
        }
        for group in GROUPS
    ]


@cached(max_age=0)
def about(request: HttpRequest) -> HttpResponse:
    """``/about/``, which is a topic of the help page."""
    return keyed(HttpResponsePermanentRedirect("/help/#about"), "reading")


@require_safe
def policy(request: HttpRequest, name: str) -> HttpResponse:
    """Where the terms of service are, under the names that other indexes give them; no other policy is known of."""
    if name not in TERMS or not settings.PACKHOUSE.terms_url:
        raise Http404
    return HttpResponseRedirect(settings.PACKHOUSE.terms_url)


urlpatterns = [
    path("policy/<slug:name>/", public(max_age=0)(policy), name="policy"),
    path("about/", about, name="about"),
    *(path(f"{name}/", _page(name), name=name) for name in PAGES),  # type: ignore[call-overload]
]
