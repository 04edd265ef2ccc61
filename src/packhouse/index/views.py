"""The XML-RPC endpoint, where everything that is asked properly is answered with 200, faults too; and what the data
plane leaves of the integrity API."""

from xmlrpc.client import Fault

from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from packhouse.index import xmlrpc, xmlrpc_methods
from packhouse.projects.queries import find_project, find_release
from packhouse.throttle.actions import hit
from packhouse.throttle.headers import headers
from packhouse.throttle.limit import Limit, Verdict

CALLS = Limit("xmlrpc.client", "3600 per hour")


@csrf_exempt
def pypi(request: HttpRequest) -> StreamingHttpResponse:
    """``/pypi`` and ``/RPC2`` for requests in ``text/xml``; other kinds of request are not for here."""
    if not request.META.get("CONTENT_TYPE", "").lower().startswith("text/xml"):
        raise Http404
    if request.method != "POST":
        fault = Fault(xmlrpc.APPLICATION_ERROR, "application error; XML-RPC calls are POST requests")
        return StreamingHttpResponse(xmlrpc.fault(fault), content_type="text/xml")
    meter = Meter(request.META.get("REMOTE_ADDR", ""))
    try:
        meter.charge()
        chunks = xmlrpc_methods.answer(request.read(xmlrpc.MAX_BODY + 1), meter.charge)
    except Fault as fault:
        chunks = xmlrpc.fault(fault)
    return StreamingHttpResponse(chunks, content_type="text/xml", headers=headers((CALLS, meter.last)))


class Meter:
    """Counts the calls of the client at *address*; ``last`` says what is left."""

    last: Verdict

    def __init__(self, address: str) -> None:
        self.address = address

    def charge(self) -> None:
        """One call; ``Fault`` where it is one too many."""
        self.last = hit(CALLS, self.address)
        if not self.last.allowed:
            text = f"HTTPTooManyRequests: Too many calls. Limit may reset in {self.last.reset_seconds} seconds."
            raise Fault(xmlrpc.APPLICATION_ERROR, text)


@require_GET
def provenance(_request: HttpRequest, name: str, version: str, filename: str) -> JsonResponse:
    """Files without provenance; those that have some are served by the data plane."""
    project = find_project(name)
    release = project and find_release(project, version)
    if release is None or not release.files.filter(filename=filename).exists():
        raise Http404
    response = JsonResponse({"message": f"No provenance available for {filename}"}, status=404)
    response["Cache-Control"] = "no-store"
    return response
