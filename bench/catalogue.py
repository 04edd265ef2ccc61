"""What a catalogue of real size looks like: names, versions, files and classifiers with a long tail, without bytes."""

import hashlib
import lzma
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from packhouse.projects.bulk import NewFile, NewProject, NewRelease
from packhouse.specs.names import normalize

_WORDS = [
    *("data", "http", "json", "async", "test", "tools", "api", "client", "server"),
    *("parse", "plot", "cloud", "core", "django", "flask", "auth", "cache"),
]
CLASSIFIERS = (
    *(f"Programming Language :: Python :: 3.{minor}" for minor in range(8, 15)),
    *("Development Status :: 3 - Alpha", "Development Status :: 5 - Production/Stable", "Typing :: Typed"),
    *("License :: OSI Approved :: MIT License", "License :: OSI Approved :: Apache Software License"),
    *("Framework :: Django", "Framework :: Flask", "Operating System :: OS Independent", "Framework :: Pytest"),
    *("Topic :: Internet :: WWW/HTTP", "Topic :: Scientific/Engineering", "Topic :: Software Development :: Libraries"),
)
_START = datetime(2015, 1, 1, tzinfo=UTC)
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "macosx_11_0_arm64", "win_amd64")


class Named(NamedTuple):
    """A line of the catalogue; ``rank`` among the most downloaded, 0 for the rest."""

    name: str
    version: str
    summary: str
    rank: int = 0


def named(count: int, given: Path | None = None) -> list[Named]:
    """*count* different names: the most downloaded of the *given* catalogue (a ``.tsv.xz``), a fair choice of its
    others, and generated ones to the same shape where it has not enough.  In the order of normalised names."""
    listed = list(_read(given)) if given is not None else []
    if len(listed) > count:
        ranked = [line for line in listed if line.rank]
        others = random.Random(3).sample([line for line in listed if not line.rank], max(count - len(ranked), 0))
        listed = [*ranked, *others]
    chosen = {normalize(line.name): line for line in listed}
    made = _generated(0 if listed else 15_000)
    while len(chosen) < count:
        line = next(made)
        chosen.setdefault(normalize(line.name), line)
    return [chosen[name] for name in sorted(list(chosen)[:count])]


def _read(given: Path) -> Iterator[Named]:
    with lzma.open(given, "rt", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            name, version, _, rank, summary = line.rstrip("\n").split("\t")
            yield Named(name, version, summary, int(rank or 0))


def _generated(ranks: int) -> Iterator[Named]:
    chance, number = random.Random(7), 0
    while True:
        number += 1
        words = chance.sample(_WORDS, 2)
        summary = f"A generated project for {words[0]} and {words[1]}."
        yield Named(f"{words[0]}-{words[1]}-{number}", "1.0", summary, number if number <= ranks else 0)


def entries(count: int, given: Path | None = None, *, files_per_project: int | None = None) -> Iterator[NewProject]:
    """*count* projects, see `named`."""
    chance = random.Random(7)
    return (project(line.name, line.summary, chance, files_per_project) for line in named(count, given))


def downloads(rank: int) -> int:
    """Downloads in 30 days by rank, as Zipf would have them."""
    return int(1.5e9 / rank**1.2)


def project(name: str, summary: str, chance: random.Random, files: int | None = None) -> NewProject:
    """A project with about five files in about 2.6 releases on average, most with fewer."""
    releases = files or min(int(chance.paretovariate(1.5)), 400)
    classifiers = chance.sample(CLASSIFIERS, 6)
    return NewProject(name, summary, [_release(name, number, chance, classifiers) for number in range(releases)])


def big_project(name: str, files: int) -> NewProject:
    """One project of *files* wheels in releases of twelve."""
    chance = random.Random(11)
    releases = [_release(name, number, chance, [], wheels=12) for number in range(files // 12)]
    return NewProject(name, "A project with very many files.", releases)


def _release(name: str, number: int, chance: random.Random, classifiers: list[str], wheels: int = 0) -> NewRelease:
    version = f"{number // 10}.{number % 10}"
    created = _START + timedelta(hours=chance.randrange(100_000))
    files = [_file(filename, created) for filename in _filenames(name, version, chance, wheels)]
    about = {"name": name, "version": version, "classifier": classifiers}
    return NewRelease(version, files, about, ">=3.9", created)


def _filenames(name: str, version: str, chance: random.Random, wheels: int) -> list[str]:
    """*wheels* for as many versions of Python, or what a release of most projects has."""
    escaped = normalize(name).replace("-", "_")
    if wheels:
        return [f"{escaped}-{version}-cp3{n}-cp3{n}-manylinux_2_28_x86_64.whl" for n in range(wheels)]
    tags = ["py3-none-any"] if chance.random() < 0.95 else [f"cp39-abi3-{platform}" for platform in _PLATFORMS]
    sdist = [f"{escaped}-{version}.tar.gz"] if chance.random() < 0.9 else []
    return [f"{escaped}-{version}-{tag}.whl" for tag in tags] + sdist


def _file(filename: str, created: datetime) -> NewFile:
    wheel = filename.endswith(".whl")
    digest = hashlib.sha512(filename.encode()).hexdigest()
    return NewFile(
        filename,
        "bdist_wheel" if wheel else "sdist",
        "py3" if wheel else "source",
        20_000,
        digest[:64],
        digest[64:],
        digest[32:64],
        digest[10:74] if wheel else "",
        created,
    )
