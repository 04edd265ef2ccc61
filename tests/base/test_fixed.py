"""The tags that stand in for Django's where the text stands in the template."""

import pytest
from django.template import Context, Engine, Template, engines
from django.utils import translation

DJANGO = Engine(builtins=["django.templatetags.i18n", "django.templatetags.static"])


@pytest.mark.parametrize(
    "markup",
    [
        '{% translate "Sign in" %}',
        '{% translate "Sign in" as said %}<{{ said }}>',
        '{% translate "Owner" context "role" %}',
        '{% translate "Sign in" noop %}',
        '{% translate "Sign in"|upper %}',
        "{% translate given %}",
        '{% translate "100% & <b>nobody has translated</b> 5%% \\" \' this" %}',
        '{% static "packhouse/shell.css" %}',
        '{% static "a b & c" %}',
        '{% static "packhouse/shell.css" as said %}<{{ said }}>',
        "{% static given %}",
    ],
)
def test_the_tags_say_what_django_says_in_every_language(markup: str) -> None:
    ours, django = engines["django"].from_string(markup), Template(markup, engine=DJANGO)
    for language in ("en", "de", "he", "de", None):
        with translation.override(language):
            assert ours.render({"given": "Sign in"}) == django.render(Context({"given": "Sign in"}))


def test_a_text_follows_the_language_of_the_reader() -> None:
    template = engines["django"].from_string('{% translate "Sign in" %}')
    said = {}
    for language in ("en", "de", "he"):
        with translation.override(language):
            said[language] = template.render()
    assert said["en"] == "Sign in"
    assert len(set(said.values())) == 3
