"""What a catalogue of real size looks like: names, versions and files with a long tail, without bytes."""

import hashlib
import lzma
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from packhouse.projects.bulk import NewFile, NewProject, NewRelease
from packhouse.specs.names import normalize

_WORDS = [
    *("data", "http", "json", "async", "test", "tools", "api", "client", "server"),
    *("parse", "plot", "cloud", "core", "django", "flask", "auth", "cache"),
]
_START = datetime(2015, 1, 1, tzinfo=UTC)


def entries(count: int, given: Path | None = None, *, files_per_project: int | None = None) -> Iterator[NewProject]:
    """*count* projects: those of the *given* catalogue first (a ``.tsv.xz``), then generated ones to the same shape."""
    chance = random.Random(7)
    seen: set[str] = set()
    for name, version, summary in _named(count, given, chance):
        normalized = normalize(name)
        if normalized in seen:
            continue
        seen.add(normalized)
        yield project(name, summary, version, chance, files_per_project)
        if len(seen) == count:
            return


def _named(count: int, given: Path | None, chance: random.Random) -> Iterator[tuple[str, str, str]]:
    if given is not None:
        with lzma.open(given, "rt", encoding="utf-8") as lines:
            next(lines)
            for line in lines:
                name, version, _, _, summary = line.rstrip("\n").split("\t")
                yield name, version, summary
    for number in range(2 * count):
        words = chance.sample(_WORDS, 2)
        yield f"{words[0]}-{words[1]}-{number}", "1.0", f"A generated project for {words[0]} and {words[1]}."


def project(name: str, summary: str, version: str, chance: random.Random, files: int | None = None) -> NewProject:
    """A project with about five files in about 2.5 releases on average, most with fewer."""
    releases = files or min(int(chance.paretovariate(1.5)), 400)
    return NewProject(name, summary, [_release(name, number, chance) for number in range(releases)])


def big_project(name: str, files: int) -> NewProject:
    """One project of *files* wheels in releases of twelve."""
    chance = random.Random(11)
    releases = [_release(name, number, chance, wheels=12) for number in range(files // 12)]
    return NewProject(name, "A project with very many files.", releases)


def _release(name: str, number: int, chance: random.Random, wheels: int = 1) -> NewRelease:
    version = f"{number // 10}.{number % 10}"
    escaped = normalize(name).replace("-", "_")
    tags = ["py3-none-any"] if wheels == 1 else [f"cp3{n}-cp3{n}-manylinux_2_28_x86_64" for n in range(wheels)]
    names = [f"{escaped}-{version}-{tag}.whl" for tag in tags]
    if wheels == 1 and chance.random() < 0.9:
        names.append(f"{escaped}-{version}.tar.gz")
    created = _START + timedelta(hours=chance.randrange(100_000))
    files = [_file(filename, created) for filename in names]
    return NewRelease(version, files, None, ">=3.9", created)


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
