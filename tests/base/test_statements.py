"""Questions that are compiled once answer as Django's own queries do."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Q
from tests.factories.accounts import make_user
from tests.factories.projects import make_project
from tests.pages import shelves

from packhouse.base.statements import Insertion, Question
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
