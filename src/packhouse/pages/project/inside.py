"""Looking into a file without downloading it: its members, and the text of each.

The archive is read in a process of its own with bounds on time and memory, and so is the text coloured.  What is no
text is never shown; nothing is ever sent as the bytes that it is.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from html import escape
from typing import Any, BinaryIO, Final, cast
from urllib.parse import quote

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from packhouse.base.errors import TooManyRequests, Unavailable
from packhouse.files import StoreError, default_store
from packhouse.pages.caching import cached, keyed
from packhouse.pages.project.folders import children, steps, top
from packhouse.pages.project.place import Place, find, listed_files
from packhouse.projects.models import File
from packhouse.specs.archives.contents import Listed
from packhouse.specs.archives.inspector import Inspector, InspectorUnavailable
from packhouse.specs.archives.limits import MIB, Limits
from packhouse.specs.errors import Refused
from packhouse.throttle.actions import hit
from packhouse.throttle.limit import Limit
from packhouse.uploads.rendering import highlight

PER_PAGE: Final = 500
SHOWN: Final = MIB // 2
COLOURED: Final = 256 * 1024
MOST_LINES: Final = 10_000
LOOKS: Final = Limit("inspect.client", "120 per minute")
BOUNDS: Final = Limits(memory=256 * MIB, cpu_seconds=10, wall_seconds=10)
INSPECTOR: Final = Inspector(limits=BOUNDS)
TRICKY: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that make text look like other text (controls, direction marks, what has no width)."""


@cached()
def listing(request: HttpRequest, name: str, version: str, filename: str) -> HttpResponse:
    """The folders and files in a file, at its top."""
    place, file = _found(name, version, filename)
    return _folder(request, place, file, "")


@cached()
def member(request: HttpRequest, name: str, version: str, filename: str, path: str) -> HttpResponse:
    """A folder in a file, or the text of a file in it, with a link to each line."""
    place, file = _found(name, version, filename)
    if path.endswith("/"):
        return _folder(request, place, file, path)
    context: dict[str, Any] = {"path": path}
    try:
        data = _beginning(request, file, path)
        context |= {"lines": _lines(data, path), "is_cut": len(data) >= SHOWN}
    except Refused as refused:
        context |= {"refused": refused.message}
    return _page(request, "pages/project/member.html", place, file, context)


def _folder(request: HttpRequest, place: Place, file: File, path: str) -> HttpResponse:
    try:
        members = _members(request, file)
    except Refused as refused:
        return _page(request, "pages/project/listing.html", place, file, {"refused": refused.message})
    rows = children(members, path or top(members))
    if not rows and path:
        raise Http404(_("The archive has no file at this path."))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page", ""))
    context = {"path": path, "page": page, "number": sum(row.files or 1 for row in rows)}
    return _page(request, "pages/project/listing.html", place, file, context)


def _page(request: HttpRequest, template: str, place: Place, file: File, context: dict[str, Any]) -> HttpResponse:
    url = f"{place.release_url}inspect/{quote(file.filename)}/"
    common = {"place": place, "project": place.project, "release": place.release, "file": file, "file_url": url}
    path = context.get("path", "")
    common |= {"steps": steps(path), "leaf": path.rstrip("/").rpartition("/")[2]}
    return keyed(render(request, template, common | context), f"project/{place.project.normalized_name}")


def _found(name: str, version: str, filename: str) -> tuple[Place, File]:
    """The file of a release that is not hidden."""
    place = find(name, version)
    file = listed_files(place).filter(filename=filename).first()
    if file is None:
        text = _("%(project)s %(version)s has no file of that name.")
        raise Http404(text % {"project": place.project.name, "version": place.release.version})
    return place, file


def _members(request: HttpRequest, file: File) -> tuple[Listed, ...]:
    _count(request)
    return _listed(file.path, file.filename)


@lru_cache(maxsize=32)
def _listed(key: str, filename: str) -> tuple[Listed, ...]:
    """The members of a blob, which never change."""
    with _opened(key) as archive:
        return tuple(INSPECTOR.members(archive, filename))


def _beginning(request: HttpRequest, file: File, path: str) -> bytes:
    _count(request)
    with _opened(file.path) as archive:
        data = INSPECTOR.beginning(archive, file.filename, path, SHOWN)
    if data is None:
        raise Http404(_("The archive has no file at this path."))
    return data


def _count(request: HttpRequest) -> None:
    """To read an archive is work: nobody may have much of it done at once."""
    verdict = hit(LOOKS, request.META.get("REMOTE_ADDR", ""))
    if not verdict.allowed:
        raise TooManyRequests(retry_after=verdict.reset_seconds)


@contextmanager
def _opened(key: str) -> Iterator[BinaryIO]:
    """The blob with a descriptor that another process can read; one that is far away is fetched first."""
    try:
        with default_store().open(key) as blob:
            try:
                blob.fileno()
            except OSError:
                with tempfile.TemporaryFile(dir=settings.PACKHOUSE.home) as near:
                    shutil.copyfileobj(blob, near, MIB)
                    yield cast("BinaryIO", near)
            else:
                yield blob
    except (StoreError, InspectorUnavailable) as error:
        raise Unavailable(retry_after=10) from error


def _lines(data: bytes, path: str) -> list[SafeString] | None:
    """The lines as HTML, coloured where that is quick; None for what is no text."""
    if b"\0" in data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if len(data) < SHOWN or error.start < SHOWN - 4:  # else a character was cut in two
            return None
        text = data[: error.start].decode()
    text = text.replace("\r\n", "\n").removesuffix("\n")
    plain = text.split("\n")
    coloured = highlight(text, path.rpartition("/")[2]) if len(data) <= COLOURED else None
    lines = coloured if coloured is not None and len(coloured) == len(plain) else [escape(line) for line in plain]
    return [SafeString(TRICKY.sub(_named, line)) for line in lines[:MOST_LINES]]


def _named(found: "re.Match[str]") -> str:
    """A character that cannot be seen, by its number."""
    return f'<span class="invisible">U+{ord(found[0]):04X}</span>'
