"""The files in an archive by folder.  Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from packhouse.specs.archives.contents import Listed

MOST_PASSED: Final = 10


@dataclass(frozen=True, slots=True)
class Child:
    """A file or folder in a folder: ``size`` in bytes unpacked; ``files`` is how many a folder holds, 0 for a file."""

    name: str
    path: str
    size: int
    files: int = 0

    @property
    def address(self) -> str:
        """Its address below that of the archive."""
        return quote(self.path, safe="/")


@dataclass(frozen=True, slots=True)
class Step:
    """A folder on the way to something, and its address below that of the archive."""

    name: str
    address: str


def children(members: Sequence[Listed], folder: str) -> list[Child]:
    """What is in *folder* (empty, or with a slash at its end): folders, then files, each by name."""
    folders: dict[str, list[Listed]] = {}
    files: list[Child] = []
    for one in members:
        if not one.path.startswith(folder):
            continue
        name, slash, _ = one.path[len(folder) :].partition("/")
        if slash and name:
            folders.setdefault(name, []).append(one)
        else:
            files.append(Child(one.path[len(folder) :], one.path, one.size))
    return [_folder(name, folder, held) for name, held in sorted(folders.items())] + files


def _folder(name: str, folder: str, held: Sequence[Listed]) -> Child:
    return Child(name, f"{folder}{name}/", sum(one.size for one in held), len(held))


def top(members: Sequence[Listed]) -> str:
    """The folder with which a reader begins: past those that hold nothing but one other, as in source archives."""
    folder = ""
    for _ in range(MOST_PASSED):
        found = children(members, folder)
        if len(found) != 1 or not found[0].files:
            break
        folder = found[0].path
    return folder


def steps(path: str) -> list[Step]:
    """The folders on the way to *path*, which itself is none of them."""
    return list(_steps(path.rstrip("/").split("/")[:-1]))


def _steps(names: Iterable[str]) -> Iterator[Step]:
    so_far = ""
    for name in names:
        so_far += f"{name}/"
        if name:
            yield Step(name, quote(so_far, safe="/"))
