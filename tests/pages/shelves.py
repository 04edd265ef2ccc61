"""Projects as the public site shows them."""

import hashlib
from datetime import timedelta

from django.conf import settings
from tests.factories.accounts import make_user
from tests.factories.projects import make_project
from tests.factories.provenance import verified
from tests.integrations.feeds import as_file, record, until

from packhouse.attestations.actions import keep_provenance
from packhouse.base import clock
from packhouse.downloads.actions import record_downloads
from packhouse.files import default_store, key_for
from packhouse.integrations.loading import load
from packhouse.projects.actions import publish_file
from packhouse.projects.ledger import journalled
from packhouse.projects.models import Description, File, Project, Release
from packhouse.specs import filenames, versions
from packhouse.uploads.rendering import render

README = """# Crates

[![build](https://ci.example/badge.svg)](https://ci.example/crates) ![logo](https://img.example/logo.png)

Packs things into *crates*, carefully. See the [guide](https://crates.example/guide) or [usage](#usage).

## Usage

```python
from crates import Crate

with Crate("apples") as crate:   # closes by itself
    crate.pack(12)
```

| Option | Meaning |
|--------|---------|
| `--lid` | put a lid on |
| `--nails N` | use *N* nails |

- [x] pack
- [ ] ship

> A crate is only as good as its nails.
"""

METADATA = {
    "metadata_version": "2.4",
    "name": "crates",
    "version": "1.4.0",
    "summary": "Pack things into crates, carefully",
    "author_email": "Ada Packer <ada@crates.example>",
    "maintainer": "The crate makers",
    "license_expression": "MIT OR Apache-2.0",
    "requires_python": ">=3.10",
    "keywords": ["crates", "packing", "wood"],
    "project_url": [
        "Homepage, https://crates.example/",
        "Source, https://git.example/crates/crates",
        "Documentation, https://crates.example/guide",
        "Changelog, https://crates.example/changes",
        "Issues, https://git.example/crates/crates/issues",
        "Funding, https://crates.example/fund",
    ],
    "classifier": [
        "Development Status :: 5 - Production/Stable",
        "Intended Audience :: Developers",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: System :: Archiving :: Packaging",
    ],
    "requires_dist": [
        "nails>=2,<3",
        "click>=8.1",
        'importlib-metadata; python_version < "3.12"',
        'lids[brass]>=1; extra == "lids"',
        'rich; extra == "lids" and sys_platform != "win32"',
    ],
    "provides_extra": ["lids"],
    "import_name": ["crates"],
}


def release_of(project: Project, version: str, **fields: object) -> Release:
    parsed = versions.parse(version)
    metadata = METADATA | {"version": version, "name": project.name} | dict(fields.pop("metadata", {}))
    return Release(
        project=project,
        version=version,
        canonical_version=versions.canonical(parsed),
        sort_key=versions.sort_key(parsed),
        is_prerelease=versions.is_prerelease(parsed),
        **{
            "summary": metadata["summary"],
            "requires_python": metadata["requires_python"],
            "metadata": metadata,
            "verified": [f"{settings.PACKHOUSE.public_url}/project/{project.name}/"],
            "uploaded_via": "twine/6.1.0 CPython/3.12.1",
            **fields,
        },
    )


def file_of(project: Project, version: str, filename: str, content: bytes = b"", **fields: object) -> File:
    """An unsaved file; with *content*, its blob is stored."""
    data = content or filename.encode()
    blake2, sha256 = hashlib.blake2b(data, digest_size=32).hexdigest(), hashlib.sha256(data).hexdigest()
    path = key_for(blake2, filename)
    if content:
        default_store().put(path, content, size=len(content), sha256_hex=sha256, blake2_hex=blake2)
    is_wheel = filename.endswith(".whl")
    facts = {
        "filename": filename,
        "packagetype": "bdist_wheel" if is_wheel else "sdist",
        "python_version": filename.split("-")[-3] if is_wheel else "source",
        "size": len(data),
        "md5": hashlib.md5(data).hexdigest(),
        "sha256": sha256,
        "blake2_256": blake2,
        "path": path,
        "sort_key": filenames.file_sort_key(versions.sort_key(versions.parse(version)), filename),
        "metadata_sha256": sha256 if is_wheel else "",
    }
    return File(project=project, **facts | fields)


def publish(
    project: Project,
    version: str = "1.4.0",
    filename: str = "",
    content: bytes = b"",
    *,
    readme: str = "",
    html: str | None = None,
    release: dict[str, object] | None = None,
    **fields: object,
) -> File:
    """Publish a file with its metadata, as an upload would."""
    project.refresh_from_db()
    filename = filename or f"{project.normalized_name.replace('-', '_')}-{version}-py3-none-any.whl"
    description = None
    if readme:
        shown = render(readme, "text/markdown") if html is None else html
        description = Description(raw=readme, content_type="text/markdown", html=shown)
    return publish_file(
        by=None,
        project=project,
        release=release_of(project, version, **(release or {})),
        description=description,
        file=file_of(project, version, filename, content, **fields),
        total_size_limit=10**12,
    )


