"""The longest functions and files: places to look at, not limits.  `make sizes`."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "tools", "bench")
SHOWN = 12


def python_files() -> list[Path]:
    """All Python files of the house that somebody wrote: migrations are generated."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in files if "migrations" not in path.parts)


def functions(path: Path) -> Iterator[tuple[int, str]]:
    """(lines, place and name) of every function in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.end_lineno - node.lineno + 1, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def main() -> None:
    files = python_files()
    lengths = sorted((found for path in files for found in functions(path)), reverse=True)
    lines = sorted(((path.read_text().count("\n"), str(path.relative_to(ROOT))) for path in files), reverse=True)
    short = sum(length < 15 for length, _ in lengths) / max(1, len(lengths))
    print(f"{len(files)} files, {sum(count for count, _ in lines)} lines, {len(lengths)} functions", end=" ")
    print(f"({short:.0%} under 15 lines)")
    for title, rows in (("Longest functions", lengths), ("Longest files", lines)):
        print(f"\n{title}")
        for length, place in rows[:SHOWN]:
            print(f"{length:6} {place}")


if __name__ == "__main__":
    main()
