"""The data plane's core: one pure function from a request to a response."""

from packhouse.dataplane import integrity, jsonapi, packages, simple
from packhouse.dataplane.http import Request, Response, Site
from packhouse.dataplane.packages import Blobs
from packhouse.dataplane.store import DocumentStore


def answer(request: Request, store: DocumentStore, blobs: Blobs, site: Site) -> Response | None:
    """The response to *request*; None when it is not the data plane's to answer.

    Raises ``NotLoaded`` when a document must be read first and ``Unavailable`` when the database does not answer.
    """
    path = request.path
    if path.startswith("/simple/"):
        return simple.answer(request, path[8:], store, site)
    if path.startswith("/packages/"):
        return packages.answer(request, path[10:], store, blobs, site)
    if path.startswith("/pypi/"):
        return jsonapi.answer(request, path[6:], store, site)
    if path.startswith("/integrity/"):
        return integrity.answer(request, path[11:], store, site)
    if path == "/simple":
        return simple.add_slash(request, site)
    return None
