"""``/simple/``: the index and the project pages (PEP 503, 691, 700, 792)."""

from functools import lru_cache
from urllib.parse import parse_qsl

from packhouse.dataplane.http import CORS, NAME, READ_METHODS, Header, Request, Response, Site, not_allowed, text
from packhouse.dataplane.negotiation import HTML, V1_JSON, Format, media_type
from packhouse.dataplane.respond import with_page
from packhouse.dataplane.store import DocumentStore
from packhouse.specs.names import normalize

_CSP: Header = ("content-security-policy", "default-src 'none'; sandbox allow-top-navigation")
_VARY: Header = ("vary", "Accept, Accept-Encoding")


def answer(request: Request, rest: str, store: DocumentStore, site: Site) -> Response:
    """Answer a request for ``/simple/{rest}``."""
    if request.method not in READ_METHODS:
        return not_allowed(site, "simple")
    accept = request.headers.get("accept")
    wanted = media_type(accept, _override(request.query))
    fmt: Format = "json" if wanted == V1_JSON else "html"
    if rest == "":
        return _page(request, "index", wanted, fmt, store, site)
    name = rest[:-1]
    if rest[-1] != "/":
        return add_slash(request, site, f"/simple/{_normalized(rest)}/") if NAME.fullmatch(rest) else _missing(site)
    if not NAME.fullmatch(name):
        return _missing(site)
    normalized = _normalized(name)
    if normalized != name:
        return _moved(request, normalized, store, site)
    return _page(request, name, wanted, fmt, store, site)


def _page(request: Request, name: str, wanted: str, fmt: Format, store: DocumentStore, site: Site) -> Response:
    index = name == "index" and request.path == "/simple/"
    page = store.page("index" if index else "simple/" + name, fmt)
    if page is None:
        return _missing(site)
    content_type = "text/html; charset=UTF-8" if wanted == HTML else wanted
    listed = "" if index else name
    route = "simple-index" if index else "simple-detail"
    return with_page(request, page, content_type, lambda: shared_headers(site, listed, fmt), route)


@lru_cache(maxsize=4096)
def _normalized(name: str) -> str:
    return normalize(name)


@lru_cache(maxsize=64)
def _override(query: str) -> str | None:
    """The value of ``?format=``, the way around ``Accept`` (PEP 691)."""
    if not query:
        return None
    return dict(parse_qsl(query.replace("+", "%2B"))).get("format") if len(query) < 500 else None


def shared_headers(site: Site, name: str, fmt: Format) -> list[Header]:
    """What every answer about a page carries, with or without a body.  An empty *name* is the index."""
    keys = "all-html simple-index" if not name else f"project/{name} all-html simple-detail"
    headers = [
        _VARY,
        ("cache-control", f"max-age={site.index_max_age}, public"),
        ("surrogate-key", keys),
        ("accept-ranges", "bytes"),
        _CSP,
        *CORS,
        *site.security(),
    ]
    if site.surrogates:
        age = 1800 if fmt == "json" and not name else 86400
        control = f"max-age={age}, stale-while-revalidate=300, stale-if-error=86400"
        headers.append(("surrogate-control", control))
    return headers


def _missing(site: Site) -> Response:
    return text(site, 404, "404 Not Found", "simple-missing", *CORS)


def _moved(request: Request, normalized: str, store: DocumentStore, site: Site) -> Response:
    if store.page("simple/" + normalized, "json") is None:
        return _missing(site)
    location = f"/simple/{normalized}/" + (f"?{request.query}" if request.query else "")
    cache: Header = ("cache-control", f"max-age={site.index_max_age}, public")
    return text(site, 301, "301 Moved Permanently", "simple-moved", ("location", location), cache, *CORS)


def add_slash(request: Request, site: Site, path: str = "/simple/") -> Response:
    """Redirect to *path*, which is the right spelling and has a slash behind it, in one hop."""
    location = path + (f"?{request.query}" if request.query else "")
    return text(site, 301, "301 Moved Permanently", "simple-moved", ("location", location))
