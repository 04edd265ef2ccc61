"""What a letter says, and how it is laid out."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language_bidi

LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to do.  *url* is absolute, or a path of this site."""

    label: str
    url: str

    @property
    def address(self) -> str:
        return f"{settings.PACKHOUSE.public_url}{self.url}" if self.url.startswith("/") else self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The words of a letter, in the language of its reader; plain text throughout.

    *says*: paragraphs.  *facts*: label and value, for what names, addresses and times it is about.  *button*: what to
    do next.  *then*: paragraphs after the button.  *because*: why the reader gets this letter.
    """

    subject: str
    says: Sequence[str]
    because: str
    facts: Sequence[tuple[str, str]] = ()
    button: Button | None = None
    then: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A draft as subject, plain text and HTML."""

    subject: str
    text: str
    html: str


def lay_out(draft: Draft, language: str) -> LaidOut:
    """*draft* under the site's head and foot.  Raises ``ValueError`` when its subject is not one line."""
    site = settings.PACKHOUSE.site_name
    context = {
        "draft": draft,
        "language": language,
        "direction": "rtl" if get_language_bidi() else "ltr",
        "site_name": site,
        "public_url": settings.PACKHOUSE.public_url,
    }
    return LaidOut(
        subject=one_line(f"[{site}] {draft.subject}")[:LONGEST_SUBJECT],
        text=render_to_string("mail/letter.txt", context).strip() + "\n",
        html=render_to_string("mail/letter.html", context),
    )


def one_line(text: str) -> str:
    """*text* itself.  Raises ``ValueError`` when it could end a header of a message and start another."""
    if not text.isprintable():
        raise ValueError(f"not one line of text: {text!r}")
    return text
