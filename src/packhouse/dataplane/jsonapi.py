"""``/pypi/{name}/json`` and ``/pypi/{name}/{version}/json``: the JSON API's documents."""

import re
from functools import lru_cache
from urllib.parse import quote

from packaging.version import InvalidVersion, Version

from packhouse.dataplane.http import CORS, CSP, NAME, READ_METHODS, Header, Request, Response, Site, not_allowed
from packhouse.dataplane.respond import with_page
from packhouse.dataplane.store import DocumentStore
from packhouse.specs.names import normalize
from packhouse.specs.versions import canonical

_PATH = re.compile(r"(?P<name>[^/]{1,200})(?:/(?P<version>[^/]{1,200}))?/json/?")
_JSON: Header = ("content-type", "application/json")


def answer(request: Request, rest: str, store: DocumentStore, site: Site) -> Response | None:
    """Answer a request for ``/pypi/{rest}`` when it ends in ``json``; others are not the data plane's."""
    if not rest.endswith(("/json", "/json/")):
        return None
    if request.method not in READ_METHODS:
        return not_allowed(site, "json")
    found = _PATH.fullmatch(rest)
    if found is None or not NAME.fullmatch(found["name"]):
        return _missing(site)
    name, version = found["name"], found["version"]
    normalized = normalize(name)
    key = _key(normalized, version)
    page = store.page(key, "json") if key else None
    if page is None:
        return _missing(site)
    if name != normalized:
        return _moved(request, normalized, version, site)
    kind = "release" if version else "project"
    return with_page(request, page, "application/json", lambda: _shared(site, normalized, kind), f"json-{kind}")


def _key(normalized: str, version: str | None) -> str | None:
    if version is None:
        return f"project/{normalized}"
    canonical_version = _canonical(version)
    return None if canonical_version is None else f"release/{normalized}/{canonical_version}"


@lru_cache(maxsize=2048)
def _canonical(version: str) -> str | None:
    try:
        return canonical(Version(version))
    except InvalidVersion:
        return None


def _shared(site: Site, name: str, kind: str) -> list[Header]:
    headers = [
        ("vary", "Accept-Encoding"),
        ("cache-control", f"max-age={900 if site.index_max_age else 0}, public"),
        ("surrogate-key", f"project/{name} all-legacy-json {kind}-legacy-json"),
        ("accept-ranges", "bytes"),
        CSP,
        *CORS,
        *site.security(),
    ]
    if site.surrogates:
        headers.append(("surrogate-control", "max-age=86400, stale-while-revalidate=300, stale-if-error=86400"))
    return headers


def _missing(site: Site) -> Response:
    return Response(404, [_JSON, CSP, *CORS, *site.security()], b'{"message": "Not Found"}', "json-missing")


def _moved(request: Request, normalized: str, version: str | None, site: Site) -> Response:
    middle = f"/{quote(version, safe='!+')}" if version else ""
    location = f"/pypi/{normalized}{middle}/json" + (f"?{request.query}" if request.query else "")
    headers = [("location", location), _JSON, CSP, *CORS, *site.security()]
    return Response(301, headers, b'{"message": "Moved Permanently"}', "json-moved")
