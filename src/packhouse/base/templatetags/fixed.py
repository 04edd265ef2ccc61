"""Django's ``translate`` and ``static`` for what is the same on every page: a text that stands in the template.

Django puts a lazy text together, resolves and escapes it each time it is shown; a page has forty of them.  Here it is
looked up once in a language.  Every other form of the two tags stays Django's.
"""

from django import template
from django.template.base import FilterExpression, Node, Parser, TextNode, Token
from django.templatetags.i18n import do_translate
from django.templatetags.static import StaticNode, do_static
from django.utils.html import conditional_escape
from django.utils.translation import get_language, gettext

register = template.Library()


class Words(Node):
    """A text of the template in the language of the moment.  As in Django, it is markup already."""

    child_nodelists = ()

    def __init__(self, text: str) -> None:
        self._message = text.replace("%", "%%")  # as catalogues have it
        self._said: dict[str | None, str] = {}

    def render(self, context: template.Context) -> str:
        language = get_language()
        said = self._said.get(language)
        if said is None:
            said = self._said[language] = gettext(self._message).replace("%%", "%")
        return said


@register.tag
def translate(parser: Parser, token: Token) -> Node:
    """``{% translate "a text" %}``."""
    text = _only_text(parser, token)
    return do_translate(parser, token) if text is None else Words(text)


@register.tag
def static(parser: Parser, token: Token) -> Node:
    """``{% static "a/path" %}``: the address of a static file."""
    path = _only_text(parser, token)
    return do_static(parser, token) if path is None else TextNode(conditional_escape(StaticNode.handle_simple(path)))


def _only_text(parser: Parser, token: Token) -> str | None:
    """The text in quotation marks, where the tag has that and nothing else."""
    bits = token.split_contents()
    if len(bits) != 2:
        return None
    given: FilterExpression = parser.compile_filter(bits[1])
    return given.var if isinstance(given.var, str) and not given.filters else None
