"""``/manage/projects/``: what one publishes oneself.  Signing in ends here."""

from typing import Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from packhouse.accounts import queries as accounts
from packhouse.accounts.access import for_users, user_of
from packhouse.pages.profile import described
from packhouse.projects.queries import reached_by, roles_in

PER_PAGE: Final = 50


@require_safe
@for_users(two_factor=False, recent=False)
def own_projects(request: HttpRequest) -> HttpResponse:
    """The projects on which one has a role; to whoever has none, what comes before the first upload."""
    user = user_of(request)
    page = Paginator(reached_by(user.pk).select_related("organization"), PER_PAGE).get_page(request.GET.get("page"))
    numbers = [project.pk for project in page]
    roles, owners = roles_in(user.pk, numbers), {project.pk: project.organization for project in page}
    context = {
        "page": page,
        "rows": [
            row | {"role": roles.get(row["pk"], ""), "organization": owners[row["pk"]]} for row in described(numbers)
        ],
        "has_two_factor": accounts.has_two_factor(user),
        "has_token": user.tokens.exists(),
    }
    return render(request, "pages/own_projects.html", context)
