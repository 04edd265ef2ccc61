"""Texts of pages go through gettext: no template holds words of its own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "src/packhouse"
OTHERS = {"style.html", "style_confirm.html", "refusal.html"}
"""For developers and for installers."""
PROPER = {"ABI", "SHA-256", "BLAKE2b", "MD5", "METADATA", "security.txt", "sitemap.xml"}
"""Names that are the same in every language."""
TRANSLATED = re.compile(
    r"{%\s*comment\b.*?{%\s*endcomment\s*%}|{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}"
    r"|<(?P<kind>script|style|code|pre|kbd|svg)\b.*?</(?P=kind)>|<!--.*?-->",
    re.DOTALL,
)
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
MARKUP = re.compile(r"<[^>]*>|&\w+;")
SAID = re.compile(r'\b(?:title|aria-label|placeholder|alt)="([^"]*)"')
WORD = re.compile(r"[^\W\d_]{2,}")
TEMPLATES = [path for path in sorted(ROOT.rglob("templates/**/*.html")) if path.name not in OTHERS]


def words_of_its_own(template: str) -> Iterator[str]:
    """Texts that are shown, or read out, as they stand in the template."""
    rest = TAG.sub("\0", TRANSLATED.sub("\0", template))
    texts = [part for text in (MARKUP.sub("\0", rest), *SAID.findall(rest)) for part in text.split("\0")]
    yield from (text.strip() for text in texts if WORD.search(text) and text.strip() not in PROPER)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_has_no_words_of_its_own(path: Path) -> None:
    assert list(words_of_its_own(path.read_text())) == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<h1>Site map</h1>", ["Site map"]),
        ('<p>{% if x %}Yes{% endif %} {% translate "No" %}</p>', ["Yes"]),
        ('<a title="Go there" href="/x">{{ y }}</a>', ["Go there"]),
        ("<p>{% blocktranslate %}All of <b>this</b>{% endblocktranslate %} · 3 <code>pip</code></p>", []),
        ('<a aria-label="{% translate "Go" %}">MD5</a>', []),
    ],
)
def test_words_are_found(template: str, found: list[str]) -> None:
    assert list(words_of_its_own(template)) == found
