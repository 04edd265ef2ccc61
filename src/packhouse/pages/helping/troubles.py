"""Topics about what went wrong."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from packhouse.pages.helping.topic import Group, Topic

TROUBLES: Final = Group(
    _("When something does not work"),
    (
        Topic(
            "uploading",
            _("My upload was refused."),
            (
                _(
                    "The answer names the reason. 403 is about who you are: is the token whole, and good for this"
                    " project? 400 is about the file or its metadata."
                ),
            ),
        ),
        Topic(
            "invalid-authentication",
            _("My client says that my authentication is invalid."),
            (
                _(
                    "The user name is __token__, and the password is the whole token with what it begins with,"
                    " without space or line break. A password of yours is no token."
                ),
                _(
                    "A token for one project publishes no other. Look at the address that your client sends to as"
                    " well: a token of another index opens nothing here."
                ),
            ),
            (),
            (("/help/#tokens", _("How to make a token")),),
        ),
        Topic(
            "description-type",
            _("Why does my description look wrong?"),
            (
                _(
                    "Say in the metadata what it is: text/markdown, text/x-rst or text/plain. Check it before you"
                    " upload. Scripts and styles are removed, and images become links, so that reading a page tells"
                    " nobody else that you read it."
                ),
            ),
            ("twine check dist/*",),
        ),
        Topic(
            "login-problems",
            _("I cannot sign in."),
            (
                _(
                    "Too many failed tries close the way for some minutes, for your account and for the network that"
                    " they came from. Your browser must accept cookies of this site."
                ),
                _(
                    "With an address that is not verified yet you can sign in, but do nothing else until you have"
                    " followed the link in the letter."
                ),
            ),
            (),
            (("/help/#account-recovery", _("When a password or a second factor is lost")),),
        ),
        Topic(
            "tls",
            _("My client complains about the certificate or the connection."),
            (
                _(
                    "Bring Python and your installer up to date, so that they know TLS 1.2 or later, and check that no"
                    " proxy between you and this index opens connections."
                ),
            ),
        ),
    ),
)
