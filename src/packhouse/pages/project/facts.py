"""What a release says of itself, sorted for readers.  Nothing here asks the database.

Links and addresses that the index has verified (``Release.verified``) stand apart from those that it has not.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from packhouse.projects.models import Release
from packhouse.specs.emails import first_address
from packhouse.specs.urls import is_valid_uri

PYTHON: Final = "Programming Language :: Python :: "
LICENSE: Final = "License :: "
LONGEST_LICENSE: Final = 100
MOST_LINKS: Final = 60
SPDX_TOKEN: Final = re.compile(r"[A-Za-z0-9.+-]+|[()]|\s+")
SPDX_WORDS: Final = {"AND", "OR", "WITH"}
WELL_KNOWN: Final = {
    "globe": ("homepage",),
    "code": ("source", "repository", "sourcecode", "github", "gitlab", "code"),
    "download": ("download", "downloadurl"),
    "history": ("changelog", "changes", "releasenotes", "whatsnew", "history"),
    "book": ("documentation", "docs", "apidocs"),
    "bug": ("issues", "bugs", "issue", "tracker", "issuetracker", "bugtracker"),
    "heart": ("funding", "sponsor", "sponsors", "donate", "donation"),
    "mail": ("mailinglist", "contact", "discussions", "forum", "chat"),
}
"""Icon by label, as PEP 753 normalises labels; the first names of each row are its well-known ones."""
ICON_OF: Final = {label: icon for icon, labels in WELL_KNOWN.items() for label in labels}
HOSTS: Final = {"github.com": "code", "gitlab.com": "code", "codeberg.org": "code", "bitbucket.org": "code"}


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a release; ``url`` is http or https."""

    label: str
    url: str
    icon: str
    verified: bool

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Person:
    """An author or maintainer as the metadata name them."""

    role: str
    name: str
    address: str
    verified: bool


@dataclass(frozen=True, slots=True)
class About:
    """All that the column of facts shows."""

    verified_links: tuple[Link, ...]
    other_links: tuple[Link, ...]
    people: tuple[Person, ...]
    license_parts: tuple[tuple[str, str], ...]
    license_text: str
    pythons: str
    extras: tuple[str, ...]
    keywords: tuple[str, ...]
    classifiers: tuple[tuple[str, tuple[str, ...]], ...]
    import_names: tuple[str, ...]


def about(release: Release) -> About:
    """The facts of *release*."""
    said: dict[str, Any] = release.metadata
    classifiers = texts(said, "classifier")
    links = tuple(_links(said, frozenset(release.verified)))
    return About(
        verified_links=tuple(link for link in links if link.verified),
        other_links=tuple(link for link in links if not link.verified),
        people=tuple(_people(said, frozenset(release.verified))),
        license_parts=tuple(license_parts(text(said, "license_expression"))),
        license_text=_license_text(said, classifiers),
        pythons=_pythons(classifiers),
        extras=texts(said, "provides_extra"),
        keywords=tuple(_keywords(texts(said, "keywords")))[:60],
        classifiers=tuple(_grouped(classifiers)),
        import_names=tuple(dict.fromkeys(_imported(said)))[:60],
    )


def text(said: dict[str, Any], name: str) -> str:
    """The single value *name* of metadata, empty when absent or of another shape (old rows come from imports)."""
    value = said.get(name)
    return value if isinstance(value, str) else ""


def texts(said: dict[str, Any], name: str) -> tuple[str, ...]:
    """The values *name* of metadata."""
    value = said.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def license_parts(expression: str) -> Iterator[tuple[str, str]]:
    """The pieces of an SPDX expression, each with the identifier to look up (empty for operators)."""
    for piece in SPDX_TOKEN.findall(expression):
        is_name = piece.strip() and piece not in "()" and piece.upper() not in SPDX_WORDS
        yield piece, piece.rstrip("+") if is_name and not piece.startswith(("LicenseRef-", "DocumentRef-")) else ""


def plain_label(label: str) -> str:
    """A label without punctuation and space, in lower case (PEP 753)."""
    return "".join(character for character in label if character.isalnum()).lower()


def is_link(url: str) -> bool:
    """Whether *url* may stand in an ``href``: http or https, with a host, of RFC 3986's characters."""
    return is_valid_uri(url) and "://" in url[:8]


def _links(said: dict[str, Any], verified: Collection[str]) -> Iterator[Link]:
    seen: set[str] = set()
    for label, url in _labelled(said):
        if url in seen or not is_link(url) or len(seen) >= MOST_LINKS:
            continue
        seen.add(url)
        host = urlsplit(url).netloc.lower()
        icon = ICON_OF.get(plain_label(label)) or HOSTS.get(host.removeprefix("www."), "link")
        yield Link(label[:60] or url, url, icon, url in verified)


def _labelled(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Homepage", text(said, "home_page")
    for line in texts(said, "project_url"):
        label, _, url = line.partition(",")
        yield label.strip(), url.strip()
    yield "Download", text(said, "download_url")


def _people(said: dict[str, Any], verified: Collection[str]) -> Iterator[Person]:
    for role in ("author", "maintainer"):
        name, line = text(said, role), text(said, f"{role}_email")
        address = (first_address(line) or "") if line else ""
        shown = name or re.sub(r"\s*<[^>]*>", "", line.partition(",")[0]).strip(' "')
        if shown or address:
            yield Person(role, (shown or address)[:200], address, bool(address) and address in verified)


def _license_text(said: dict[str, Any], classifiers: Iterable[str]) -> str:
    """For releases without an expression: the classifiers' words, else the first line of the text."""
    named = [name.rpartition(" :: ")[2] for name in classifiers if name.startswith(LICENSE)]
    first = next((line.strip() for line in text(said, "license").splitlines() if line.strip()), "")
    short = first if len(first) <= LONGEST_LICENSE else first[: LONGEST_LICENSE - 1] + "…"
    return ", ".join(named) or short


def _imported(said: dict[str, Any]) -> Iterator[str]:
    """The names that programs import (PEP 794), but for those that are the project's own affair."""
    for declared in (*texts(said, "import_name"), *texts(said, "import_namespace")):
        name, _, marker = declared.partition(";")
        if name.strip() and marker.strip() != "private":
            yield name.strip()


def _keywords(given: tuple[str, ...]) -> Iterable[str]:
    """Single keywords: many words without a comma are what setuptools made of a list divided by spaces."""
    words = given[0].split() if len(given) == 1 else []
    return words if len(words) > 2 else given


def _pythons(classifiers: Iterable[str]) -> str:
    """The minor versions of Python that the classifiers name."""
    named = [name[len(PYTHON) :] for name in classifiers if name.startswith(PYTHON)]
    minors = [name for name in named if re.fullmatch(r"\d+\.\d+", name)]
    return ", ".join(sorted(minors, key=lambda name: tuple(map(int, name.split("."))))[:20])


def _grouped(classifiers: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Classifiers by their first part, in the order in which the parts come."""
    groups: dict[str, list[str]] = {}
    for classifier in classifiers:
        groups.setdefault(classifier.partition(" :: ")[0], []).append(classifier)
    for head, members in groups.items():
        yield head, tuple(members)
