"""Pages to read: help, security, trademarks, the site map."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from packhouse.pages.caching import cached, keyed

PAGES: Final = ("help", "security", "trademarks", "sitemap")


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
        }
        return keyed(render(request, f"pages/{name}.html", context), "reading")

    return shown


urlpatterns = [path(f"{name}/", _page(name), name=name) for name in PAGES]  # type: ignore[call-overload]
