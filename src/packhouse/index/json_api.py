"""Rendering of the JSON API: from rows to bytes, no queries.

A project's document is ``{"info":…,`` + *shared* + ``,"releases":{`` + a member a release + ``},"urls":[…],…}``; a
release's is ``{"info":…,`` + its project's *shared* + ``,"urls":[…],…}``, so that what changes with every upload stands
in one document only.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from packhouse.index.rows import FileRow, ProjectRow, ReleaseRow, VulnerabilityRow
from packhouse.specs.simple_api import dump, file_url, json_bytes, quoted, utc_text

_DOWNLOADS = {"last_day": -1, "last_month": -1, "last_week": -1}
NO_VULNERABILITIES = b"[]"


def project_head(info: bytes, shared: str) -> bytes:
    return b"".join((b'{"info":', info, b",", json_bytes(shared), b',"releases":{'))


def project_tail(urls: bytes, known: bytes) -> bytes:
    return b"".join((b'},"urls":', urls, b',"vulnerabilities":', known, b"}\n"))


def release_head(info: bytes) -> bytes:
    return b'{"info":' + info + b","


def release_tail(urls: bytes, known: bytes) -> bytes:
    return b"".join((b',"urls":', urls, b',"vulnerabilities":', known, b"}\n"))


def release_member(version: str, urls: bytes) -> bytes:
    """The member of ``releases`` for one version."""
    return json_bytes(quoted(version)) + b":" + urls


def shared(serial: int, roles: Iterable[tuple[str, str]], organization: str | None) -> str:
    """What the documents of a project and of its releases have in common; *roles* are role and user name, in order;
    *organization* is the name of the one that owns the project."""
    owners = [{"role": role, "user": user} for role, user in roles]
    return f'"last_serial":{serial},"ownership":{dump({"organization": organization, "roles": owners})}'


def info(project: ProjectRow, release: ReleaseRow, public_url: str) -> bytes:
    """The object ``info`` of *release*."""
    metadata = release.metadata
    url = f"{public_url}/project/{project.name}/"
    said = {
        "author": _text(metadata, "author"),
        "author_email": _text(metadata, "author_email"),
        "bugtrack_url": None,
        "classifiers": _many(metadata, "classifier"),
        "description": release.description or "",
        "description_content_type": release.description_content_type or None,
        "docs_url": None,
        "download_url": _text(metadata, "download_url"),
        "downloads": _DOWNLOADS,
        "dynamic": _many(metadata, "dynamic") or None,
        "home_page": _text(metadata, "home_page"),
        "keywords": _keywords(metadata),
        "license": _text(metadata, "license"),
        "license_expression": _text(metadata, "license_expression"),
        "license_files": _many(metadata, "license_file") or None,
        "maintainer": _text(metadata, "maintainer"),
        "maintainer_email": _text(metadata, "maintainer_email"),
        "name": project.name,
        "package_url": url,
        "platform": next(iter(_many(metadata, "platform")), None),
        "project_url": url,
        "project_urls": project_urls(metadata) or None,
        "provides_extra": _many(metadata, "provides_extra") or None,
        "release_url": f"{url}{release.version}/",
        "requires_dist": _many(metadata, "requires_dist") or None,
        "requires_python": release.requires_python or None,
        "summary": release.summary or None,
        "version": release.version,
        "yanked": release.yanked,
        "yanked_reason": release.yanked_reason or None,
    }
    return json_bytes(dump(said))


def project_urls(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Label → URL: Homepage and Download made from the old fields, then the declared ones that do not repeat them."""
    made = {"Homepage": _text(metadata, "home_page"), "Download": _text(metadata, "download_url")}
    urls = {label: url for label, url in made.items() if url}
    repeated = {("homepage", made["Homepage"]), ("downloadurl", made["Download"])}
    declared = map(labelled_url, _many(metadata, "project_url"))
    return urls | {label: url for label, url in declared if (_plain_label(label), url) not in repeated}


def labelled_url(line: str) -> tuple[str, str]:
    """Label and URL of a Project-URL line."""
    label, _, url = line.partition(",")
    return label.strip(), url.strip()


def _plain_label(label: str) -> str:
    """The label without punctuation and space, in lower case (the well-known labels of PEP 753)."""
    return "".join(character for character in label if character.isalnum()).lower()


def urls(files: Iterable[FileRow], public_url: str) -> bytes:
    """The array that describes *files*, as it stands in ``urls`` and in ``releases``."""
    ordered = sorted(files, key=lambda file: file.filename)
    return b"[" + b",".join([_file(file, public_url) for file in ordered]) + b"]"


def _file(file: FileRow, public_url: str) -> bytes:
    uploaded = utc_text(file.uploaded)
    core = f'{{"sha256":{quoted(file.metadata_sha256)}}}' if file.metadata_sha256 else "false"
    return json_bytes(
        f'{{"comment_text":{_or_null(file.comment)},"core-metadata":{core}'
        f',"digests":{{"blake2b_256":"{file.blake2_256}","md5":"{file.md5}","sha256":"{file.sha256}"}}'
        f',"downloads":-1,"filename":{quoted(file.filename)},"has_sig":false,"md5_digest":"{file.md5}"'
        f',"packagetype":"{file.packagetype}","python_version":{quoted(file.python_version)}'
        f',"requires_python":{_or_null(file.requires_python)},"size":{file.size}'
        f',"upload_time":"{uploaded.partition(".")[0]}","upload_time_iso_8601":"{uploaded}Z"'
        f',"url":{quoted(file_url(public_url, file.path))},"yanked":{"true" if file.yanked else "false"}'
        f',"yanked_reason":{_or_null(file.yanked_reason)}}}'
    )


def vulnerabilities(known: Mapping[int, VulnerabilityRow], marks: Iterable[int] | None) -> bytes:
    """The array of those *known* that a release is marked with, by identifier; those withdrawn as well."""
    if not marks:
        return NO_VULNERABILITIES
    found = [known[number] for number in marks if number in known]
    found.sort(key=lambda row: (row.identifier, row.source, row.id))
    return json_bytes(dump([_vulnerability(row) for row in found]))


def _vulnerability(row: VulnerabilityRow) -> dict[str, Any]:
    return {
        "aliases": row.aliases,
        "details": row.details or None,
        "fixed_in": row.fixed_in,
        "id": row.identifier,
        "link": row.link or None,
        "source": row.source,
        "summary": row.summary or None,
        "withdrawn": f"{utc_text(row.withdrawn)}Z" if row.withdrawn else None,
    }


def _or_null(text: str) -> str:
    return quoted(text) if text else "null"


def _text(metadata: Mapping[str, Any], name: str) -> str | None:
    return metadata.get(name) or None


def _many(metadata: Mapping[str, Any], name: str) -> list[str]:
    return metadata.get(name) or []


def _keywords(metadata: Mapping[str, Any]) -> str | None:
    return ", ".join(_many(metadata, "keywords")) or None
