"""Lists of what administrators keep, with a form that adds to them: one page, whatever it is that is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from packhouse.accounts.access import user_of
from packhouse.accounts.models import User
from packhouse.base.decision import Decision


@dataclass(frozen=True, slots=True)
class Listing:
    """A page at the route *name*, which staff may look at and whom *rule* allows may change.

    *field* of the *form* is where it says what is wrong with what was sent.
    """

    name: str
    template: str
    section: str
    form: type[forms.Form]
    field: str
    rule: Callable[[User], Decision]
    per_page: int = 100

    def answer(
        self, request: HttpRequest, rows: QuerySet[Any], add: Callable[[dict[str, Any]], str], **more: object
    ) -> HttpResponse:
        """The page of *rows*; a form that was sent is added by *add*, which returns what is said of it."""
        if request.method == "POST":
            self.must_allow(request)
        form = self.form(request.POST or None)
        if form.is_valid():
            try:
                return self.changed(request, add(form.cleaned_data))
            except ValidationError as error:
                form.add_error(self.field, error)
        context = {
            "page": Paginator(rows, self.per_page).get_page(request.GET.get("page")),
            "form": form if self.rule(user_of(request)) else None,
            "section": self.section,
        }
        return render(request, self.template, context | more)

    def must_allow(self, request: HttpRequest) -> None:
        """Raises ``PermissionDenied`` for whom the rule does not allow."""
        decision = self.rule(user_of(request))
        if not decision:
            raise PermissionDenied(decision.reason)

    def changed(self, request: HttpRequest, told: str, *, failed: bool = False) -> HttpResponse:
        """Back to the page, which says what became of a change; nothing where *told* is empty."""
        if told:
            messages.add_message(request, messages.ERROR if failed else messages.SUCCESS, told)
        return redirect(self.name)
