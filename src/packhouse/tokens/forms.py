"""The form of a new token, in a browser."""

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from packhouse.accounts.models import User
from packhouse.base import clock
from packhouse.projects.models import Project
from packhouse.tokens import actions, caveats, queries

NO_END: Final = "0"
LIFETIMES: Final = [
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("1 year")),
    ("730", _("2 years")),
    (NO_END, _("no end")),
]
GRANTS: Final = {
    "upload": _("Upload: publish files"),
    "yank": _("Yank: withdraw releases and bring them back"),
    "manage": _("Manage: change settings of projects, make and delete tokens"),
    "read": _("Read: see what only collaborators see"),
}
SCOPES: Final = [
    ("projects", _("Some projects")),
    ("patterns", _("Projects whose names match a pattern, also future ones")),
    ("account", _("The whole account: all projects, and starting new ones")),
]


class TokenForm(forms.Form):
    """A new token of *user*; ``projects`` lists the projects that it can be for."""

    description = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What it is for, like “Release job of demo”.")
    )
    scope = forms.ChoiceField(label=_("Works for"), choices=SCOPES, widget=forms.RadioSelect, initial="projects")
    projects = forms.ModelMultipleChoiceField(
        label=_("Projects"),
        queryset=Project.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        to_field_name="normalized_name",
    )
    patterns = forms.CharField(label=_("Patterns"), help_text=_("Separated by spaces, like “acme-* acme”."))
    grants = forms.MultipleChoiceField(
        label=_("May be used to"),
        choices=list(GRANTS.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=["upload"],
    )
    lifetime = forms.ChoiceField(label=_("Works for how long"), choices=LIFETIMES, initial="365")
    addresses = forms.CharField(
        label=_("Works from these addresses alone"),
        required=False,
        help_text=_("Addresses or networks, separated by spaces, like “192.0.2.7 10.0.0.0/8”. Empty: from anywhere."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        projects: Any = self.fields["projects"]
        projects.queryset = queries.projects_for(user)
        if not projects.queryset.exists():
            self.initial.setdefault("scope", "account")
        for scope in ("projects", "patterns"):
            self.fields[scope].required = self.data.get("scope", scope) == scope

    def clean_patterns(self) -> list[str]:
        patterns: list[str] = self.cleaned_data["patterns"].replace(",", " ").lower().split()
        if wrong := [pattern for pattern in patterns if not caveats.is_pattern(pattern)]:
            raise forms.ValidationError(
                _("“%s” is not a pattern: use normalized names (lower-case letters, digits, “-”) and “*”.") % wrong[0]
            )
        return patterns

    def clean_addresses(self) -> list[str]:
        networks = []
        for text in self.cleaned_data["addresses"].replace(",", " ").split():
            try:
                networks.append(str(ip_network(text, strict=False)))
            except ValueError:
                raise forms.ValidationError(_("“%s” is no address and no network.") % text) from None
        return networks

    def save(self, *, user: User) -> str:
        """Make the token; returns its text.  Raises ``ValidationError``."""
        data = self.cleaned_data
        _token, text = actions.create_token(
            user=user,
            description=data["description"],
            projects=list(data["projects"]) if data["scope"] == "projects" else [],
            patterns=data["patterns"] if data["scope"] == "patterns" else [],
            grants=data["grants"],
            addresses=data["addresses"],
            expires=self._expires(),
            by=user,
        )
        return text

    def _expires(self) -> datetime | None:
        lifetime = self.cleaned_data["lifetime"]
        return None if lifetime == NO_END else clock.now() + timedelta(days=int(lifetime))
