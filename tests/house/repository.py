"""What the house tests look at: the rooms, their floors, the tracked files."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "packhouse"


@cache
def floors() -> dict[str, int]:
    """The floor of each room, 0 the lowest, from the contract that import-linter holds."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return {room.strip(" ()"): floor for floor, layer in enumerate(reversed(layers)) for room in layer.split("|")}


def rooms() -> list[Path]:
    """The folders of all rooms that are built."""
    return sorted(path.parent for path in SOURCE.glob("*/__init__.py"))


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file in git that is here."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def text_of(path: Path) -> str:
    """The text of a tracked file; of a binary file, what can be read of it."""
    return path.read_text(encoding="utf-8", errors="replace")
