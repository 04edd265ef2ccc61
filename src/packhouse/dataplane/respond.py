"""From a page in memory to a response: validators, ranges, HEAD."""

from collections.abc import Callable

from packhouse.dataplane.conditional import UNSATISFIABLE, byte_range, matches, range_applies
from packhouse.dataplane.http import FileSlice, Header, Request, Response
from packhouse.dataplane.large import LargePage
from packhouse.dataplane.negotiation import encoding
from packhouse.dataplane.page import Page, Variant
from packhouse.server.sending import Sealed

AnyPage = Page | LargePage


def with_page(
    request: Request, page: AnyPage, content_type: str, shared: Callable[[], list[Header]], route: str
) -> Response:
    """Answer *request* with *page*: 304 when the client has it, 206 or 416 for a range, else 200.

    *shared* makes the headers that stand on every answer; it is called once for each representation.
    """
    headers = request.headers
    source = page if isinstance(page, Page) else None
    variant = page.variant(content_type, encoding(headers.get("accept-encoding")), shared)
    known = headers.get("if-none-match")
    if known is not None and matches(known, variant.etag):
        return Response(304, variant.unmodified, b"", route, source, variant)
    asked = headers.get("range")
    if asked is not None and request.method == "GET" and range_applies(headers.get("if-range"), variant.etag):
        return _partial(variant, asked, route)
    return Response(200, variant.headers, _body(variant, 0, variant.size), route, source, variant)


def _body(variant: Variant, start: int, end: int) -> bytes | Sealed | FileSlice:
    if variant.file is not None:
        return FileSlice("", variant.size, start, end, str(variant.file))
    return variant.body if end - start == variant.size else variant.body[start:end]


def _partial(variant: Variant, asked: str, route: str) -> Response:
    size = variant.size
    wanted = byte_range(asked, size)
    if wanted is None:
        return Response(200, variant.headers, _body(variant, 0, size), route)
    headers = [header for header in variant.headers if header[0] != "content-length"]
    if wanted == UNSATISFIABLE:
        headers += [("content-range", f"bytes */{size}"), ("content-length", "0")]
        return Response(416, headers, b"", route)
    start, end = wanted
    headers += [("content-range", f"bytes {start}-{end - 1}/{size}"), ("content-length", str(end - start))]
    return Response(206, headers, _body(variant, start, end), route)
