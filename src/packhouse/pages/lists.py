"""Pages that list what there is: classifiers, and the largest projects."""

from itertools import groupby
from typing import Any, Final

import trove_classifiers
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.cache import patch_vary_headers

from packhouse.pages.caching import ALL_PROJECTS, DAY, cached, keyed
from packhouse.pages.counts import COUNTS, SIZES
from packhouse.pages.project.place import project_url

GROUPS: Final = [
    (head, list(members))
    for head, members in groupby(trove_classifiers.sorted_classifiers, lambda name: name.partition(" :: ")[0])
]


@cached()
def classifiers(request: HttpRequest) -> HttpResponse:
    """All classifiers that a project may use, each with the search for it."""
    number = len(trove_classifiers.sorted_classifiers)
    return render(request, "pages/classifiers.html", {"groups": GROUPS, "number": number})


@cached()
def stats(request: HttpRequest) -> HttpResponse:
    """The largest projects and the size of everything, as a page or, for programs that ask for it, as JSON."""
    total, top = SIZES.get()
    kind = request.get_preferred_type(["text/html", "application/json"])
    response: HttpResponse
    if kind is None:
        response = HttpResponse("There is HTML and JSON here.\n", status=404, content_type="text/plain")
    elif kind == "application/json":
        response = JsonResponse(
            {"top_packages": {name: {"size": size} for name, size in top}, "total_packages_size": total}
        )
        response["Access-Control-Allow-Origin"] = "*"
        response["Cache-Control"] = f"public, max-age={DAY}"
    else:
        response = render(request, "pages/stats.html", _shown(total, top))
    patch_vary_headers(response, ["Accept"])
    return keyed(response, ALL_PROJECTS)


def _shown(total: int, top: list[tuple[str, int]]) -> dict[str, Any]:
    largest = max((size for _, size in top), default=0) or 1
    rows = [
        {"name": name, "size": size, "url": project_url(name), "share": round(100 * size / largest)}
        for name, size in top
    ]
    return {"total": total, "rows": rows, "counts": COUNTS.get()}


urlpatterns = [path("classifiers/", classifiers, name="classifiers"), path("stats/", stats, name="stats")]
