"""Questions that are compiled once answer as Django's own queries do."""

from contextlib import nullcontext

import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from tests.factories.accounts import make_user
from tests.factories.projects import make_project
from tests.pages import shelves

from packhouse.base.statements import Alteration, Insertion, Question, asked_ahead, in_one_go, written_together
from packhouse.documents.models import Document, Segment
from packhouse.projects.models import File, Filename, Project, Release

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf():
    projects = [make_project(name, owner=make_user(f"{name}-owner")) for name in ("crates", "nails")]
    for project in projects:
        for version in ("1.0", "2.0"):
            shelves.publish(project, version)
    return projects


def test_rows_are_those_of_the_query_for_every_value(shelf):
    fields = ("version", "sort_key", "created", "metadata", "yanked")
    question = Question(
        lambda project: Release.objects.filter(project_id=project).values_list(*fields).order_by("pk"), int
    )
    for project in (*shelf, Project(pk=0)):
        expected = list(Release.objects.filter(project_id=project.pk).values_list(*fields).order_by("pk"))
        assert [tuple(map(_plain, row)) for row in question.rows(project.pk)] == [
            tuple(map(_plain, row)) for row in expected
        ]
        assert question.exists(project.pk) == bool(expected)


def test_values_go_where_they_belong_however_often_and_in_whatever_order(shelf):
    question = Question(
        lambda version, name: File.objects.filter(
            Q(release__version=version, project__normalized_name=name) | Q(project__name__gt=name)
        ).values_list("filename"),
        str,
        str,
    )
    assert {name for (name,) in question.rows("1.0", "crates")} == {
        "crates-1.0-py3-none-any.whl",
        "nails-1.0-py3-none-any.whl",
        "nails-2.0-py3-none-any.whl",
    }
    assert {name for (name,) in question.rows("2.0", "nails")} == {"nails-2.0-py3-none-any.whl"}


def test_a_value_that_would_be_changed_on_its_way_is_an_error():
    question = Question(lambda name: Project.objects.filter(name__startswith=name), str)
    with pytest.raises(TypeError, match="reaches the database as"):
        question.rows("a")


def test_bytes_are_compared_as_bytes(shelf):
    question = Question(lambda key: Release.objects.filter(sort_key__gt=key).values_list("version"), bytes)
    first = Release.objects.filter(version="1.0").first()
    assert {version for (version,) in question.rows(bytes(first.sort_key))} == {"2.0"}


def test_objects_are_whole(shelf):
    question = Question(lambda name: Project.objects.filter(normalized_name=name), str)
    found = question.object(Project, "nails")
    assert found == shelf[1]
    assert found.created == Project.objects.get(pk=found.pk).created
    assert not found.get_deferred_fields()
    assert question.object(Project, "x") is None


def test_what_looks_like_a_pattern_or_a_place_is_only_text(shelf):
    question = Question(lambda name: Project.objects.filter(normalized_name=name), str)
    for text in ("%s", "' OR 1=1 --", "\x020\x03", "crates%", "?"):
        assert question.rows(text) == []


def test_a_value_without_a_place_is_an_error():
    question = Question(lambda a, b: Project.objects.filter(normalized_name=a), str, str)
    with pytest.raises(TypeError, match="no place"):
        question.rows("a", "b")


def _plain(value):
    return bytes(value) if isinstance(value, memoryview) else value


def _values(row):
    return {field.attname: _plain(getattr(row, field.attname)) for field in row._meta.concrete_fields}


def test_a_row_is_written_as_save_would_write_it(shelf):
    insertion = Insertion(Release)
    for number in range(3):
        rows = [
            Release(
                project=shelf[0],
                version=f"{number}.{place}",
                canonical_version=f"{number}.{place}",
                sort_key=b"\x00\xff%d" % number,
                metadata={"summary": "Crates & \u2603", "keywords": ["a", None]},
                yanked=bool(number),
            )
            for place in range(2)
        ]
        insertion.write(rows[0])
        rows[1].save(force_insert=True)
        written, saved = (_values(Release.objects.get(pk=row.pk)) for row in rows)
        assert not rows[0]._state.adding
        assert written == _values(rows[0])
        differ = {name for name, value in written.items() if value != saved[name]}
        assert differ == {"id", "version", "canonical_version", "created"}


def test_a_row_whose_key_is_its_own_keeps_it_and_is_written_once(shelf):
    insertion = Insertion(Filename)
    insertion.write(Filename(filename="crates-9.0.tar.gz"))
    assert Filename.objects.get(filename="crates-9.0.tar.gz").created
    with pytest.raises(IntegrityError), transaction.atomic():
        insertion.write(Filename(filename="crates-9.0.tar.gz"))


def test_a_row_takes_the_place_of_the_one_that_is_there():
    document = Document.objects.create(key="simple/a")
    insertion = Insertion(Segment, replacing=("document", "first"))
    for first, html in [(b"a", b"1"), (b"b\x00\xff", b"2"), (b"a", b"3")]:
        insertion.put(Segment(document=document, first=first, html=html, serial=7))
    found = [(bytes(one.first), bytes(one.html)) for one in document.segments.order_by("first")]
    assert found == [(b"a", b"3"), (b"b\x00\xff", b"2")]


def test_some_fields_of_one_row_are_changed_and_nothing_else(shelf):
    before = {release.pk: _values(release) for release in Release.objects.all()}
    release = shelf[1].releases.latest("pk")
    release.metadata, release.sort_key, release.summary = {"summary": "\u2603"}, b"\x00\xff", "left as it was"
    Alteration(Release, "metadata", "sort_key").put(release)
    before[release.pk] |= {"metadata": {"summary": "\u2603"}, "sort_key": b"\x00\xff"}
    assert {release.pk: _values(release) for release in Release.objects.all()} == before
    Alteration(Release, "metadata").put(Release(pk=0))


