"""Whatever stands in the form, the answer is one of ours."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories.accounts import make_token
from tests.uploads.publishing import sdist, upload, wheel

from packhouse.projects.models import File
from packhouse.specs.metadata.fields import FIELDS
from packhouse.uploads.form import SINGLE

pytestmark = pytest.mark.django_db

NAMES = sorted((SINGLE | {field.form_name for field in FIELDS}) - {"content", ":action"})
TEXTS = st.text(max_size=40) | st.sampled_from(["", "\x00", "UNKNOWN", "a\nb", "1.0", "\u202edemo", "é", "x" * 5000])


@given(st.dictionaries(st.sampled_from(NAMES), TEXTS, min_size=1, max_size=4), st.sampled_from([wheel(), sdist()]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_odd_texts_in_any_field_break_nothing(db: Any, fields: dict[str, str], file: tuple[str, bytes]) -> None:
    _, token = make_token()
    answer = upload(file, token=token, change=fields)
    assert answer.status_code < 500, (answer["X-Packhouse-Reason"], fields)


@given(st.text(max_size=60).filter(lambda text: '"' not in text))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_odd_file_names_are_refused(db: Any, filename: str) -> None:
    _, token = make_token()
    answer = upload((filename, wheel()[1]), token=token, change={"filetype": "bdist_wheel", "pyversion": "py3"})
    assert answer.status_code == 400
    assert File.objects.count() == 0


def test_a_comment_with_a_nul_is_kept_so_that_one_can_see_it(db: Any) -> None:
    _, token = make_token()
    assert upload(token=token, change={"comment": "a\x00b"}).status_code == 200
    assert File.objects.get().comment == "a\\x00b"
