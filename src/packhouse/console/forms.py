"""Forms of the console."""

from django import forms
from django.utils.translation import gettext_lazy as _

from packhouse.accounts.forms import email_field


class InvitationForm(forms.Form):
    """Whom to invite."""

    email = email_field()


class BanForm(forms.Form):
    """From where nobody can act; a list of many can be pasted."""

    addresses = forms.CharField(
        label=_("Addresses"),
        max_length=1_000_000,
        help_text=_("One a line, or separated by spaces: addresses, or networks like “192.0.2.0/24”."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
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

    domains = forms.CharField(
        label=_("Domains"),
        max_length=1_000_000,
        help_text=_("One a line, or separated by spaces, like “throwaway.example”."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
    )
    with_servers = forms.BooleanField(
        label=_("Their mail servers too"),
        required=False,
        help_text=_("Also prohibits addresses elsewhere whose mail goes to servers of these domains."),
    )
    comment = forms.CharField(label=_("Why"), max_length=200, required=False, help_text=_("For your colleagues."))
