"""The upload API: ``POST /legacy/``, and what else old clients try."""

from collections.abc import Callable
from functools import wraps
from typing import Any, BinaryIO, cast

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from packhouse.base import metrics
from packhouse.base.identity import NO_REQUEST, RequestFacts, current_request
from packhouse.documents import generation
from packhouse.files import StoreError, StoreFull
from packhouse.specs.archives.inspector import InspectorUnavailable
from packhouse.uploads import answers, form, pipeline, record
from packhouse.uploads.form import NO_ROOM
from packhouse.uploads.reasons import AlreadyPublished, Rejected
from packhouse.uploads.rendering import RendererUnavailable
from packhouse.uploads.stages import Arrival

View = Callable[..., HttpResponseBase]
log: Any = structlog.get_logger(__name__)

NO_REGISTRATION = "Project pre-registration is no longer required or supported, upload your files instead."
NO_DOCUMENTATION = "Uploading documentation is no longer supported, host it elsewhere."
MOVED = "This address takes no uploads. Set the repository URL to "
GONE = {
    "submit": ("registration-gone", NO_REGISTRATION),
    "submit_pkg_info": ("registration-gone", NO_REGISTRATION),
    "doc_upload": ("documentation-gone", NO_DOCUMENTATION),
}


@csrf_exempt
def legacy(request: HttpRequest) -> HttpResponse:
    """The upload endpoint; whoever opens it in a browser gets told what it is for."""
    if request.method in {"GET", "HEAD"}:
        return render(request, "uploads/about.html", {"address": f"{settings.PACKHOUSE.public_url}/legacy/"})
    if request.method != "POST":
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    return _answered(request)


@csrf_exempt
def without_slash(request: HttpRequest) -> HttpResponse:
    """Uploads that went to ``/legacy``: clients follow a 308 with the same method and body, or tell their user."""
    query = request.META.get("QUERY_STRING", "")
    headers = {"Location": f"{settings.PACKHOUSE.public_url}/legacy/" + (f"?{query}" if query else "")}
    return HttpResponse("Uploads go to /legacy/\n", status=308, content_type="text/plain", headers=headers)


def unless_upload(view: View) -> View:
    """*view*, which takes no forms with files; uploads that went to its address are told the right one."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_form = request.content_type == "multipart/form-data"
        if request.method == "POST" and (is_form or request.GET.get(":action") in {*GONE, "file_upload"}):
            return answers.refused(
                request, Rejected("upload-moved", MOVED + f"{settings.PACKHOUSE.public_url}/legacy/")
            )
        return view(request, *args, **kwargs)

    return answered


def _answered(request: HttpRequest) -> HttpResponse:
    """One upload from its body to its answer, and the number that counts it."""
    origin = _origin(request)
    known = current_request.set(origin)
    try:
        published = _uploaded(request, origin)
    except AlreadyPublished:
        generation.of(settings.PACKHOUSE.home).bump()  # whoever published it may have been killed before doing so
        metrics.count("packhouse_uploads", "repeated", "")
        return answers.accepted({})
    except Rejected as rejected:
        refusal = rejected
    except StoreFull:
        log.exception("no room for an upload")
        refusal = Rejected("storage-full", NO_ROOM)
    except StoreError:
        log.exception("an upload could not be stored")
        refusal = Rejected("storage-unavailable", "The file could not be stored. Please try again later.")
    except (InspectorUnavailable, RendererUnavailable):
        log.exception("an upload could not be looked into")
        refusal = Rejected("too-busy", "The file could not be looked into. Please try again later.")
    else:
        metrics.count("packhouse_uploads", "published", "")
        return answers.accepted(published.headers)
    finally:
        current_request.reset(known)
    metrics.count("packhouse_uploads", "refused", refusal.code)
    log.info("upload refused", reason=refusal.code, told=refusal.message, field=refusal.field)
    return answers.refused(request, refusal)


def _uploaded(request: HttpRequest, origin: RequestFacts) -> record.Published:
    """Read, examine and publish; whatever goes wrong is raised."""
    config = settings.PACKHOUSE
    spool = config.home / "spool"
    spool.mkdir(exist_ok=True)
    bounds = form.Bounds(config.upload_parts, config.text_field_limit)
    body, length = cast("BinaryIO", request.META["wsgi.input"]), request.META.get("CONTENT_LENGTH") or "0"
    kind, size = request.META.get("CONTENT_TYPE", ""), int(length) if length.isdecimal() else 0
    with form.read_form(body, kind, size, spool=spool, bounds=bounds) as fields:
        _check_action(request, fields)
        authorization = request.META.get("HTTP_AUTHORIZATION")
        arrival = Arrival(form=fields, authorization=authorization, request=origin, config=config)
        try:
            opened = pipeline.examine(arrival)
        except AlreadyPublished as known:
            record.heal(known.file, fields.content)
            raise
        published = record.publish(opened)
    log.info("file published", file=published.file.filename, user=opened.identity.username)
    return published


def _check_action(request: HttpRequest, fields: form.Form) -> None:
    """The action, in the query or in the form; more than one is one too many."""
    actions = [*request.GET.getlist(":action"), *fields.fields.get(":action", ())]
    if len(set(actions)) > 1:
        raise Rejected("duplicate-field", "The field :action was sent more than once.", field=":action")
    action = actions[0] if actions else ""
    if action in GONE:
        raise Rejected(*GONE[action])
    if action != "file_upload":
        raise Rejected("unknown-action", "The field :action must be file_upload.", field=":action")


def _origin(request: HttpRequest) -> RequestFacts:
    """Where the request comes from: what a middleware found, or else what the server says."""
    known = current_request.get()
    if known != NO_REQUEST:
        return known
    meta = request.META
    return RequestFacts(
        meta.get("REMOTE_ADDR", ""), meta.get("HTTP_USER_AGENT", ""), meta.get("packhouse.request_id", "")
    )
