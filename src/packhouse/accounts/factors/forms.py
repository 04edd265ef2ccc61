"""Forms of second factors."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from packhouse.accounts.factors import actions, totp

CODE_INPUT = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "class": "code-input"}


class AppForm(forms.Form):
    """The first code of an authenticator app, which proves that it works."""

    code = forms.CharField(
        label=_("Code"),
        max_length=32,
        help_text=_("The six digits that the app shows now."),
        widget=forms.TextInput(attrs=CODE_INPUT | {"inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, secret: str, now: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret, self.now = secret, now
        self.step = 0

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        step = totp.matching_step(self.secret, code, self.now)
        if step is None:
            raise forms.ValidationError(self._what_is_wrong(code))
        self.step = step
        return code

    def _what_is_wrong(self, code: str) -> Any:
        if totp.matching_step(self.secret, code, self.now, totp.NOTICED_DRIFT) is not None:
            return _("The clock of your device is wrong by some minutes. Set it right and try again.")
        return _("This code is not right. Type the code that the app shows now.")


class KeyForm(forms.Form):
    """A new security key or passkey; the script fills in what the browser says."""

    label = forms.CharField(
        label=_("Name"),
        max_length=actions.LONGEST_LABEL,
        help_text=_("So that you know it again, like “Key on my key ring”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label=_("What it is for"),
        widget=forms.RadioSelect,
        initial="passkey",
        choices=[
            ("passkey", _("Passkey: signs in alone, and is a second factor")),
            ("key", _("Security key: a second factor, after the password")),
        ],
    )
    credential = forms.CharField(
        widget=forms.HiddenInput,
        error_messages={"required": _("Your browser has not registered the key yet. It needs JavaScript for that.")},
    )


class LabelForm(forms.Form):
    """Another name for a key."""

    label = forms.CharField(
        label=_("Name"), max_length=actions.LONGEST_LABEL, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class CodeForm(forms.Form):
    """A code of an authenticator app or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=64,
        help_text=_("Six digits from your authenticator app, or one of your recovery codes."),
        widget=forms.TextInput(attrs=CODE_INPUT | {"autofocus": True}),
    )
    remember = forms.BooleanField(
        label=_("Remember this browser for 30 days"),
        help_text=_("On your own devices only: here the password alone will then do."),
        required=False,
    )