def crates(name: str = "crates") -> Project:
    """A project with a history: several releases, a pre-release, a yanked one, many wheels."""
    owner = make_user(f"{name}-packer", name="Ada Packer")
    project = make_project(name, owner=owner)
    make_project("click") and publish(Project.objects.get(name="click"), "8.2.0")
    own = f"Index page, {settings.PACKHOUSE.public_url}/project/{name}/"
    metadata = METADATA | {"project_url": [*METADATA["project_url"], own]}
    for version in ("1.0", "1.1", "1.2.0"):
        older = {"metadata": METADATA | {"requires_dist": ["nails>=1"], "requires_python": ">=3.8"}}
        publish(project, version, release=older)
    Release.objects.filter(project=project, version="1.1").update(yanked=True, yanked_reason="Nails were missing")
    publish(project, "2.0rc1")
    publish(project, "1.4.0", f"{name}-1.4.0.tar.gz", readme=README, release={"metadata": metadata}, size=348_112)
    for tag in ("py3-none-any", "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-macosx_11_0_arm64"):
        publish(project, "1.4.0", f"{name}-1.4.0-{tag}.whl", size=1_204_331)
    for tag in ("cp313-cp313t-win_amd64", "cp311-cp311-musllinux_1_2_aarch64"):
        publish(project, "1.4.0", f"{name}-1.4.0-{tag}.whl", size=998_213)
    project.refresh_from_db()
    fetch(project)
    return project


def vulnerabilities(project: str = "crates") -> None:
    """A list of vulnerabilities, of which the latest release has one, and older ones have more."""
    lid = {
        "details": "A crate that is *turned over* opens.",
        "references": [{"type": "ADVISORY", "url": "https://advisories.example/lid"}],
    }
    load(
        as_file(
            [
                record("GHSA-c4at-e5f6-a1b2", project, ranges=[until("1.4.1")], **lid),
                record("PYSEC-2026-71", project, ranges=[until("1.3")], summary="", aliases=[], references=[]),
                record(
                    "GHSA-n4il-t00l-0ng1",
                    project,
                    ranges=[[{"introduced": "1.1"}, {"last_affected": "1.2.0"}]],
                    summary="Nails that are too long come through the wood, and whoever carries the crate may be hurt",
                    aliases=["CVE-2026-10001", "PYSEC-2026-72"],
                ),
                record("PYSEC-2026-70", project, versions=["1.2.0"], withdrawn="2026-06-01T00:00:00Z"),
            ]
        )
    )


def fetch(project: Project) -> None:
    """Downloads of a project on the last days, more each week."""
    file, today = File.objects.filter(project=project).order_by("-pk")[0], clock.now().date()
    for ago in range(1, 31):
        for agent, share in (("pip/25.1 CPython/3.12.1", 7), ("uv/0.9 CPython/3.13.0", 3), ("poetry/2", 1)):
            number = share * (40 - ago + (ago * 7) % 11)
            record_downloads({(file.path, agent): number}, today - timedelta(days=ago))


def attest(release: Release, *, publisher: dict[str, object] | None = None, **claims: str) -> None:
    """Give all files of a release provenance, as if they had come with attestations of that publisher."""
    for file in release.files.filter(provenance=None):
        with journalled(None) as book:
            said = verified(file.filename, publisher=publisher, claims=CRATES_CLAIMS | claims)
            keep_provenance(file=file, verified=said, ledger=book)


CRATES_PUBLISHER = {"kind": "GitHub", "repository": "crates/crates", "workflow": "release.yml", "environment": "pypi"}
CRATES_CLAIMS = {
    "repository": "https://github.com/crates/crates",
    "owner": "https://github.com/crates",
    "workflow": "https://github.com/crates/crates/.github/workflows/release.yml@refs/tags/v1.4.0",
    "run": "https://github.com/crates/crates/actions/runs/123/attempts/1",
    "ref": "refs/tags/v1.4.0",
}


def attested() -> Project:
    """Crates whose releases say where they come from: 1.2.0 all, 1.4.0 some, by another workflow; 2.0rc1 does not."""
    project = crates()
    attest(project.releases.get(version="1.2.0"), publisher=CRATES_PUBLISHER)
    latest = project.releases.get(version="1.4.0")
    attest(latest, publisher=CRATES_PUBLISHER | {"workflow": "wheels.yml"})
    publish(project, "1.4.0", "crates-1.4.0-py2-none-any.whl")
    return project
