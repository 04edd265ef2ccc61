"""Every refusal is explained."""

import ast

from tests.house.repository import SOURCE

from packhouse.uploads.reasons import REASONS


def named_in(path):
    """The codes of all ``Refused("code", …)`` and ``Rejected("code", …)`` in a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Refused", "Rejected"} and node.args:
            code = node.args[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value


def test_every_reason_that_the_code_names_is_explained():
    modules = [path for room in ("specs", "projects", "uploads") for path in SOURCE.glob(f"{room}/**/*.py")]
    assert {code for path in modules for code in named_in(path)} - set(REASONS) == set()
