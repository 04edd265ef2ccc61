"""What a release depends on, read from its metadata, with links to those that are on this index."""

import re
from dataclasses import dataclass
from typing import Final

from django.core.paginator import Page, Paginator
from packaging.requirements import InvalidRequirement, Requirement

from packhouse.pages.project.facts import texts
from packhouse.pages.project.place import project_url
from packhouse.projects.models import Project, Release
from packhouse.specs.names import normalize

PER_PAGE: Final = 100
EXTRA: Final = re.compile(r"""\bextra\s*==\s*['"]([^'"]{1,200})['"]""")
ONLY_EXTRA: Final = re.compile(r"""(?:\s*and\s*)?\(?\bextra\s*==\s*['"][^'"]*['"]\)?(?:\s*and\s*)?""")


@dataclass(frozen=True, slots=True)
class Dependency:
    """One requirement; ``url`` is the page of the project when it is here, ``when`` its marker without the extra."""

    name: str
    specifier: str
    when: str
    extra: str
    url: str


def listing(release: Release, number: str) -> tuple["Page[tuple[str, str]]", list[Dependency]]:
    """A page of requirements: those that always hold first, then by extra.  One query."""
    lines = texts(release.metadata, "requires_dist")
    keyed = sorted(((_extra(line), line) for line in lines), key=lambda pair: (pair[0], pair[1].lower()))
    page = Paginator(keyed, PER_PAGE).get_page(number)
    parsed = [(extra, line, _parsed(line)) for extra, line in page]
    names = {normalize(requirement.name) for _, _, requirement in parsed if requirement}
    here = Project.objects.filter(normalized_name__in=names).exclude(status=Project.Status.QUARANTINED)
    known = dict(here.values_list("normalized_name", "name"))
    return page, [_dependency(extra, line, requirement, known) for extra, line, requirement in parsed]


def _dependency(extra: str, line: str, requirement: Requirement | None, known: dict[str, str]) -> Dependency:
    if requirement is None:
        return Dependency(line, "", "", extra, "")
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    display = known.get(normalize(requirement.name), "")
    marker = ONLY_EXTRA.sub("", str(requirement.marker)).strip() if requirement.marker else ""
    wanted = requirement.url or str(requirement.specifier)
    return Dependency(requirement.name + extras, wanted, marker, extra, project_url(display) if display else "")


def _extra(line: str) -> str:
    """The extra that asks for the requirement; empty when none does."""
    _, semicolon, marker = line.partition(";")
    found = EXTRA.search(marker) if semicolon else None
    return found[1] if found else ""


def _parsed(line: str) -> Requirement | None:
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None
