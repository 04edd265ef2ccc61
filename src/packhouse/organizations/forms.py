"""The forms about organizations."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from packhouse.accounts.forms import OneLine
from packhouse.organizations.models import Kind, MemberRole
from packhouse.organizations.naming import LONGEST

USER_NAME: Final = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
TEAM_SHAPE: Final = _("Like “Release managers”.")


class About(forms.Form):
    """What an organization says of itself."""

    display_name = OneLine(label=_("Display name"), max_length=100, help_text=_("How it is called in full."))
    kind = forms.ChoiceField(
        label=_("Kind"), choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.COMMUNITY.value
    )
    link_url = forms.URLField(
        label=_("Website"), max_length=400, required=False, assume_scheme="https", widget=forms.URLInput()
    )
    description = OneLine(
        label=_("Description"), max_length=400, required=False, help_text=_("What it is, in a sentence.")
    )


class NewOrganization(About):
    """A new organization."""

    name = OneLine(
        label=_("Name"),
        max_length=LONGEST,
        help_text=_("It stands in addresses, and cannot be changed. Letters, digits, “.”, “_” and “-”."),
        widget=forms.TextInput(attrs=USER_NAME),
    )
    field_order = ("name", "display_name", "kind", "link_url", "description")


class Request(NewOrganization):
    """A new organization that the administrators are asked for."""

    usage = forms.CharField(
        label=_("What for"),
        min_length=32,
        max_length=1024,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What will it publish, and who are its people? The administrators read this."),
    )


class Invite(forms.Form):
    """Who is asked to join, and as what."""

    username = OneLine(label=_("User name"), max_length=50, widget=forms.TextInput(attrs=USER_NAME))
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role: Any = self.fields["role"]
        role.choices = roles_for(kind)
        role.initial = MemberRole.MEMBER.value


class Decline(forms.Form):
    """Why somebody does not join."""

    message = forms.CharField(
        label=_("A word to the owners"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class TeamName(forms.Form):
    """How a team is called."""

    name = OneLine(label=_("Name"), max_length=LONGEST, help_text=TEAM_SHAPE)


class TeamMember(forms.Form):
    """Who joins a team."""

    username = forms.ChoiceField(label=_("Member"))

    def __init__(self, *args: Any, usernames: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["username"]
        field.choices = [(name, name) for name in usernames]


def roles_for(kind: str) -> list[tuple[str, Any]]:
    """The roles that an organization of that kind has, the smallest first."""
    roles = [role for role in MemberRole if role != MemberRole.BILLING or kind == Kind.COMPANY]
    return [(role.value, role.label) for role in reversed(roles)]
