"""``/packages/``: the files themselves, their metadata, and the predictable URLs that packagers use."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlsplit

from packhouse.dataplane.conditional import UNSATISFIABLE, byte_range, matches, range_applies
from packhouse.dataplane.http import CSP, FileSlice, Header, Request, Response, Site, not_allowed, text
from packhouse.dataplane.negotiation import encoding
from packhouse.dataplane.page import Page
from packhouse.dataplane.store import DocumentStore
from packhouse.documents.edition import WITHHELD
from packhouse.specs.names import normalize

_PACK_UP_TO = 1024**2
IMMUTABLE: Header = ("cache-control", "max-age=365000000, immutable, public")
_BLOB = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/([0-9a-f]{60})/([A-Za-z0-9][A-Za-z0-9._+!-]{0,254})")
_PREDICTABLE = re.compile(
    r"([A-Za-z0-9._]{1,255})/([A-Za-z0-9])/([A-Za-z0-9._-]{1,200})/([A-Za-z0-9][A-Za-z0-9._+!-]{0,254})"
)
_CORS: list[Header] = [
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, OPTIONS"),
    ("access-control-allow-headers", "Range"),
    ("access-control-expose-headers", "Content-Length, Content-Range, Accept-Ranges"),
]
_PREFLIGHT: list[Header] = [
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, HEAD, OPTIONS"),
    ("access-control-allow-headers", "Range, Accept-Encoding"),
    ("access-control-max-age", "86400"),
]
_TYPES = {".whl": "application/zip", ".zip": "application/zip", ".gz": "application/gzip"}
_FILE_OBJECT = b'{"comment_text":'
_DECODER = json.JSONDecoder()
_CSP: Header = ("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'")


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file: its size in bytes and, on disk, its path; ``url`` where clients are to fetch it elsewhere."""

    size: int
    path: str | None = None
    url: str | None = None


class Blobs(Protocol):
    """Where the bytes are.  ``stat`` answers at once for local files and raises ``NotStatted`` for remote ones."""

    def stat(self, key: str) -> Blob | None: ...


class Remote(Blobs, Protocol):
    """Blobs across a network: ``ask`` learns what ``stat`` did not know, ``begin`` brings the first bytes, and more."""

    async def ask(self, key: str) -> None: ...

    async def begin(self, key: str, start: int, end: int) -> AsyncIterator[bytes]: ...


