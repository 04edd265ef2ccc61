"""Forms around signing in and the settings of an account."""

from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from packhouse.accounts import actions, captcha, passwords
from packhouse.accounts.models import User

NAME_HINT = _("Letters, digits, “.”, “_” and “-”, beginning and ending with a letter or a digit.")
PASSWORD_HINT = _("Long is good: several words that do not belong together, or what a password manager makes.")


class OneLine(forms.CharField):
    """A line of text that no control character and no surrogate gets into."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not text.isprintable() and any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
            raise ValidationError(_("This text contains a character that cannot be used."), "control-character")
        return text


def password_field(label: Any, autocomplete: str, **options: Any) -> forms.CharField:
    """A password: kept as typed, of any length that a sign-in takes."""
    return forms.CharField(
        label=label,
        strip=False,
        max_length=passwords.LONGEST,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        **options,
    )


def username_field(**options: Any) -> forms.CharField:
    return forms.CharField(
        label=_("User name"),
        max_length=50,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        **options,
    )


def email_field(**options: Any) -> forms.EmailField:
    options.setdefault("label", _("Email address"))
    return forms.EmailField(max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}), **options)


class SignIn(forms.Form):
    """User name and password.  Whether they are right is not for the form to say."""

    username = username_field()
    password = password_field(_("Password"), "current-password")

    def clean_username(self) -> str:
        typed: str = self.cleaned_data["username"]
        if "@" in typed:
            raise ValidationError(_("Sign in with your user name, not with your email address."), "address")
        return typed


class Register(forms.Form):
    """A new account; ``confirm_form`` is filled in by programs that fill in everything."""

    username = username_field(help_text=NAME_HINT)
    name = OneLine(label=_("Full name"), max_length=100, required=False, help_text=_("Shown on your profile."))
    email = email_field(help_text=_("A link is sent there. It is shown to nobody unless you make it public."))
    password = password_field(_("Password"), "new-password", help_text=PASSWORD_HINT)
    confirm_form = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, is_invited: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if captcha.site() and not is_invited:
            self.fields["captcha"] = captcha.field()
        if settings.PACKHOUSE.terms_url:
            link = format_html('<a href="{}">{}</a>', settings.PACKHOUSE.terms_url, _("Terms of service"))
            self.fields["terms"] = forms.BooleanField(label=_("I agree to the terms of service"), help_text=link)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if "://" in name:
            raise ValidationError(_("A name contains no address."), "address")
        return name


class Forgotten(forms.Form):
    """Who has forgotten the password."""

    username_or_email = OneLine(
        label=_("User name or email address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


class NewPassword(forms.Form):
    """Another password, by a link that was mailed."""

    password = password_field(_("New password"), "new-password", help_text=PASSWORD_HINT)


class ChangePassword(forms.Form):
    """Another password; the present one proves who asks."""

    current_password = password_field(_("Current password"), "current-password")
    password = password_field(_("New password"), "new-password", help_text=PASSWORD_HINT)


class Proof(forms.Form):
    """The password of whoever is signed in."""

    password = password_field(_("Password"), "current-password")

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Raises ``TooManyRequests`` after too many failures."""
        password: str = self.cleaned_data["password"]
        proved = actions.prove_password(self.user.username, password, failure="reauthenticate:failure")
        if proved is None or proved.pk != self.user.pk:
            raise ValidationError(_("This is not your password."), "wrong")
        return password


class Profile(forms.Form):
    """What others see of a user."""

    name = OneLine(label=_("Full name"), max_length=100, required=False)
    public_email = forms.ChoiceField(
        label=_("Public email address"),
        required=False,
        help_text=_("Shown on your profile to people who are signed in."),
    )

    clean_name = Register.clean_name

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"name": user.name, "public_email": user.public_email}
        super().__init__(*args, **kwargs)
        verified = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
        choices = [("", _("None")), *((email, email) for email in verified)]
        self.fields["public_email"].choices = choices  # type: ignore[attr-defined]


class AddAddress(forms.Form):
    """One more address."""

    email = email_field(label=_("Another email address"))


class CorrectAddress(forms.Form):
    """An address in the place of one that was mistyped."""

    email = email_field(label=_("Right email address"))
