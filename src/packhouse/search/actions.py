"""Bringing the index up to date.  Everything here is safe to run twice, and while others search."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from packhouse.base import bulk, clock
from packhouse.projects.models import Project
from packhouse.search import analysis, entries
from packhouse.search.engines import engine
from packhouse.search.entries import FacetKey, Made
from packhouse.search.models import Build, Downloads, Entry, Facet, Word

AT_ONCE: Final = 500
"""Projects in one transaction of a rebuild: others write in between."""
_RARE: Final = 3
"""Words in fewer entries than this are as likely a mistake as a word, in an index of more than a few thousand."""


def index_projects(ids: Sequence[int], *, learn: bool = True) -> int:
    """Bring the entries of the projects *ids* (some hundreds) up to date; returns how many of them have one now.

    With *learn*, their words become known to the spelling.
    """
    with transaction.atomic():
        made = _index(ids)
        if learn:
            words = {word for entry in made for word in vocabulary(entry)}
            Word.objects.bulk_create([Word(word=word) for word in sorted(words)], ignore_conflicts=True)
    return len(made)


def _index(ids: Sequence[int]) -> list[Entry]:
    """Write the entries of the projects *ids* anew, in the caller's transaction; returns them."""
    index = engine()
    index.hold_off_others()
    made = entries.make(ids)
    known = _facets_of(made)
    texts = [item.indexed(known) for item in made]
    _forget(ids)
    bulk.insert(Entry, entries.COLUMNS, [entries.row(item.entry) for item in made])
    index.write(texts)
    return [item.entry for item in made]


def _forget(ids: Sequence[int]) -> None:
    gone = Entry.objects.filter(project_id__in=ids)
    places = list(gone.values_list("place", flat=True))
    if places:
        engine().forget(places)
        gone.delete()


def _facets_of(made: Iterable[Made]) -> dict[FacetKey, int]:
    """The ids of all facets of *made*; new ones are written."""
    keys = dict.fromkeys(key for item in made for key in (*item.facets, *item.earlier))
    known = entries.facet_ids(keys)
    missing = [key for key in keys if key not in known]
    if missing:
        rows = [Facet(kind=kind, value=value) for kind, value in missing]
        Facet.objects.bulk_create(rows, ignore_conflicts=True)
        known = known | entries.facet_ids(missing)
    return known


def rebuild() -> int:
    """Make the whole index anew, most downloaded projects first, while it serves; returns how many entries it has.

    Each transaction replaces some hundreds of entries, so that searches find the old ones or the new ones.
    """
    count, words = 0, Counter[str]()
    with engine().filling():
        for ids in _in_order():
            with transaction.atomic():
                made = _index(ids)
            count += len(made)
            for entry in made:
                words.update(set(vocabulary(entry)))
    _drop_orphans()
    _learn(words, 1 if count < 20_000 else _RARE)
    _tidy()
    Build.objects.update_or_create(pk=Build.ONLY, defaults={"edition": analysis.EDITION, "finished": clock.now()})
    return count


def is_outdated() -> bool:
    """Whether the index was never made, or by another edition of the analyser."""
    return not Build.objects.filter(edition=analysis.EDITION).exists()


def _in_order() -> Iterator[list[int]]:
    """The ids of all projects in order of their places, a page a query."""
    top = list(Downloads.objects.order_by("-count", "project_id").values_list("project_id", flat=True))
    for start in range(0, len(top), AT_ONCE):
        yield top[start : start + AT_ONCE]
    last = 0
    while True:
        rest = Project.objects.filter(~Exists(Downloads.objects.filter(pk=OuterRef("pk"))), pk__gt=last).order_by("pk")
        page = list(rest.values_list("pk", flat=True)[:AT_ONCE])
        if not page:
            return
        yield page
        last = page[-1]


def _drop_orphans() -> None:
    """Entries of projects that are gone."""
    last = 0
    while page := list(
        Entry.objects.filter(project_id__gt=last).order_by("project_id")[:5000].values_list("project_id")
    ):
        ids = [project_id for (project_id,) in page]
        last = ids[-1]
        there = set(Project.objects.filter(pk__in=ids).values_list("pk", flat=True))
        if orphans := [project_id for project_id in ids if project_id not in there]:
            with transaction.atomic():
                _forget(orphans)


def vocabulary(entry: Entry) -> Iterator[str]:
    """The words of an entry that others may be corrected to."""
    for word in analysis.words(f"{entry.name} {entry.summary}"):
        if 3 <= len(word) <= analysis.LONGEST_WORD and not word.isdigit():
            yield word


def _learn(words: Mapping[str, int], least: int) -> None:
    """Replace the known words, in one transaction."""
    kept = [(word, count) for word, count in words.items() if count >= least]
    with transaction.atomic():
        engine().hold_off_others()  # who writes entries learns their words, perhaps the same ones in another order
        Word.objects.all().delete()
        bulk.insert(Word, ("word", "count"), kept)


def _tidy() -> None:
    """Let the database put the index's files into order after very many writes."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("INSERT INTO search_text (search_text, rank) VALUES ('merge', 500)")
        cursor.execute("ANALYZE search_entry")


def set_downloads(counts: Mapping[int, int]) -> None:
    """Say how often projects (by id) were downloaded in the last 30 days.  Their entries follow with a rebuild."""
    rows = [Downloads(project_id=project_id, count=count) for project_id, count in counts.items()]
    with transaction.atomic():
        Downloads.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["project_id"], update_fields=["count"], batch_size=5000
        )


def replace_downloads(counts: Mapping[int, int]) -> None:
    """Say how often all projects were downloaded in the last 30 days: those that are not in *counts*, never."""
    with transaction.atomic():
        set_downloads(counts)
        gone = [pk for pk in Downloads.objects.values_list("project_id", flat=True) if pk not in counts]
        for start in range(0, len(gone), AT_ONCE):
            Downloads.objects.filter(pk__in=gone[start : start + AT_ONCE]).delete()
