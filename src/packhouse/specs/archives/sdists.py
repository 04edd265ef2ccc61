"""What a source distribution must hold (PEP 517, 625, 643)."""

from dataclasses import dataclass

from packhouse.specs.archives.limits import Limits
from packhouse.specs.archives.paths import Kind
from packhouse.specs.archives.source import Source
from packhouse.specs.archives.tars import Gunzip, TarMember, walk
from packhouse.specs.errors import Refused

REASONS = {
    "sdist-one-folder": "The archive has no or more than one folder at its top, or a file beside it.",
    "sdist-pkg-info-missing": "PKG-INFO is missing in the top folder, is no regular file, or is there in another case.",
}


@dataclass(frozen=True)
class Sdist:
    """A source distribution that has been read to its end."""

    top: str
    pkg_info: bytes
    members: dict[str, TarMember]

    def has(self, path: str) -> bool:
        """Whether a regular file is at this path below the top folder."""
        member = self.members.get(f"{self.top}/{path}")
        return member is not None and member.kind is Kind.FILE


def read_sdist(source: Source, limits: Limits) -> Sdist:
    """Read the whole archive once. Raises ``Refused``."""
    stream = Gunzip(source, limits)
    members: dict[str, TarMember] = {}
    pkg_infos: dict[str, bytes] = {}
    for member in walk(stream, limits):
        members[member.path] = member
        if is_pkg_info(member.path):
            if member.size > limits.metadata:
                raise Refused("archive-bomb", f"PKG-INFO has {member.size} bytes ({limits.metadata} allowed).")
            pkg_infos[member.path] = stream.exactly(member.size)
    top = top_folder(members)
    path = f"{top}/PKG-INFO"
    if list(pkg_infos) != [path] or members[path].kind is not Kind.FILE:
        raise Refused("sdist-pkg-info-missing", f"The sdist must have one file {path!r}; it has {list(pkg_infos)!r}.")
    return Sdist(top, pkg_infos[path], members)


def is_pkg_info(path: str) -> bool:
    """Also in another case, which would replace the right one where case does not count."""
    return path.count("/") == 1 and path.lower().endswith("/pkg-info")


def top_folder(members: dict[str, TarMember]) -> str:
    """The one folder that holds all members."""
    tops = {path.split("/")[0] for path in members}
    stray = [member.path for member in members.values() if "/" not in member.path and member.kind is not Kind.FOLDER]
    if len(tops) != 1 or stray:
        raise Refused("sdist-one-folder", f"The sdist must have one top folder; it has {sorted(tops)[:5]!r}.")
    return tops.pop()
