"""What jobs ask: for whom their identity token must be, a token for it, and to have that deleted when they are done.

No credentials but the identity token, no cookies, nothing that a cache may keep.  Bodies are JSON, whatever their type.
"""

import json
from typing import Any, Final

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from packhouse.publishers import issuers, minting
from packhouse.publishers.verification import MintRefused

LARGEST: Final = 64 * 1024
NOT_KEPT: Final = {"Cache-Control": "no-store"}
log: Any = structlog.get_logger(__name__)


@require_GET
def audience(request: HttpRequest) -> HttpResponse:
    """For whom identity tokens must be made."""
    if not issuers.is_switched_on():
        return JsonResponse({"message": "Trusted publishing functionality not enabled"}, status=403, headers=NOT_KEPT)
    return JsonResponse({"audience": settings.PACKHOUSE.oidc_audience}, headers=NOT_KEPT)


@csrf_exempt
@require_POST
def mint_token(request: HttpRequest) -> HttpResponse:
    """A token of this index for an identity token."""
    try:
        minted = minting.mint(_token(request))
    except MintRefused as refused:
        log.info("no token for a trusted publisher", code=refused.code, told=refused.description)
        errors = [{"code": refused.code, "description": refused.description}]
        told = {"message": "Token request failed", "errors": errors}
        return JsonResponse(told, status=422, headers=NOT_KEPT)
    answer = {"success": True, "token": minted.text, "expires": int(minted.expires.timestamp())}
    return JsonResponse(answer, headers=NOT_KEPT)


@csrf_exempt
@require_POST
def burn_token(request: HttpRequest) -> HttpResponse:
    """Delete a token; whoever knows it may.  The answer does not tell whether there was one."""
    try:
        minting.burn(_token(request))
    except MintRefused as refused:
        log.info("nothing to delete", told=refused.description)
    return HttpResponse(status=202, headers=NOT_KEPT)


def _token(request: HttpRequest) -> str:
    """The text ``token`` of the body, a JSON object.  Raises ``MintRefused``."""
    body = request.read(LARGEST + 1)
    try:
        said = json.loads(body) if len(body) <= LARGEST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise MintRefused("invalid-payload", "the body must be a JSON object")
    token = said.get("token")
    if not isinstance(token, str) or not token:
        raise MintRefused("invalid-payload", "the body must have a text called token")
    return token
