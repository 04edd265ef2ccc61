"""Account settings: what has happened to the account."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from packhouse.accounts.access import for_users, user_of
from packhouse.accounts.actions import subject
from packhouse.audit import queries
from packhouse.audit.models import Event
from packhouse.audit.words import OF_ITSELF, sentence
from packhouse.base import agents

PER_PAGE = 50


@require_safe
@for_users(verified=False, two_factor=False)
def security_history(request: HttpRequest) -> HttpResponse:
    """Every event of the account: what, when, by whom, from which address and with what."""
    about = subject(user_of(request))
    page = Paginator(queries.events_of(about.kind, about.id), PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        (event, sentence(event.tag, event.additional), device(event.user_agent), _is_by_operator(event))
        for event in page
    ]
    context = {"section": "history", "rows": rows, "page": page, "days": settings.PACKHOUSE.audit_retention_days}
    return render(request, "pages/security_history.html", context)


def _is_by_operator(event: Event) -> bool:
    """Whether it was done on the command line: by nobody who signed in, from nowhere, and not by the index itself."""
    return not event.actor and not event.address and event.tag not in OF_ITSELF


def device(user_agent: str) -> str:
    """The client in a few words: ``Firefox, Linux``."""
    agent = agents.parse(user_agent)
    name = f"{agent.name} {agent.version.split('.')[0]}".strip()
    return ", ".join(part for part in (name, agent.system) if part)
