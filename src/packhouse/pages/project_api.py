"""One's account and projects over REST: ``/api/v1/account``, ``/api/v1/projects``.

Reading asks tokens for ``read``, yanking for ``yank``, archiving for ``manage``.  What the user may do is decided by
the rules of projects, as everywhere; a token for some projects sees and changes those alone.
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from django.conf import settings
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError

from packhouse.accounts import queries as accounts
from packhouse.base.decision import Decision
from packhouse.projects import actions, queries, rules
from packhouse.projects.models import File, Project, Release
from packhouse.specs.simple_api import file_url
from packhouse.tokens import rest
from packhouse.tokens.rest import Problem
from packhouse.tokens.rules import check

LONGEST_REASON = 1000
MOST = 500


class Address(Schema):
    email: str
    primary: bool
    verified: bool


class Account(Schema):
    username: str
    name: str
    emails: list[Address]
    two_factor: bool = Field(description="Whether the account has a second factor.")
    created: datetime


class ProjectAbout(Schema):
    name: str
    normalized_name: str
    role: str = Field(description="`Owner` or `Maintainer`.")
    status: str = Field(description="`active`, `archived` or `quarantined`.")
    size: int = Field(description="Bytes of all files.")
    created: datetime
    url: str


class ReleaseAbout(Schema):
    version: str
    created: datetime
    files: int = Field(validation_alias="file_count")
    yanked: bool
    yanked_reason: str
    quarantined: bool


class FileAbout(Schema):
    filename: str
    size: int
    sha256: str
    uploaded: datetime
    url: str


class Page(Schema):
    offset: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=MOST)


class Yank(Schema):
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""


REFUSED = {403: Problem, 404: Problem}
account_router = Router(tags=["account"], auth=rest.AUTH)
router = Router(tags=["projects"], auth=rest.AUTH)


@account_router.get("", response={200: Account, 403: Problem}, summary="Your account")
def show_account(request: HttpRequest) -> Any:
    user = rest.require(request, "account:read", publishes=False)
    return {
        "username": user.username,
        "name": user.name,
        "emails": accounts.addresses_of(user),
        "two_factor": accounts.has_two_factor(user),
        "created": user.date_joined,
    }


@router.get("", response={200: list[ProjectAbout], 403: Problem}, summary="Your projects")
def list_projects(request: HttpRequest, page: Query[Page]) -> Any:
    """Those on which you have a role, by name; with a token for some projects, of those the ones it is for."""
    identity = rest.identity_of(request)
    user_id = identity.user_id or 0
    own = [project for project in queries.reached_by(user_id) if check(identity, "projects:read", project)]
    rest.require(request, "projects:read", own[0] if own else None, publishes=False)
    shown = own[page.offset : page.offset + page.limit]
    roles = queries.roles_in(user_id, [project.pk for project in shown])
    return [_about(project, roles[project.pk]) for project in shown]


@router.get("/{name}", response={200: ProjectAbout, **REFUSED}, summary="One of your projects")
def show_project(request: HttpRequest, name: str) -> Any:
    return _about(*_readable(request, name))


@router.get("/{name}/releases", response={200: list[ReleaseAbout], **REFUSED}, summary="Its releases")
def list_releases(request: HttpRequest, name: str, page: Query[Page]) -> Any:
    """Newest version first; also yanked and quarantined ones."""
    found = _counted(_readable(request, name)[0].releases.all()).order_by("-sort_key")
    return list(found[page.offset : page.offset + page.limit])


@router.get(
    "/{name}/releases/{version}/files", response={200: list[FileAbout], **REFUSED}, summary="The files of a release"
)
def list_files(request: HttpRequest, name: str, version: str, page: Query[Page]) -> Any:
    files = _release(_readable(request, name)[0], version).files.order_by("filename")
    return [_file(file) for file in files[page.offset : page.offset + page.limit]]


@router.put("/{name}/releases/{version}/yank", response={200: ReleaseAbout, **REFUSED}, summary="Yank a release")
def yank(request: HttpRequest, name: str, version: str, why: Yank) -> Any:
    """Installers pass it over, unless it is asked for by its very version (PEP 592)."""
    project, _role = _changeable(request, name, "projects:yank", rules.may_yank)
    release = _release(project, version)
    return _shown(actions.yank_release(by=rest.identity_of(request), release=release, reason=why.reason.strip()))


@router.delete("/{name}/releases/{version}/yank", response={200: ReleaseAbout, **REFUSED}, summary="Take a yank back")
def unyank(request: HttpRequest, name: str, version: str) -> Any:
    project, _role = _changeable(request, name, "projects:yank", rules.may_yank)
    return _shown(actions.unyank_release(by=rest.identity_of(request), release=_release(project, version)))


@router.put("/{name}/archive", response={200: ProjectAbout, **REFUSED}, summary="Archive a project")
def archive(request: HttpRequest, name: str) -> Any:
    """It takes no new files; what is there stays and says so."""
    return _with_status(request, name, Project.Status.ARCHIVED)


@router.delete("/{name}/archive", response={200: ProjectAbout, **REFUSED}, summary="Take an archived project up again")
def unarchive(request: HttpRequest, name: str) -> Any:
    return _with_status(request, name, Project.Status.ACTIVE)


def _with_status(request: HttpRequest, name: str, status: Project.Status) -> dict[str, Any]:
    project, role = _changeable(request, name, "projects:write", rules.may_archive)
    changed = actions.set_status(by=rest.identity_of(request), project=project, status=status, lifts_quarantine=False)
    return _about(changed, role)


def _readable(request: HttpRequest, name: str) -> tuple[Project, str]:
    """The project of that name and the user's role on it, for a collaborator.  Raises ``HttpError``."""
    project = _project(name)
    user = rest.require(request, "projects:read", project, publishes=False)
    role = queries.role_of(user.pk, project)
    _must(rules.may_read(rest.identity_of(request), role=role, project=project.name))
    return project, role or ""


def _changeable(request: HttpRequest, name: str, permission: str, rule: Any) -> tuple[Project, str]:
    """The project of that name and the user's role on it, where *rule* lets change it.  Raises ``HttpError``."""
    project = _project(name)
    user = rest.require(request, permission, project)
    role = queries.role_of(user.pk, project)
    _must(rule(rest.identity_of(request), role=role, project=project.name, status=project.status))
    return project, role or ""


def _project(name: str) -> Project:
    project = queries.find_project(name)
    if project is None:
        raise HttpError(404, "There is no such project.")
    return project


def _release(project: Project, version: str) -> Release:
    release = queries.find_release(project, version)
    if release is None:
        raise HttpError(404, "There is no such release.")
    return release


def _must(decision: Decision) -> None:
    if not decision.allowed:
        raise HttpError(403, decision.reason)


def _about(project: Project, role: str) -> dict[str, Any]:
    return {
        "name": project.name,
        "normalized_name": project.normalized_name,
        "role": role,
        "status": project.status,
        "size": project.total_size,
        "created": project.created,
        "url": f"{settings.PACKHOUSE.public_url}/project/{quote(project.normalized_name)}/",
    }


def _counted(releases: QuerySet[Release]) -> Any:
    return releases.annotate(file_count=Count("files"))


def _shown(release: Release) -> Any:
    return _counted(Release.objects.filter(pk=release.pk)).get()


def _file(file: File) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "size": file.size,
        "sha256": file.sha256,
        "uploaded": file.uploaded,
        "url": file_url(settings.PACKHOUSE.public_url, file.path),
    }
