"""What is tracked is what anyone may have: no addresses of registries or machines, no dead links, no binaries."""

import re

import pytest
from tests.house.repository import ROOT, text_of, tracked_files

REGISTRIES = re.compile(r"\b(?:pypi|pythonhosted|deb\.debian)\.org\b|\bregistry\.npmjs\.org\b")
MACHINE = re.compile(r"/(?:work|farm|root|opt/pypi|opt/wheels)/")
LOCKS_WITH_ADDRESSES = {"uv.lock", "pylock.toml", "package-lock.json", "poetry.lock", "Pipfile.lock"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
UNFINISHED = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b")
CODE = {".py", ".html", ".js", ".css", ".sh", ".toml"}


def mentions(pattern, suffixes=None):
    files = [path for path in tracked_files() if suffixes is None or path.suffix in suffixes]
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("pattern", [REGISTRIES, MACHINE], ids=["registries", "machine"])
def test_no_address_of_a_registry_or_a_machine_is_tracked(pattern):
    assert mentions(pattern) == []


def test_nothing_is_marked_as_unfinished():
    assert mentions(UNFINISHED, CODE) == []


def test_no_lock_file_that_records_addresses_is_tracked():
    assert [path for path in tracked_files() if path.name in LOCKS_WITH_ADDRESSES] == []


def test_the_locks_pin_with_hashes_and_name_no_place():
    for lock in (ROOT / "requirements").glob("*.txt"):
        lines = [line.strip() for line in lock.read_text().splitlines()]
        pins = [line for line in lines if re.match(r"[A-Za-z0-9]", line)]
        assert pins, lock
        assert all(re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+ (; .+ )?\\$", pin) for pin in pins), lock
        assert not [line for line in lines if line.startswith("-") and not line.startswith("--hash=sha256:")], lock
        assert "://" not in lock.read_text(), lock


def test_nothing_tracked_is_binary():
    pictures = {".png", ".ico", ".woff2"}
    assert [path for path in tracked_files() if path.suffix not in pictures and b"\0" in path.read_bytes()] == []


def test_every_link_between_documents_resolves():
    dead = []
    for page in (path for path in tracked_files() if path.suffix == ".md"):
        for target in LINK.findall(re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (page.parent / path).resolve() if path else page
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(text_of(there))):
                dead.append(f"{page.relative_to(ROOT)} -> {target}")
    assert dead == []


def test_every_page_of_the_documentation_is_listed():
    listed = "".join((ROOT / "docs" / page).read_text() for page in ("index.md", "decisions/README.md"))
    pages = {path.name for path in tracked_files() if ROOT / "docs" in path.parents and path.suffix == ".md"}
    assert {page for page in pages - {"index.md"} if f"{page})" not in listed} == set()


def test_no_two_decisions_have_the_same_number():
    numbers = [path.name[:4] for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")]
    assert len(numbers) == len(set(numbers))


def anchors(markdown):
    """The anchors of all headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def test_the_architecture_can_be_read_in_one_sitting():
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 200


def test_the_changelog_has_a_place_for_the_next_change():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()
