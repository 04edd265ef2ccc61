"""The security history speaks in sentences."""

import pytest

from packhouse.audit.tags import TAGS
from packhouse.audit.words import SENTENCES, sentence


@pytest.mark.parametrize("tag", sorted(TAGS["user"]))
def test_each_event_of_an_account_has_a_sentence_that_bears_missing_details(tag: str) -> None:
    assert tag in SENTENCES
    assert sentence(tag, {}).strip()
