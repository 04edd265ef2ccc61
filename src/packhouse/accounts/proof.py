"""Proving again who one is, before something that a stranger at an unlocked screen must not do.

The page that asks for the password answers the request itself.  It carries the fields of the form that was sent and is
sent to the same address, so that nothing typed is lost and nothing has to be kept meanwhile.
"""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.shortcuts import render

from packhouse.accounts import actions, elsewhere
from packhouse.accounts.actions.sessions import PROVED_AT
from packhouse.accounts.forms import Proof
from packhouse.base import clock

USUAL: Final = 30 * 60
"""Seconds for which a proof holds."""
PREFIX: Final = "proof"
_OURS: Final = frozenset({f"{PREFIX}-password", f"{PREFIX}-method", "csrfmiddlewaretoken"})


def is_recent(request: HttpRequest, seconds: int = USUAL) -> bool:
    """Whether the user of this session has proved who they are in the last *seconds*; not known means no."""
    proved = request.session.get(PROVED_AT)
    return isinstance(proved, float) and 0 <= clock.now().timestamp() - proved < seconds


def ask(request: HttpRequest, seconds: int = USUAL) -> HttpResponse | None:
    """The page that asks for the password; None where there is nothing to ask and the view may go on."""
    is_answer = request.method == "POST" and f"{PREFIX}-password" in request.POST
    if is_recent(request, seconds) and not is_answer:
        return None
    form = Proof(request.user, request.POST if is_answer else None, prefix=PREFIX)
    if is_answer and form.is_valid():
        return _go_on(request)
    carried = [(name, value) for name, values in request.POST.lists() if name not in _OURS for value in values]
    method = request.POST.get(f"{PREFIX}-method") if is_answer else request.method
    context = {
        "form": form,
        "carried": carried,
        "method": "POST" if method == "POST" else "GET",
        "sso": settings.PACKHOUSE.sso_name if elsewhere.is_set_up(elsewhere.SSO) else "",
    }
    return render(request, "accounts/proof.html", context)


def _go_on(request: HttpRequest) -> HttpResponse | None:
    actions.note_proof(request)
    actions.continue_session(request, request.user)  # type: ignore[arg-type] # the gate has let users pass only
    rotate_token(request)
    if request.POST[f"{PREFIX}-method"] != "POST":
        return HttpResponseRedirect(request.get_full_path())
    sent = request.POST.copy()
    for name in _OURS:
        sent.pop(name, None)
    request.POST = sent  # type: ignore[assignment] # Django allows it; the stubs do not
    return None
