"""How the tests of archives look at them: contents where they are good, the reason where they are refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from packhouse.specs.archives.inspect import Inspection, inspect_source
from packhouse.specs.archives.limits import DEFAULT_LIMITS, Limits
from packhouse.specs.archives.reasons import REASONS
from packhouse.specs.archives.source import Memory
from packhouse.specs.archives.tars import Gunzip, walk
from packhouse.specs.archives.zips import read_members, unpacked
from packhouse.specs.errors import Refused


@dataclass(frozen=True)
class Case:
    """A good archive and its bad neighbour, which differ in the one thing that the sentence tells."""

    sentence: str
    good: bytes
    bad: bytes
    code: str


def sentence(case: Case) -> str:
    return case.sentence.replace(" ", "_")


def refused(look: Callable[..., Any], *arguments: Any) -> str:
    """The reason for which ``look`` refuses; it is one of those that the documentation explains."""
    with pytest.raises(Refused) as refusal:
        look(*arguments)
    assert refusal.value.code in REASONS
    return refusal.value.code


def zip_contents(data: bytes, limits: Limits = DEFAULT_LIMITS) -> dict[str, bytes]:
    source = Memory(data)
    return {member.path: b"".join(unpacked(source, member)) for member in read_members(source, limits)}


def tar_contents(data: bytes, limits: Limits = DEFAULT_LIMITS) -> dict[str, bytes]:
    stream = Gunzip(Memory(data), limits)
    return {member.path: stream.exactly(member.size) for member in walk(stream, limits)}


def tar_names(data: bytes, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """The paths alone; contents are passed over."""
    return [member.path for member in walk(Gunzip(Memory(data), limits), limits)]


def inspected(distribution: tuple[str, bytes], *license_files: str, limits: Limits = DEFAULT_LIMITS) -> Inspection:
    """What ``inspect`` says of a file name and its bytes."""
    filename, data = distribution
    packagetype = "bdist_wheel" if filename.endswith(".whl") else "sdist"
    return inspect_source(Memory(data), filename, packagetype, license_files, limits)
