"""``/integrity/{project}/{version}/{file name}/provenance``: where files came from (PEP 740).

Files without provenance, and what is no file at all, are for Django to tell apart.
"""

import re
from functools import lru_cache
from typing import Final

from packaging.version import InvalidVersion, Version

from packhouse.dataplane.http import CORS, CSP, Header, Request, Response, Site, not_allowed
from packhouse.dataplane.negotiation import JSON, integrity_type
from packhouse.dataplane.respond import with_page
from packhouse.dataplane.store import DocumentStore
from packhouse.documents.edition import INTEGRITY_CLOSED, PROVENANCE
from packhouse.specs import filenames
from packhouse.specs.errors import Refused
from packhouse.specs.names import normalize

ROUTE: Final = "integrity"
_PATH: Final = re.compile(r"([^/]{1,200})/([^/]{1,200})/([^/]{1,255})/provenance")
_VARY: Final[Header] = ("vary", "Accept, Accept-Encoding")


def answer(request: Request, rest: str, store: DocumentStore, site: Site) -> Response | None:
    """Answer a request for ``/integrity/{rest}`` where there is provenance, or none is asked for properly."""
    found = _PATH.fullmatch(rest)
    if found is None:
        return None
    if request.method != "GET":
        return not_allowed(site, ROUTE, "GET")
    kind = integrity_type(request.headers.get("accept"))
    if kind is None:
        return _told(site, 406, b'{"message": "Request not acceptable"}')
    if store.page(INTEGRITY_CLOSED, "json") is not None:
        return _told(site, 403, b'{"message": "Attestations temporarily disabled"}')
    name, version, filename = found.groups()
    page = store.page(PROVENANCE + filename, "json") if _is_of(filename, name, version) else None
    if page is None:
        return None
    return with_page(request, page, kind, lambda: _shared(site, normalize(name)), ROUTE)


@lru_cache(maxsize=2048)
def _is_of(filename: str, name: str, version: str) -> bool:
    """Whether a file of that name belongs to that release: the upload has seen to it that file names say so."""
    parsed = filenames.parse_wheel_filename if filename.endswith(".whl") else filenames.parse_sdist_filename
    try:
        parts = parsed(filename)
        return parts.name == normalize(name) and parts.version == Version(version)
    except (Refused, InvalidVersion):
        return False


def _shared(site: Site, name: str) -> list[Header]:
    headers = [
        _VARY,
        ("cache-control", f"max-age={site.index_max_age}, public"),
        ("surrogate-key", f"project/{name} {ROUTE}"),
        ("accept-ranges", "bytes"),
        CSP,
        *CORS,
        *site.security(),
    ]
    if site.surrogates:
        headers.append(("surrogate-control", "max-age=86400, stale-while-revalidate=300, stale-if-error=86400"))
    return headers


def _told(site: Site, status: int, body: bytes) -> Response:
    headers: list[Header] = [("content-type", JSON), ("vary", "Accept"), ("cache-control", "no-store"), CSP]
    return Response(status, [*headers, *site.security()], body, ROUTE)
