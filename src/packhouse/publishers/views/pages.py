"""The pages where publishers are set up: of a project, by its owners; pending ones, by anybody who may publish."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from packhouse.accounts import limits as accounts
from packhouse.accounts.access import for_users, user_of
from packhouse.accounts.queries import identity_of
from packhouse.base.forms import TypedConfirmation
from packhouse.projects.models import Project
from packhouse.projects.queries import find_project, role_of
from packhouse.projects.rules import may_manage
from packhouse.publishers import actions, issuers, limits, pending, queries
from packhouse.publishers.forms import FORMS, EnvironmentForm, PublisherForm, pending_form
from packhouse.publishers.models import Link, PendingPublisher
from packhouse.publishers.providers import PROVIDERS

MENU: Final = "publishing"


@require_http_methods(["GET", "POST"])
@for_users()
def of_project(request: HttpRequest, name: str) -> HttpResponse:
    """Whom the project trusts, and the form of one more."""
    project = _owned(request, name)
    kind = _kind(request)
    form = FORMS[kind](request.POST or None, initial=_prefilled(request))
    if _may_be_added(form, kind):
        accounts.use(limits.registration(user_of(request)))
        try:
            actions.add_publisher(project=project, wanted=form.wanted(), by=user_of(request))
        except ValidationError as error:
            _tell(form, error)
        else:
            messages.success(request, _("The publisher is trusted from now on."))
            return redirect("project-publishing", project.normalized_name)
    rows = queries.trust_of(project)
    return render(
        request, "publishers/project.html", _context(request, kind, form) | {"project": project, "rows": rows}
    )


@require_http_methods(["GET", "POST"])
@for_users()
def remove(request: HttpRequest, name: str, publisher_id: UUID) -> HttpResponse:
    """Asks, then lets the project trust the publisher no longer."""
    project = _owned(request, name)
    trust = _trust(project, publisher_id)
    form = TypedConfirmation(request.POST or None, expected=project.name)
    if form.is_valid():
        try:
            actions.remove_publisher(project=project, publisher_id=publisher_id, by=user_of(request))
        except Link.DoesNotExist:
            raise Http404 from None
        messages.success(request, _("The publisher is no longer trusted."))
        return redirect("project-publishing", project.normalized_name)
    context = {"project": project, "words": queries.words_of(trust.publisher), "form": form}
    return render(request, "publishers/remove.html", context | {"cancel_url": _path(project)})


@require_http_methods(["GET", "POST"])
@for_users()
def constrain(request: HttpRequest, name: str, publisher_id: UUID) -> HttpResponse:
    """Trusts a publisher in one environment alone."""
    project = _owned(request, name)
    trust = _trust(project, publisher_id)
    if trust.publisher.fields.get("environment") != "":
        raise Http404
    form = EnvironmentForm(request.POST or None, initial={"environment": request.GET.get("environment", "")})
    if form.is_valid():
        environment = form.cleaned_data["environment"]
        environment = environment.lower() if trust.publisher.kind == "github" else environment
        try:
            actions.constrain_environment(
                project=project, publisher_id=publisher_id, environment=environment, by=user_of(request)
            )
        except Link.DoesNotExist:
            raise Http404 from None
        except ValidationError as error:
            _tell(form, error)
        else:
            messages.success(request, _("The publisher is trusted in this environment alone."))
            return redirect("project-publishing", project.normalized_name)
    context = {"project": project, "words": queries.words_of(trust.publisher), "form": form}
    return render(request, "publishers/constrain.html", context | {"cancel_url": _path(project)})


@require_http_methods(["GET", "POST"])
@for_users()
def of_account(request: HttpRequest) -> HttpResponse:
    """The user's pending publishers, and the form of one more."""
    user = user_of(request)
    kind = _kind(request)
    form = pending_form(kind)(request.POST or None, initial=_prefilled(request))
    decision = pending.may_start_projects(user)
    if decision and _may_be_added(form, kind):
        accounts.use(limits.registration(user))
        try:
            pending.add_pending(user=user, project_name=form.cleaned_data["project_name"], wanted=form.wanted())
        except ValidationError as error:
            _tell(form, error)
        else:
            messages.success(request, _("The publisher is pending: its first upload starts the project."))
            return redirect("pending-publishers")
    context = _context(request, kind, form) | {
        "section": MENU,
        "decision": decision,
        "rows": queries.pending_of(user),
        "most": pending.MOST,
        "own": _own_project(request, form),
    }
    return render(request, "publishers/account.html", context)