class NotStatted(Exception):
    """The size of blob ``key`` must be asked of a remote store first."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def answer(request: Request, rest: str, store: DocumentStore, blobs: Blobs, site: Site) -> Response:
    """Answer a request for ``/packages/{rest}``."""
    if request.method == "OPTIONS":
        return Response(204, [*_PREFLIGHT, CSP, *site.security()], b"", "file-preflight")
    if request.method not in ("GET", "HEAD"):
        return not_allowed(site, "file")
    found = _BLOB.fullmatch(rest)
    if found:
        listed = store.page(WITHHELD, "json")
        if isinstance(listed, Page) and rest.rpartition("/")[0] in _places(listed):
            return _withheld(site)
        response = _blob(request, rest, found, blobs, site)
        if isinstance(listed, Page) and isinstance(response.body, FileSlice) and not response.body.packed:
            response.page = listed  # may be answered again: when it is sent, it is seen whether the file is still there
        return response
    predictable = _PREDICTABLE.fullmatch(rest)
    if predictable:
        return _predictable(store, site, *predictable.groups())
    return missing(site)


@lru_cache(maxsize=4)
def _places(listed: Page) -> frozenset[str]:
    """The folders of files that are in quarantine (PEP 792: these are offered to nobody, whoever knows the address)."""
    return frozenset(json.loads(listed.identity))


def _withheld(site: Site) -> Response:
    said = "403 Forbidden: this file is in quarantine and cannot be downloaded."
    return text(site, 403, said, "file-withheld", ("cache-control", "no-store"), *_CORS)


def missing(site: Site) -> Response:
    """There is no such file."""
    return text(site, 404, "404 Not Found", "file-missing", *_CORS)


def _blob(request: Request, key: str, found: "re.Match[str]", blobs: Blobs, site: Site) -> Response:
    blob = blobs.stat(key)
    if blob is None:
        return missing(site)
    if blob.url is not None:
        return text(
            site, 302, "302 Found", "file-elsewhere", ("location", blob.url), ("cache-control", "no-store"), *_CORS
        )
    if found[4].endswith(".metadata"):
        return _metadata(request, FileSlice(key, blob.size, 0, blob.size, blob.path), site)
    etag = f'"{found[1]}{found[2]}{found[3]}"'
    headers = _file_headers(site, found[4], etag)
    known = request.headers.get("if-none-match")
    if known is not None and matches(known, etag):
        return Response(304, [("etag", etag), _subject(found[4]), *_shared(site)], b"", "file")
    return _whole_or_part(request, FileSlice(key, blob.size, 0, blob.size, blob.path), etag, headers, "file")


@lru_cache(maxsize=4096)
def _file_headers(site: Site, filename: str, etag: str) -> list[Header]:
    """Headers of a file but for those of its length; what is popular is asked for again and again."""
    return [*_content_headers(filename), ("etag", etag), _subject(filename), *_shared(site)]


@lru_cache(maxsize=4096)
def _subject(filename: str) -> Header:
    """By this a cache in front asks again whether the file is there.  It costs a 304 as long as it is."""
    return ("surrogate-key", f"project/{_told_by_name(filename)[0][1]}")


def _shared(site: Site) -> list[Header]:
    return [IMMUTABLE, ("accept-ranges", "bytes"), _CSP, *_CORS, *site.security()]


def _metadata(request: Request, whole: FileSlice, site: Site) -> Response:
    """Core metadata (PEP 658): packed for those who take gzip, since it is text."""
    packed = (
        whole.size <= _PACK_UP_TO
        and request.headers.get("range") is None
        and encoding(request.headers.get("accept-encoding"), ("gzip",)) == "gzip"
    )
    *parts, filename = whole.key.split("/")
    digest = "".join(parts)
    etag = f'"{digest}-metadata{"-gzip" if packed else ""}"'
    shared = [("etag", etag), ("vary", "Accept-Encoding"), _subject(filename.removesuffix(".metadata")), *_shared(site)]
    known = request.headers.get("if-none-match")
    if known is not None and matches(known, etag):
        return Response(304, shared, b"", "file-metadata")
    headers = [("content-type", "application/octet-stream"), ("x-robots-tag", "noindex"), *shared]
    if packed:
        whole.packed = True
        return Response(200, [*headers, ("content-encoding", "gzip")], whole, "file-metadata")
    return _whole_or_part(request, whole, etag, headers, "file-metadata")


def _whole_or_part(request: Request, whole: FileSlice, etag: str, headers: list[Header], route: str) -> Response:
    asked = request.headers.get("range")
    wanted = None
    if asked is not None and request.method == "GET" and range_applies(request.headers.get("if-range"), etag):
        wanted = byte_range(asked, whole.size)
    if wanted is None:
        return Response(200, [*headers, ("content-length", str(whole.size))], whole, route)
    if wanted == UNSATISFIABLE:
        headers = [*headers, ("content-range", f"bytes */{whole.size}"), ("content-length", "0")]
        return Response(416, headers, b"", route)
    start, end = wanted
    headers = [
        *headers,
        ("content-range", f"bytes {start}-{end - 1}/{whole.size}"),
        ("content-length", f"{end - start}"),
    ]
    return Response(206, headers, FileSlice(whole.key, whole.size, start, end, whole.path), route)


def _content_headers(filename: str) -> list[Header]:
    """Type, disposition and what the name tells of the file.  Nothing here may be rendered by a browser."""
    content_type = _TYPES.get(filename[filename.rfind(".") :], "application/octet-stream")
    headers = [
        ("content-type", content_type),
        ("content-disposition", f'attachment; filename="{filename}"'),
        ("x-robots-tag", "noindex"),
    ]
    return headers + _told_by_name(filename)


def _told_by_name(filename: str) -> list[Header]:
    parts = filename.removesuffix(".whl").split("-")
    if filename.endswith(".whl") and len(parts) >= 5:
        project, version, kind, python = parts[0], parts[1], "bdist_wheel", parts[-3]
    else:
        project, _, version = filename.removesuffix(".gz").removesuffix(".tar").removesuffix(".zip").rpartition("-")
        kind, python = "sdist", "source"
    return [
        ("x-pypi-file-project", normalize(project)),
        ("x-pypi-file-version", version),
        ("x-pypi-file-package-type", kind),
        ("x-pypi-file-python-version", python),
    ]


def _predictable(store: DocumentStore, site: Site, python: str, initial: str, project: str, filename: str) -> Response:
    """Redirect ``{python version}/{initial}/{project}/{file name}`` to where the file is."""
    page = store.page(f"project/{normalize(project)}", "json") if project[0].lower() == initial.lower() else None
    file = _find(page.identity, python, filename) if isinstance(page, Page) else None
    if file is None:
        return missing(site)
    location = urlsplit(file["url"]).path
    cache: Header = ("cache-control", "max-age=604800, public")
    return text(site, 302, "302 Found", "file-predictable", ("location", location), cache, _subject(filename), *_CORS)


def _find(document: bytes, python: str, filename: str) -> dict[str, Any] | None:
    """The file object in a project's JSON document, of which nothing else is read: a project may have thousands.

    No text in the document can look like the beginning of an object, since quotes in texts are escaped.
    """
    at = document.find(f',"filename":{json.dumps(filename)},'.encode())
    start, end = document.rfind(_FILE_OBJECT, 0, max(at, 0)), document.find(_FILE_OBJECT, max(at, 0))
    if at < 0 or start < 0:
        return None
    file: dict[str, Any] = _DECODER.raw_decode(document[start : end if end > 0 else None].decode())[0]
    return file if file["python_version"] == python else None
