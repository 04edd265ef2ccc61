"""The rooms keep the order of the house."""

import ast
import re

import pytest
from django.apps import apps
from django.db import models
from tests.house.repository import SOURCE, floors, rooms

SHELVES_WITHOUT_A_NAME = {"utils", "util", "helpers", "common", "misc", "lib"}
WRITES = {"save", "create", "bulk_create", "bulk_update", "update_or_create", "get_or_create", "delete", "announce"}


def own_models():
    own = [config for config in apps.get_app_configs() if config.name.startswith("packhouse.")]
    return [model for config in own for model in config.get_models()]


def relations():
    for model in own_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey | models.ManyToManyField):
                yield model, field


def room_of(model):
    """The room whose model it is: a part of a room may be an app of its own."""
    package, _, rest = model.__module__.partition(".")
    return rest.partition(".")[0] if package == "packhouse" else model._meta.app_label


def test_no_foreign_key_points_to_a_room_above():
    floor = floors()
    upward = [
        f"{model.__name__}.{field.name} points up to {field.related_model.__name__}"
        for model, field in relations()
        if floor.get(room_of(field.related_model), -1) > floor[room_of(model)]
    ]
    assert upward == []


def test_every_room_with_models_is_installed_under_its_own_name():
    labels = {config.name.removeprefix("packhouse."): config.label for config in apps.get_app_configs()}
    with_models = [room.name for room in rooms() if (room / "models.py").exists()]
    assert {name: labels.get(name) for name in with_models} == {name: name for name in with_models}


@pytest.mark.parametrize("room", rooms(), ids=lambda room: room.name)
def test_a_room_says_what_it_owns(room):
    about = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    assert len(about.splitlines()) > 1, f"{room.name}/__init__.py should say what it owns, its words and its doors"
    if (room / "models.py").exists():
        assert re.search(r"^Doors:", about, re.MULTILINE), f"{room.name}/__init__.py should name its doors"


def test_every_room_has_a_floor():
    assert [room.name for room in rooms() if room.name not in floors()] == []


def test_no_module_is_a_shelf_without_a_name():
    found = [path for path in SOURCE.rglob("*") if path.stem in SHELVES_WITHOUT_A_NAME and path.suffix in {"", ".py"}]
    assert found == []


@pytest.mark.parametrize("path", sorted(SOURCE.glob("*/queries.py")), ids=lambda path: path.parent.name)
def test_queries_never_write(path):
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
    assert names & WRITES == set()
