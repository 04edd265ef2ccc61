"""Every refusal is explained in the reference."""

import ast

from tests.house.repository import ROOT, SOURCE


def named_in(path):
    """The codes of all ``Refused("code", …)`` in a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused" and node.args:
            code = node.args[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value


def test_every_reason_that_the_code_names_is_explained_in_the_reference():
    reference = (ROOT / "docs" / "reference" / "refusals.md").read_text()
    explained = {line.removeprefix("## ") for line in reference.splitlines() if line.startswith("## ")}
    named = {
        code for room in ("specs", "uploads") for path in SOURCE.glob(f"{room}/**/*.py") for code in named_in(path)
    }
    assert named - explained == set()
