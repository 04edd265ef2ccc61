"""What feeds say: records of the OSV format, and reports as they are pushed."""

import io
import json
import zipfile


def record(identifier="GHSA-aaaa-bbbb-cccc", project="sample", *, ranges=(), versions=(), **fields):
    """A record of the OSV format; *ranges* as lists of events."""
    affected = {
        "package": {"ecosystem": "PyPI", "name": project, "purl": f"pkg:pypi/{project}"},
        "ranges": [{"type": "ECOSYSTEM", "events": events} for events in ranges],
        "versions": list(versions),
    }
    return {
        "id": identifier,
        "modified": "2026-05-04T03:02:01Z",
        "published": "2026-05-04T03:02:01Z",
        "schema_version": "1.7.0",
        "aliases": ["CVE-2026-1"],
        "summary": "A lid comes off",
        "details": "When a crate is *turned over*, its lid comes off.",
        "references": [
            {"type": "WEB", "url": "https://crates.example/news"},
            {"type": "ADVISORY", "url": "https://advisories.example/1"},
        ],
        "affected": [affected],
        **fields,
    }


def until(fixed, introduced="0"):
    """The events of a range that ends with a fix."""
    return [{"introduced": introduced}, {"fixed": fixed}]


def as_file(content):
    return io.BytesIO(json.dumps(content).encode())


def as_zip(members):
    """A zip of *members* by name; those that are not bytes become JSON."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    file.seek(0)
    return file


def pushed(identifier="PYSEC-2026-1", project="sample", versions=("1.0",), **fields):
    """A report as a reporter pushes it."""
    return {
        "project": project,
        "versions": list(versions),
        "id": identifier,
        "link": "https://advisories.example/1",
        "aliases": ["CVE-2026-1"],
        "summary": "A lid comes off",
        "details": "When a crate is turned over, its lid comes off.",
        "events": [{"introduced": "0"}, {"fixed": "1.1"}],
        **fields,
    }
