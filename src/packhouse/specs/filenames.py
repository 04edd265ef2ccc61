"""File names of distributions: strict parsing, and the rules that the index puts on them.

Wheels: https://packaging.python.org/specifications/binary-distribution-format/ (PEP 427, PEP 425).
Sdists: https://packaging.python.org/specifications/source-distribution-format/ (PEP 625).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import product

from packaging.tags import Tag
from packaging.version import Version

from packhouse.specs import versions
from packhouse.specs.errors import Refused
from packhouse.specs.names import is_valid_name, normalize, shorten
from packhouse.specs.tags import is_allowed_platform

FILENAME_MAX_LENGTH = 255 - len(".metadata")
"""Characters: file systems end at 255 bytes, and ``<file name>.metadata`` must fit too."""

TAG_COMBINATIONS_MAX = 1000
"""Compressed tag sets multiply; no real wheel has more than a few dozen combinations."""

EXTENSIONS: dict[str, tuple[str, ...]] = {"sdist": (".tar.gz", ".zip"), "bdist_wheel": (".whl",)}
"""The file types of the upload form, and what their names may end with (PEP 527)."""

REASONS: dict[str, str] = {
    "filename-control-character": "A file name holds no control characters.",
    "filename-path-separator": "A file name holds neither '/' nor '\\'.",
    "filename-invalid": f"A file name is ASCII, of at most {FILENAME_MAX_LENGTH} characters.",
    "filename-extension": "A source distribution ends with .tar.gz or .zip, a wheel with .whl.",
    "sdist-filename": "A source distribution is named '{name}-{version}.tar.gz': the name normalised, with '_' for '-',"
    " and the version normalised (PEP 625).",
    "wheel-filename": "A wheel is named '{name}-{version}[-{build}]-{python}-{abi}-{platform}.whl' (PEP 427).",
    "wheel-platform-tag": "A wheel's platform tags are among those that tell installers where it runs.",
    "wheel-filename-name": "A wheel's file name begins with the project's normalised name, with '_' for '-'.",
    "wheel-filename-version": "A wheel's file name carries the version of its metadata.",
}

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUILD = re.compile(r"([0-9]{1,100})([A-Za-z0-9_.]*)", re.ASCII)
_TAG_SET = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class SdistName:
    """A parsed file name of a source distribution."""

    filename: str
    project_part: str
    """The project as spelled in the file name."""
    version: Version

    @property
    def name(self) -> str:
        """The normalised project name."""
        return normalize(self.project_part)

    @property
    def top_directory(self) -> str:
        """The one directory at the top of the archive: the file name without its extension."""
        return self.filename.removesuffix(".tar.gz").removesuffix(".zip")


@dataclass(frozen=True, slots=True)
class WheelName:
    """A parsed file name of a wheel."""

    filename: str
    project_part: str
    """The project as spelled in the file name."""
    version_part: str
    """The version as spelled in the file name; ``dist_info`` is spelled alike."""
    version: Version
    build: tuple[()] | tuple[int, str]
    """Number and the rest of the build tag; empty without one."""
    python_tags: tuple[str, ...]
    abi_tags: tuple[str, ...]
    platform_tags: tuple[str, ...]

    @property
    def name(self) -> str:
        """The normalised project name."""
        return normalize(self.project_part)

    @property
    def tags(self) -> frozenset[Tag]:
        """All combinations of the three tag sets (PEP 425)."""
        return frozenset(Tag(*each) for each in product(self.python_tags, self.abi_tags, self.platform_tags))

    @property
    def dist_info(self) -> str:
        """The name of the wheel's metadata directory."""
        return f"{self.project_part}-{self.version_part}.dist-info"


def check_filename(filename: str, filetype: str) -> None:
    """Refuse a name that is none of a file, or none of ``filetype`` (``sdist`` or ``bdist_wheel``)."""
    if _CONTROL.search(filename):
        raise Refused("filename-control-character", "Cannot upload a file with control characters in the filename.")
    if "/" in filename or "\\" in filename:
        raise Refused("filename-path-separator", "Cannot upload a file with '/' or '\\' in the filename.")
    if not filename.isascii() or not 0 < len(filename) <= FILENAME_MAX_LENGTH:
        raise Refused("filename-invalid", f"Invalid filename {shorten(filename)!r}. {REASONS['filename-invalid']}")
    extensions = EXTENSIONS[filetype]
    if not filename.endswith(extensions):
        message = f"Invalid file extension: {filetype} files end with {' or '.join(extensions)} (PEP 527)."
        raise Refused("filename-extension", message)


