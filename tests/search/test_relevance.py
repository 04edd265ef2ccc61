"""The project that a person expects is among the first three: 220 questions, over real names and summaries.

``queries.tsv`` lists the questions and what may be expected.  They are asked over the few hundred projects of
``catalogue.tsv``; over a whole catalogue where ``TESTS_CATALOGUE`` names one (a ``.tsv.xz`` as ``bench`` takes it) and
``TESTS_CATALOGUE_PROJECTS`` says how many of it to load (60,000, the much downloaded ones among them).
"""

import csv
import os
from pathlib import Path

import pytest
from bench.search import estimate, fill

from packhouse.projects.bulk import NewProject, NewRelease, load_projects
from packhouse.search import actions
from packhouse.search.language import read
from packhouse.search.queries import search

HERE = Path(__file__).parent
HOLD = 0.95


def rows(name):
    with (HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def load_extract():
    known = rows("catalogue.tsv")
    ids = load_projects([NewProject(row["name"], row["summary"], [NewRelease("1.0")]) for row in known])
    ranked = zip(ids, known, strict=True)
    actions.set_downloads({pk: estimate(int(row["rank"])) for pk, row in ranked if row["rank"]})


def missed():
    """The questions whose expected projects are not among the first three."""
    for row in rows("queries.tsv"):
        first = [entry.normalized_name for entry in search(read(row["query"])).entries[:3]]
        if not set(first) & set(row["expected"].split("|")):
            yield f"{row['query']}: {row['expected']} not in {first}"


@pytest.mark.django_db
@pytest.mark.timeout(3600 if "TESTS_CATALOGUE" in os.environ else 120)
def test_people_find_what_they_expect():
    if given := os.environ.get("TESTS_CATALOGUE"):
        fill(int(os.environ.get("TESTS_CATALOGUE_PROJECTS", "60000")), Path(given))
    else:
        load_extract()
    actions.rebuild()
    questions, wrong = len(rows("queries.tsv")), list(missed())
    assert questions >= 200
    assert len(wrong) <= (1 - HOLD) * questions, "\n".join(wrong)
