"""Bits flip, files vanish, appear and change places in the store: ``reconcile --deep`` finds all that."""

import os
import random
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.faults.conftest import Figures
from tests.index import world

from packhouse.base import clock
from packhouse.documents.models import Document
from packhouse.files import LocalStore, key_for
from packhouse.index import reconcile, startup
from packhouse.projects.models import File, Project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_one_database")]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "files")


def test_every_damaged_missing_added_and_exchanged_file_is_found_and_no_other(
    store: LocalStore, often: Callable[[int, int], int], figures: Figures
) -> None:
    chance, count = random.Random("bits"), often(120, 1000)
    startup.make_ready()
    project = world.create("bits")
    for number in range(count):
        file = world.publish(project, f"{number}.0", f"bits-{number}.0-py3-none-any.whl")
        store.put(file.path, file.filename.encode(), size=file.size, sha256_hex=file.sha256)
    paths = chance.sample(list(File.objects.values_list("path", flat=True)), 62)
    flipped, deleted, exchanged = paths[:50], paths[50:60], paths[60:]
    for key in flipped:
        _flip(store.root / key, chance)
    for key in deleted:
        store.delete(key)
    one, other = (store.root / key for key in exchanged)
    bytes_of_one, bytes_of_other = one.read_bytes(), other.read_bytes()
    one.write_bytes(bytes_of_other)
    other.write_bytes(bytes_of_one)
    added = [_add(store, number) for number in range(10)]

    report = reconcile.run(store=store, deep=True, repair=False)
    found = {finding.subject: finding.kind for finding in report.findings}
    assert found == {
        **dict.fromkeys([*flipped, *exchanged], "blob-damaged"),
        **dict.fromkeys(deleted, "blob-missing"),
        **dict.fromkeys(added, "blob-orphan"),
    }
    figures(files=count, flipped=50, deleted=10, added=10, exchanged=2, found=len(found), false=0)


COLUMNS = [
    (Document, "json"),
    (Document, "html"),
    (Document, "json_head"),
    (Document, "html_tail"),
    (Document, "serial"),
    (Project, "last_serial"),
    (Project, "total_size"),
    (File, "size"),
    (File, "sha256"),
    (File, "metadata_sha256"),
    (File, "filename"),
]
"""What readers see is made of these."""


def test_every_bit_that_flips_in_a_column_that_readers_see_is_found(
    store: LocalStore, often: Callable[[int, int], int], figures: Figures
) -> None:
    chance, tried, missed = random.Random("columns"), 0, []
    startup.make_ready()
    project = world.create("bits")
    for number in range(20):
        file = world.publish(project, f"{number}.0", f"bits-{number}.0-py3-none-any.whl")
        store.put(file.path, file.filename.encode(), size=file.size, sha256_hex=file.sha256)
    assert reconcile.verify(store=store).is_clean
    for number in range(often(len(COLUMNS), 220)):
        model, column = COLUMNS[number % len(COLUMNS)]
        chosen = model.objects.exclude(**{column: model._meta.get_field(column).get_default()}).order_by("pk")
        row = chance.choice(list(chosen)) if chosen else None
        if row is None:
            continue
        before = getattr(row, column)
        model.objects.filter(pk=row.pk).update(**{column: _flipped(before, chance)})
        tried += 1
        if reconcile.verify(store=store).is_clean:
            missed.append((model.__name__, column, row.pk))
        model.objects.filter(pk=row.pk).update(**{column: before})
    assert reconcile.verify(store=store).is_clean
    assert missed == []
    assert tried >= len(COLUMNS) - 2
    figures(columns=len(COLUMNS), flipped=tried, found=tried - len(missed))


def _flipped(value: Any, chance: random.Random) -> Any:
    """*value* with one bit turned; a letter of a text becomes another one."""
    if isinstance(value, int):
        return value ^ 1 << chance.randrange(8)
    if isinstance(value, str):
        place = chance.randrange(len(value))
        return value[:place] + ("0" if value[place] != "0" else "1") + value[place + 1 :]
    content = bytearray(value)
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def _flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _add(store: LocalStore, number: int) -> str:
    """A file that nothing lists, old enough not to be an upload under way."""
    content = f"nobody's {number}".encode()
    key = key_for(sha256(content).hexdigest(), f"nobodys-{number}.whl")
    store.put(key, content, size=len(content), sha256_hex=sha256(content).hexdigest())
    then = (clock.now() - timedelta(hours=2)).timestamp()
    os.utime(store.root / key, (then, then))
    return key
