"""``/search/``: for people as a page, for programs as JSON, at one address."""

from typing import Any, Final

import structlog
from django.core.paginator import Paginator
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from packhouse.base.errors import HTML, JSON, TooManyRequests, Unavailable, error_page
from packhouse.base.visibility import public
from packhouse.search import language, sidebar
from packhouse.search.forms import Address
from packhouse.search.guard import GUARD, Busy
from packhouse.search.models import Entry
from packhouse.search.queries import PAGE_SIZE, Found, search
from packhouse.throttle.actions import hit
from packhouse.throttle.limit import Limit

log: Any = structlog.get_logger(__name__)
SEARCHES: Final = Limit("search", "5 per second")


@require_safe
@public(max_age=0, shared=60)
def results(request: HttpRequest) -> HttpResponse:
    """413 for a query of more than 1,000 characters, 400 for a page that is no number, 404 past the last page.

    429 past five searches a second from one address, 503 when the database does not answer in time.
    """
    address = Address(request.GET)
    if len(address.text) > language.LONGEST:
        return error_page(request, 413, _("A search has at most %(n)d characters.") % {"n": language.LONGEST})
    try:
        page = address.page
    except ValueError:
        return error_page(request, 400, _("The page must be a number from 1."))
    _within_limit(request)
    found = _answered(address, page)
    if page > found.pages:
        raise Http404
    is_json = request.get_preferred_type([HTML, JSON]) == JSON
    response = JsonResponse(as_json(found)) if is_json else _page(request, found, address)
    patch_vary_headers(response, ["Accept"])
    return response


def _within_limit(request: HttpRequest) -> None:
    verdict = hit(SEARCHES, request.META.get("REMOTE_ADDR", ""))
    if not verdict.allowed:
        raise TooManyRequests(_("You search faster than five times a second."), retry_after=verdict.reset_seconds or 1)


def _answered(address: Address, page: int) -> Found:
    try:
        with GUARD.turn():
            return search(address.wanted(), page)
    except Busy as busy:
        raise Unavailable(_("Too many people search at this moment."), retry_after=2) from busy
    except DatabaseError as error:
        log.warning("search.failed", error=str(error), query=address.text)
        raise Unavailable(_("This search took too long. Try it with fewer or rarer words."), retry_after=5) from error


def _page(request: HttpRequest, found: Found, address: Address) -> HttpResponse:
    context = {
        "found": found,
        "search_query": address.text,
        "is_start": not (found.wanted.asks or found.wanted.filters),
        "applied": sidebar.applied(address),
        "sections": sidebar.sections(found, address),
        "orders": _orders(found, address),
        "page": Paginator(range(found.total), PAGE_SIZE).page(found.page),
        "suggestion_url": address.with_value("q", found.suggestion, alone=True),
    }
    return render(request, "search/results.html", context)


def _orders(found: Found, address: Address) -> list[tuple[str, str, bool]]:
    """Label, URL, and whether it is the order that holds."""
    labels = (_("Relevance"), _("Last updated"), _("Newest"), _("Downloads"))
    return [
        (
            label,
            address.with_value("o", order, alone=True) if order else address.without("o"),
            order == found.wanted.order,
        )
        for label, order in zip(labels, language.ORDERS, strict=True)
    ]


def as_json(found: Found) -> dict[str, Any]:
    """``total`` counts up to 10,000; ``more`` tells that there are others.

    ``facets`` counts among ``total``; with ``estimated``, about so many, by the most downloaded ones.
    """
    facets: dict[str, dict[str, int]] = {}
    for kind, value, number in sidebar.counted(found):
        facets.setdefault(kind, {})[value] = number
    return {
        "query": found.wanted.text,
        "total": found.total,
        "more": found.more,
        "page": found.page,
        "pages": found.pages,
        "did_you_mean": found.suggestion or None,
        "instead": found.instead,
        "partial": found.partial,
        "results": [_result(entry) for entry in found.entries],
        "facets": facets,
        "estimated": found.is_sampled,
    }


def _result(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "normalized_name": entry.normalized_name,
        "version": entry.version,
        "summary": entry.summary,
        "import_names": entry.import_names.split(),
        "created": entry.created.isoformat(),
        "updated": entry.updated.isoformat(),
        "downloads": entry.downloads,
        "archived": entry.archived,
    }
