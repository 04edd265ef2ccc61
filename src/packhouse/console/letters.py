"""The outbox: which letters were written, what has become of them, and what they say."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from packhouse.accounts.models import User
from packhouse.base.csp import csp
from packhouse.console.access import staff
from packhouse.mail import actions, queries
from packhouse.mail.models import Letter

A_PAGE: Final = 50
KINDS: Final = {
    Letter.State.DELIVERED: "ok",
    Letter.State.DELAYED: "warn",
    Letter.State.WITHHELD: "warn",
    Letter.State.BOUNCED: "danger",
    Letter.State.COMPLAINED: "danger",
    Letter.State.FAILED: "danger",
}
"""Which states want attention; the others are everyday."""

ONLY_TO_BE_SEEN: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""A letter's HTML runs nothing, loads nothing, leads nowhere, and belongs to no site."""


@require_safe
@staff
def start(request: HttpRequest) -> HttpResponse:
    """Where the console begins."""
    return HttpResponseRedirect(reverse("console-letters"))


@require_safe
@staff
def letters(request: HttpRequest) -> HttpResponse:
    """The letters, the newest first; of one state (``?state=``) or to one address (``?to=``)."""
    counts = queries.counts()
    state, to = request.GET.get("state", ""), request.GET.get("to", "").strip()
    state = state if state in counts else ""
    page = Paginator(queries.letters(state=state, to=to), A_PAGE).get_page(request.GET.get("page"))
    states = [(one.value, one.label, counts[one.value]) for one in Letter.State]
    rows = [(letter, KINDS.get(Letter.State(letter.state), "")) for letter in page]
    context = {"page": page, "rows": rows, "states": states, "state": state, "to": to, "section": "mail"}
    return render(request, "console/letters.html", context)


@require_safe
@staff
@csp(frame_src=["'self'"])
def letter(request: HttpRequest, letter_id: int) -> HttpResponse:
    """One letter: its delivery and, for whom it is fit, what it says."""
    found = get_object_or_404(Letter, pk=letter_id)
    context = {
        "section": "mail",
        "letter": found,
        "kind": KINDS.get(Letter.State(found.state), ""),
        "reader": User.objects.filter(pk=found.user_id).first() if found.user_id is not None else None,
        "may_read": _may_read(request, found),
        "can_be_sent_again": found.state == Letter.State.FAILED and found.text,
    }
    return render(request, "console/letter.html", context)


@require_safe
@staff
def letter_html(request: HttpRequest, letter_id: int) -> HttpResponse:
    """A letter's HTML, for the frame in its page."""
    found = get_object_or_404(Letter, pk=letter_id)
    if not _may_read(request, found):
        raise PermissionDenied
    headers = {"Content-Security-Policy": ONLY_TO_BE_SEEN, "X-Frame-Options": "SAMEORIGIN"}
    return HttpResponse(found.html, headers=headers)


@require_POST
@staff
def send_again(request: HttpRequest, letter_id: int) -> HttpResponse:
    """Queue a letter that could not be sent once more."""
    if actions.send_again(letter_id):
        messages.success(request, _("The letter is on its way again."))
    else:
        messages.error(request, _("This letter has been sent or is on its way already."))
    return HttpResponseRedirect(reverse("console-letter", args=[letter_id]))


def _may_read(request: HttpRequest, found: Letter) -> bool:
    """A link that lets its reader in is for superusers, who can let themselves in anyway."""
    return not found.is_secret or bool(request.user.is_superuser)