VERSIONS_OF = Question(
    lambda project: Release.objects.filter(project_id=project).order_by("version").values_list("version"), int
)


def test_what_was_asked_ahead_is_answered_from_what_was_found_and_only_that(shelf):
    one, other = (project.pk for project in shelf)
    with asked_ahead([(VERSIONS_OF, one), (VERSIONS_OF, 0)]), CaptureQueriesContext(connection) as queries:
        assert VERSIONS_OF.rows(one) == [("1.0",), ("2.0",)]
        assert not VERSIONS_OF.exists(0)
        assert len(queries) == (0 if connection.vendor == "postgresql" else 2)
        with asked_ahead([(VERSIONS_OF, other)]):
            assert VERSIONS_OF.rows(one) == VERSIONS_OF.rows(other) == [("1.0",), ("2.0",)]
    shelf[0].releases.filter(version="1.0").update(version="3.0")
    assert VERSIONS_OF.rows(one) == [("2.0",), ("3.0",)]


def test_a_question_asked_ahead_that_fails_leaves_nothing_behind(shelf):
    """PostgreSQL looks whether what is compared with a number is one; SQLite never does."""
    project = shelf[0].pk
    refused = pytest.raises(DataError) if connection.vendor == "postgresql" else nullcontext()
    with refused, transaction.atomic(), asked_ahead([(VERSIONS_OF, project), (VERSIONS_OF, "x"), (VERSIONS_OF, 0)]):
        assert not VERSIONS_OF.rows("x")
    with asked_ahead([(VERSIONS_OF, project)]):
        assert VERSIONS_OF.rows(project) == [("1.0",), ("2.0",)]


def test_rows_are_written_together_and_know_their_keys(shelf):
    names, releases, done = Insertion(Filename), Insertion(Release), list[str]()
    rows = [Release(project=shelf[0], version=f"{n}", canonical_version=f"{n}", sort_key=b"") for n in (7, 8)]
    written_together(
        (releases, rows[0]), (names, Filename(filename="a")), (releases, rows[1]), before=lambda: done.append("before")
    )
    assert [Release.objects.get(version=row.version).pk for row in rows] == [row.pk for row in rows]
    assert Filename.objects.filter(filename="a").exists()
    assert done == ["before"]


def test_of_rows_written_together_none_is_there_when_one_cannot_be(shelf):
    names = Insertion(Filename)
    with pytest.raises(IntegrityError), transaction.atomic():
        written_together(*((names, Filename(filename=name)) for name in ("a", "b", "a", "c")))
    assert not Filename.objects.filter(filename__in="abc").exists()


def test_an_error_in_one_go_is_told_by_the_end_and_the_connection_goes_on(shelf):
    names = [Filename(filename=name) for name in ("a", "a", "b")]
    with pytest.raises(IntegrityError), transaction.atomic():
        put(names)
    put(names[1:])
    assert Filename.objects.filter(filename__in="ab").count() == 2


def test_what_goes_together_is_one_text_in_its_order_whatever_stands_in_it(shelf):
    odd = ["50 % off", "it's; DROP TABLE x", "%s", "back\\slash", "\u2603;\n"]
    names, releases = Insertion(Filename), Insertion(Release)
    made = Release(project=shelf[0], version="7", canonical_version="7", sort_key=b"%s';\x00\xff", metadata={"a": odd})
    with CaptureQueriesContext(connection) as queries:
        put([Filename(filename=name) for name in odd])
        written_together(
            (names, Filename(filename="first")), (releases, made), before=lambda: VERSIONS_OF.send(a_cursor(), (0,))
        )
        with asked_ahead([(VERSIONS_OF, shelf[0].pk), (VERSIONS_OF, 0), (VERSIONS_OF, shelf[1].pk)]):
            found = VERSIONS_OF.rows(shelf[0].pk), VERSIONS_OF.rows(0), VERSIONS_OF.rows(shelf[1].pk)
    ways = [line["sql"].count("INSERT INTO") for line in queries if line["sql"]]
    assert ways == ([len(odd), 2, 0] if connection.vendor == "postgresql" else [1] * len(odd) + [0, 1, 1] + [0] * 3)
    assert found == ([("1.0",), ("2.0",), ("7",)], [], [("1.0",), ("2.0",)])
    assert set(Filename.objects.values_list("filename", flat=True)) >= {*odd, "first"}
    stored = Release.objects.get(pk=made.pk)
    assert (stored.version, bytes(stored.sort_key), stored.metadata) == ("7", b"%s';\x00\xff", {"a": odd})


def a_cursor():
    return connection.cursor()


def test_nothing_is_fetched_in_one_go(shelf):
    refused = pytest.raises(ProgrammingError) if connection.vendor == "postgresql" else nullcontext()
    with refused, in_one_go():
        VERSIONS_OF.rows(shelf[0].pk)


def put(names):
    insertion = Insertion(Filename)
    with in_one_go():
        for name in names:
            insertion.put(name)


def test_rows_are_locked_where_the_database_locks_rows(shelf):
    question = Question(lambda key: Project.objects.filter(pk=key), int, locks=True)
    with CaptureQueriesContext(connection) as queries:
        found = question.object(Project, shelf[0].pk)
    assert found == shelf[0]
    assert queries[0]["sql"].endswith("FOR UPDATE") == (connection.vendor == "postgresql")
