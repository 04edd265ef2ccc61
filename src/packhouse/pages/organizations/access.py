"""Whom the management pages of an organization are for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from packhouse.accounts.access import for_users, user_of
from packhouse.accounts.models import User
from packhouse.accounts.queries import identity_of
from packhouse.base.identity import Identity
from packhouse.organizations.models import Organization
from packhouse.organizations.queries import find_organization, role_in
from packhouse.organizations.rules import PERMISSIONS, may


@dataclass(frozen=True, slots=True)
class Desk:
    """A member at the pages of an organization."""

    request: HttpRequest
    user: User
    identity: Identity
    organization: Organization
    role: str

    def may(self, permission: str) -> bool:
        return bool(may(permission, self.identity, role=self.role, organization=self.organization.name))

    def must(self, permission: str) -> None:
        """Raises ``PermissionDenied`` for whom the rule does not allow."""
        decision = may(permission, self.identity, role=self.role, organization=self.organization.name)
        if not decision:
            raise PermissionDenied(decision.reason)

    def page(self, template: str, section: str, status: int = 200, **context: object) -> HttpResponse:
        """The page *template*, in the frame of the organization."""
        shown = {
            "organization": self.organization,
            "role": self.role,
            "may": {permission.replace("-", "_"): self.may(permission) for permission in PERMISSIONS},
            "section": section,
            **context,
        }
        return render(self.request, f"pages/organizations/{template}.html", shown, status=status)


View = Callable[..., HttpResponse]


def for_members(permission: str, *, recent: bool = True) -> Callable[[View], Callable[..., Any]]:
    """Gives a view the `Desk` of a member who has *permission*; to others the organization is not there."""

    def decorate(view: View) -> Callable[..., Any]:
        @for_users(recent=recent)
        @wraps(view)
        def guarded(request: HttpRequest, organization: str, **arguments: Any) -> HttpResponse:
            user = user_of(request)
            found = find_organization(organization)
            role = role_in(user.pk, found) if found and found.is_active else None
            if found is None or role is None:
                raise Http404
            desk = Desk(request, user, identity_of(user), found, role)
            desk.must(permission)
            return view(desk, **arguments)

        return guarded

    return decorate
