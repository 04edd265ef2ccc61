"""Where the texts of a release's licences are, inside one of its files (PEP 639)."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from packhouse.pages.project.facts import texts
from packhouse.pages.project.place import Place, listed_files

MOST: Final = 12


@dataclass(frozen=True, slots=True)
class LicenceFile:
    """A text that the metadata name, and the address at which it can be read."""

    name: str
    url: str


def licence_files(place: Place) -> list[LicenceFile]:
    """Those in the source distribution or, without one, in a wheel.  A query, where the metadata name any."""
    names = texts(place.release.metadata, "license_file")[:MOST]
    if not names:
        return []
    found = listed_files(place).order_by("-packagetype", "pk").values_list("filename", flat=True).first()
    if found is None:
        return []
    base = f"{place.release_url}inspect/{quote(found)}/{quote(_folder(found), safe='/')}"
    return [LicenceFile(name, base + quote(name, safe="/")) for name in names]


def _folder(filename: str) -> str:
    if filename.endswith(".whl"):
        name, version, *_ = filename.split("-")
        return f"{name}-{version}.dist-info/licenses/"
    return filename.removesuffix(".zip").removesuffix(".tar.gz") + "/"
