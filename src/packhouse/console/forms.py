"""Forms of the console."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from packhouse.accounts.forms import email_field


def _pasted_list(label: Any, help_text: Any) -> forms.CharField:
    """A field for things one a line or separated by spaces, of which a list of many can be pasted."""
    plain = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"})
    return forms.CharField(label=label, max_length=1_000_000, help_text=help_text, widget=plain)


class InvitationForm(forms.Form):
    """Whom to invite."""

    email = email_field()


class BanForm(forms.Form):
    """From where nobody can act; a list of many can be pasted."""

    addresses = _pasted_list(
        _("Addresses"), _("One a line, or separated by spaces: addresses, or networks like “192.0.2.0/24”.")
    )
    days = forms.IntegerField(
        label=_("For how many days"),
        required=False,
        min_value=1,
        max_value=3650,
        help_text=_("Empty: until you allow them again."),
    )
    comment = forms.CharField(label=_("Why"), max_length=200, required=False, help_text=_("For your colleagues."))


class ProhibitionForm(forms.Form):
    """Domains at which nobody may have an address; a list of many can be pasted."""

    domains = _pasted_list(_("Domains"), _("One a line, or separated by spaces, like “throwaway.example”."))
    with_servers = forms.BooleanField(
        label=_("Their mail servers too"),
        required=False,
        help_text=_("Also prohibits addresses elsewhere whose mail goes to servers of these domains."),
    )
    comment = forms.CharField(label=_("Why"), max_length=200, required=False, help_text=_("For your colleagues."))