def parse_sdist_filename(filename: str) -> SdistName:
    """Return the parts of an sdist's name in any spelling that can be told apart; raise `Refused` otherwise.

    The last dash separates: versions of PEP 440, once normalised, hold none.
    """
    check_filename(filename, "sdist")
    stem = filename.removesuffix(".tar.gz").removesuffix(".zip")
    project_part, _, version_part = stem.rpartition("-")
    if not is_valid_name(project_part):
        raise Refused("sdist-filename", f"Invalid source distribution filename: {filename!r}.")
    return SdistName(filename, project_part, _version(version_part, filename, "sdist-filename"))


def parse_wheel_filename(filename: str) -> WheelName:
    """Return the parts of a wheel's name; raise `Refused` (``wheel-filename`` or of `check_filename`) otherwise."""
    check_filename(filename, "bdist_wheel")
    parts = filename.removesuffix(".whl").split("-")
    if len(parts) not in (5, 6):
        raise _bad_wheel(filename, "wrong number of parts")
    project_part, version_part, *build_part = parts[:-3]
    # A doubled underscore could stand for an empty part, or for two separators: PEP 427 escapes runs to one.
    if "__" in project_part or not is_valid_name(project_part):
        raise _bad_wheel(filename, "invalid project name")
    return WheelName(
        filename,
        project_part,
        version_part,
        _version(version_part, filename, "wheel-filename"),
        _build(build_part, filename),
        *_tag_sets(parts[-3:], filename),
    )


def check_sdist(filename: str, *, name: str, version: Version) -> SdistName:
    """Return the parsed name of an sdist of the project ``name`` (any spelling) and ``version``; refuse all others."""
    parsed = parse_sdist_filename(filename)
    prefix = f"{_escaped(name)}-"
    if not filename.startswith(prefix):
        message = f"Start filename for {name!r} with {prefix!r}."
        raise Refused("sdist-filename", message)
    expected = f"{prefix}{version}.tar.gz"
    if filename != expected:
        raise Refused("sdist-filename", f"Invalid source distribution filename {filename!r}: it must be {expected!r}.")
    return parsed


def check_wheel(
    filename: str, *, name: str, version: Version, also_allowed_platforms: Collection[str] = ()
) -> WheelName:
    """Return the parsed name of a wheel of the project ``name`` (any spelling) and ``version``; refuse all others.

    The file name may spell the version in any way that PEP 440 counts as equal.  ``also_allowed_platforms`` widens
    the table of `packhouse.specs.tags`.
    """
    parsed = parse_wheel_filename(filename)
    for tag in parsed.platform_tags:
        if not is_allowed_platform(tag, also_allowed=also_allowed_platforms):
            message = f"Binary wheel {filename!r} has an unsupported platform tag {tag!r}."
            raise Refused("wheel-platform-tag", message)
    if parsed.project_part != _escaped(name):
        message = f"Wheel filename {filename!r} must begin with {_escaped(name) + '-'!r}, the normalised project name."
        raise Refused("wheel-filename-name", message)
    if parsed.version != version:
        message = f"Version in filename should be {str(version)!r} not {parsed.version_part!r}."
        raise Refused("wheel-filename-version", message)
    return parsed


def file_sort_key(version_sort_key: bytes, filename: str) -> bytes:
    """Return a key that orders the files of a project by version, then by name.

    Unambiguous, because no `versions.sort_key` is the beginning of another one.
    """
    return version_sort_key + filename.encode()


def _escaped(name: str) -> str:
    return normalize(name).replace("-", "_")


def _bad_wheel(filename: str, why: str) -> Refused:
    return Refused("wheel-filename", f"Invalid wheel filename ({why}): {filename!r}.")


def _version(text: str, filename: str, code: str) -> Version:
    try:
        return versions.parse(text)
    except Refused as refused:
        raise Refused(code, f"Invalid filename {filename!r}: {text!r} is not a valid version.") from refused


def _build(build_part: list[str], filename: str) -> tuple[()] | tuple[int, str]:
    if not build_part:
        return ()
    match = _BUILD.fullmatch(build_part[0])
    if match is None:
        raise _bad_wheel(filename, "a build tag starts with a digit")
    return int(match[1]), match[2]


def _tag_sets(parts: list[str], filename: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if not all(_TAG_SET.fullmatch(part) for part in parts):
        raise _bad_wheel(filename, "invalid tags")
    python, abi, platform = (tuple(part.split(".")) for part in parts)
    if len(python) * len(abi) * len(platform) > TAG_COMBINATIONS_MAX:
        raise _bad_wheel(filename, "too many tags")
    return python, abi, platform
