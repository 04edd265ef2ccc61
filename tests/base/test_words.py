"""Texts in other languages."""

import pytest
from django.utils.translation import gettext, override


@pytest.mark.parametrize(("text", "german"), [("Remove", "Entfernen"), ("Sessions", "Sitzungen")])
def test_our_own_translations_win_over_those_of_libraries(text: str, german: str) -> None:
    with override("de"):
        assert gettext(text) == german
