"""``/_style/``: every part of the interface in every state, for those who build pages; in debugging or for staff."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from packhouse.base import clock
from packhouse.base.errors import PAGES, error_page
from packhouse.base.forms import TypedConfirmation

Page = Callable[..., HttpResponse]


def for_builders(page: Page) -> Page:
    """Hides a page from everybody but staff, unless debugging is on."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = getattr(request, "user", None)
        if not (settings.DEBUG or getattr(user, "is_staff", False)):
            raise Http404
        return page(request, *args, **kwargs)

    return guarded


class Sample(forms.Form):
    """A field of each kind."""

    name = forms.CharField(label="Name", help_text="Letters, digits, “-”, “_” and “.”.", initial="sampleproject")
    address = forms.EmailField(label="E-mail address", required=False)
    password = forms.CharField(label="Password", widget=forms.PasswordInput, help_text="At least 12 characters.")
    scope = forms.ChoiceField(
        label="Scope",
        widget=forms.RadioSelect,
        choices=[("all", "Entire account"), ("one", "One project")],
        help_text="What the token may upload to.",
    )
    role = forms.ChoiceField(label="Role", choices=[("owner", "Owner"), ("maintainer", "Maintainer")])
    topics = forms.MultipleChoiceField(
        label="Notify about",
        widget=forms.CheckboxSelectMultiple,
        choices=[("releases", "Releases"), ("roles", "Changes of roles"), ("reports", "Reports")],
        required=False,
    )
    reason = forms.CharField(label="Reason", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    file = forms.FileField(label="File", required=False)
    agree = forms.BooleanField(label="I understand what this does", help_text="It cannot be undone.")


@for_builders
def style(request: HttpRequest) -> HttpResponse:
    """All parts on one page; posting its form shows the errors, ``?flash`` the messages."""
    if "flash" in request.GET:
        messages.success(request, "Release 1.2.0 is deleted.")
        messages.error(request, "Release 1.2.1 could not be deleted: two projects depend on it.")
    form = Sample(request.POST, request.FILES) if request.method == "POST" else Sample()
    now = clock.now()
    context = {
        "form": form,
        "page": Paginator(range(500), 20).page(request.GET.get("page", 3)),
        "moments": [now - timedelta(seconds=20), now - timedelta(days=4), now + timedelta(hours=7)],
        "sizes": [512, 48_211, 3_411_002, 812_000_311],
        "releases": [
            {"version": f"1.{number}.0", "at": now - timedelta(days=40 * (9 - number)), "files": 12 + number}
            for number in range(9, 3, -1)
        ],
    }
    return render(request, "pages/style.html", context)


@for_builders
def confirm(request: HttpRequest) -> HttpResponse:
    """The question before a dangerous action."""
    form = TypedConfirmation(request.POST or None, expected="sampleproject")
    if form.is_valid():
        messages.success(request, "Nothing was deleted: this is a sample.")
        return redirect("style")
    return render(request, "pages/style_confirm.html", {"form": form, "cancel_url": "/_style/"})


@for_builders
def error(request: HttpRequest, status: int) -> HttpResponse:
    """The error page *status*."""
    if status not in PAGES:
        raise Http404
    return error_page(request, status, retry_after=30 if status in {429, 503} else None)
