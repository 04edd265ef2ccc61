"""Forms of the console."""

from django import forms

from packhouse.accounts.forms import email_field


class InvitationForm(forms.Form):
    """Whom to invite."""

    email = email_field()
