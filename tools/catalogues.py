"""The catalogues of translated texts, one for each room and language: ``src/packhouse/<room>/locale/<language>/``.

usage: tools/catalogues.py update     bring all catalogues up to date with code and templates (make messages)
       tools/catalogues.py compile    compile those that have changed (make, the wheel's build and the tests do it)
       tools/catalogues.py check      fail on texts that the catalogues lack, and on gaps in a complete language

Catalogues hold neither dates nor line numbers and are sorted, so that two changes of one catalogue rarely meet.
Compiled ones are not kept in the repository.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOMS = Path(__file__).parents[1] / "src" / "packhouse"
LANGUAGES = ("de", "he")
COMPLETE = ("de",)
SHOWN = {"he": ("base", "search", "pages/project", "pages/templates/pages/project", "pages/templates/pages/home.html")}
"""Of languages that are not complete, the parts that are."""
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def catalogue_path(room: Path, language: str) -> Path:
    return room / "locale" / language / "LC_MESSAGES" / "django.po"


def existing() -> Iterator[Path]:
    """All catalogues that there are."""
    return ROOMS.glob("*/locale/*/LC_MESSAGES/django.po")


def texts_of(place: Path) -> Catalog:
    """The texts to translate in the modules and templates of a room, of a folder in it, or in one file."""
    catalogue = Catalog(charset="utf-8")
    for path in sorted(
        [place] if place.is_file() else [*place.rglob("*.py"), *place.rglob("*.html"), *place.rglob("*.txt")]
    ):
        if path.suffix != ".py" and "templates" not in path.parts:
            continue
        source, method = path.read_bytes(), "python"
        if path.suffix != ".py":
            source, method = _templatized(source), "javascript"
        for _line, message, comments, context in extract(method, BytesIO(source), KEYWORDS):
            catalogue.add(message, None, auto_comments=comments, context=context)
    return catalogue


def _templatized(source: bytes) -> bytes:
    """A template as calls of gettext amid blanks, which the lexer of JavaScript reads without minding the rest."""
    from django.conf import settings  # noqa: PLC0415 (compiling, which the wheel's build does, needs no Django)
    from django.utils.translation.template import templatize  # noqa: PLC0415

    if not settings.configured:
        settings.configure()
    return templatize(source.decode()).encode()


def read(path: Path, language: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=language, charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language, charset="utf-8")


def update() -> None:
    """Writes every catalogue anew: new texts come in untranslated, those that are no longer used go."""
    for room, texts in texts_by_room().items():
        for language in LANGUAGES:
            path = catalogue_path(room, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_updated(read(path, language), texts, language))


def _updated(old: Catalog, texts: Catalog, language: str) -> bytes:
    fresh = Catalog(locale=language, charset="utf-8", fuzzy=False)
    for text in texts:
        if text.id:
            known = old.get(_first(text), text.context)
            fresh.add(text.id, known.string if known and known.id == text.id else None, context=text.context)
    out = BytesIO()
    write_po(out, fresh, width=120, sort_output=True, omit_header=True, no_location=True)
    forms = f"nplurals={fresh.num_plurals}; plural={fresh.plural_expr};"
    header = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    return f'{header}"Plural-Forms: {forms}\\n"\n\n'.encode() + out.getvalue()


def compile_all() -> None:
    """Compiles the catalogues that are newer than what was compiled of them."""
    for path in existing():
        target = path.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < path.stat().st_mtime:
            out = BytesIO()
            write_mo(out, read(path, path.parts[-3]))
            draft = target.with_suffix(f".{os.getpid()}.tmp")
            draft.write_bytes(out.getvalue())
            draft.replace(target)


def problems() -> list[str]:
    """What ``check`` complains of."""
    missing = [
        f"{room.name}: {'not translated' if language in COMPLETE else 'not known'} in {language}: {text.id!r}"
        for language in LANGUAGES
        for room, texts in texts_by_room().items()
        for text in texts
        if text.id and not _is_served(text, served(language), complete=language in COMPLETE)
    ]
    return missing + [
        f"{part}: not translated in {language}: {text.id!r}"
        for language, parts in SHOWN.items()
        for part in parts
        for text in texts_of(ROOMS / part)
        if text.id and not _is_served(text, served(language), complete=True)
    ]


@cache
def texts_by_room() -> dict[Path, Catalog]:
    """The texts of each room that has any."""
    rooms = sorted(path for path in ROOMS.iterdir() if (path / "__init__.py").exists())
    return {room: texts for room in rooms if len(texts := texts_of(room))}


@cache
def served(language: str) -> list[Catalog]:
    """The catalogues of *language*; Django joins them, so that a text need be translated in one room only."""
    return [read(path, language) for path in sorted(existing()) if path.parts[-3] == language]


def _is_served(text: Message, catalogues: list[Catalog], *, complete: bool) -> bool:
    found = [known for catalogue in catalogues if (known := catalogue.get(_first(text), text.context))]
    if not complete:
        return bool(found)
    return any(not known.fuzzy and all(_strings(known)) for known in found)


def _strings(known: Message) -> Sequence[object]:
    """The translations in *known*, one for each plural form."""
    return known.string if isinstance(known.string, list | tuple) else [known.string]


def _first(text: Message) -> str:
    """What a catalogue knows *text* by: of a text with a plural, the singular."""
    return text.id if isinstance(text.id, str) else text.id[0]


def main(command: str) -> None:
    if command == "check":
        found = problems()
        print("\n".join(found))
        sys.exit(f"{len(found)} texts lack a translation: run make messages, then translate them" if found else 0)
    {"update": update, "compile": compile_all}[command]()


if __name__ == "__main__":
    main(sys.argv[1])
