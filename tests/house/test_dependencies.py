"""What the code imports is what installing Packhouse brings."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.house.repository import ROOT, SOURCE

from packhouse.specs.names import normalize

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared():
    """The normalised names in ``dependencies`` and in all extras."""
    lists = [PROJECT["dependencies"], *PROJECT.get("optional-dependencies", {}).values()]
    return {normalize(re.match(r"[A-Za-z0-9._-]+", line)[0]) for lines in lists for line in lines}


def nodes_that_run(node):
    """All nodes below *node*, without what stands under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            yield child
            yield from nodes_that_run(child)


def imported():
    """The top-level names of all imports that the source executes, and where each stands."""
    for path in SOURCE.rglob("*.py"):
        for node in nodes_that_run(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in names:
                yield name.partition(".")[0], path.relative_to(SOURCE).as_posix()


def test_every_library_that_the_code_imports_is_declared():
    distributions = {name: {normalize(item) for item in found} for name, found in packages_distributions().items()}
    own = {*sys.stdlib_module_names, "packhouse"}
    undeclared = {
        f"{name} in {place}"
        for name, place in imported()
        if name not in own and not distributions.get(name, {name}) & declared()
    }
    assert undeclared == set()


def test_every_declared_library_is_pinned_for_running():
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    pinned = {normalize(name) for name in re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==", lock, re.MULTILINE)}
    required = {normalize(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in PROJECT["dependencies"]}
    assert required - pinned == set()
