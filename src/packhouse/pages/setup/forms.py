"""Forms of the first run."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from packhouse import config

NEW_PASSWORD = {"autocomplete": "new-password"}


class AdministratorForm(forms.Form):
    """The first account."""

    username = forms.CharField(
        label=_("User name"), max_length=50, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    email = forms.EmailField(label=_("Email address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"), max_length=4096, strip=False, widget=forms.PasswordInput(attrs=NEW_PASSWORD)
    )
    repeated = forms.CharField(
        label=_("Password, once more"), max_length=4096, strip=False, widget=forms.PasswordInput(attrs=NEW_PASSWORD)
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "password" in data and data["password"] != data.get("repeated"):
            self.add_error("repeated", _("The two passwords differ."))
        return data


class SettingsForm(forms.Form):
    """What an index must know of itself; each field is the setting of that name."""

    site_name = forms.CharField(label=_("Name of this index"), max_length=60)
    public_url = forms.CharField(
        label=_("Address of this index"),
        help_text=_("As people and their tools reach it, like https://packages.example.org. All links begin with it."),
    )
    registration = forms.ChoiceField(
        label=_("Who may register"),
        widget=forms.RadioSelect,
        choices=[
            ("open", _("Everybody")),
            ("invitation", _("Those whom you invite")),
            ("closed", _("Nobody: you make the accounts")),
        ],
    )
    mail = forms.CharField(
        label=_("Mail"),
        required=False,
        help_text=_(
            "A mail server, like smtp://user:password@mail.example.org:587. Empty: letters are put into a folder of "
            "the home and can be read in the console."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in [name for name in self.fields if name not in config.declared()]:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in set(data) & set(self.fields):
            if data[name]:
                self._judge(name, data[name])
        return data

    def _judge(self, name: str, value: str) -> None:
        kind = config.declared()[name].kind
        try:
            kind.parse(value)
        except (ValueError, TypeError, OverflowError):
            self.add_error(name, _("Expected %s.") % kind.expected)

    def changes(self) -> dict[str, str]:
        """The settings that differ from what the index runs with."""
        running = {name: config.declared()[name].kind.show(getattr(settings.PACKHOUSE, name)) for name in self.fields}
        given: dict[str, str] = self.cleaned_data
        return {name: value for name, value in given.items() if value != running[name] and (value or name != "mail")}