@require_http_methods(["GET", "POST"])
@for_users()
def remove_pending(request: HttpRequest, pending_id: UUID) -> HttpResponse:
    """Asks, then removes a pending publisher of the user."""
    user = user_of(request)
    found = user.pending_publishers.filter(pk=pending_id).first()
    if found is None:
        raise Http404
    form = TypedConfirmation(request.POST or None, expected=found.project_name)
    if form.is_valid():
        try:
            pending.remove_pending(user=user, pending_id=pending_id)
        except PendingPublisher.DoesNotExist:
            raise Http404 from None
        messages.success(request, _("The pending publisher is removed."))
        return redirect("pending-publishers")
    context = {"pending": found, "words": queries.words_of(found), "form": form}
    return render(request, "publishers/remove_pending.html", context | {"cancel_url": "/manage/account/publishing/"})


def _owned(request: HttpRequest, name: str) -> Project:
    """The project, of which the user is an owner; to strangers there is no such page."""
    project, user = find_project(name), user_of(request)
    role = role_of(user.pk, project) if project else None
    if project is None or role is None:
        raise Http404
    if not (decision := may_manage(identity_of(user), role=role, project=project.name)):
        raise PermissionDenied(decision.reason)
    return project


def _trust(project: Project, publisher_id: UUID) -> Link:
    found = project.publisher_links.select_related("publisher").filter(publisher=publisher_id).first()
    if found is None:
        raise Http404
    return found


def _kind(request: HttpRequest) -> str:
    """The provider that the form is for: what was sent or asked for, else the first that may be used."""
    wanted = request.POST.get("provider") or request.GET.get("provider") or ""
    usable = [kind for kind in PROVIDERS if issuers.is_enabled(kind)]
    return wanted if wanted in PROVIDERS else next(iter(usable), next(iter(PROVIDERS)))


def _prefilled(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.GET.items() if name != "provider"}


def _may_be_added(form: PublisherForm, kind: str) -> bool:
    """Whether what was sent is right, and flags allow such publishers."""
    if not form.is_bound:
        return False
    if not issuers.is_enabled(kind):
        form.add_error(None, _("Publishers of this kind cannot be added at the moment."))
    return form.is_valid()


def _context(request: HttpRequest, kind: str, form: PublisherForm) -> dict[str, Any]:
    return {
        "kind": kind,
        "provider": PROVIDERS[kind],
        "providers": PROVIDERS.values(),
        "form": form,
        "is_enabled": issuers.is_enabled(kind),
        "is_prefilled": not form.is_bound and bool(_prefilled(request).keys() & form.fields.keys()),
    }


def _own_project(request: HttpRequest, form: PublisherForm) -> Project | None:
    """The project of that name, where it exists and is the user's: there the publisher belongs."""
    name = form.data.get("project_name", "") if form.is_bound else ""
    project = find_project(name) if name else None
    return project if project and role_of(user_of(request).pk, project) == "Owner" else None


def _path(project: Project) -> str:
    return f"/manage/project/{project.normalized_name}/settings/publishing/"


def _tell(form: BaseForm, error: ValidationError) -> None:
    """Show what is wrong at its field, where the form has it."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, texts in error.message_dict.items():
        for text in texts:
            form.add_error(field if field in form.fields else None, text)
