"""Projects."""

import hashlib

from packhouse.accounts.models import User
from packhouse.projects.actions import publish_file
from packhouse.projects.models import File, Project, Release, Role
from packhouse.specs import names, versions


def make_project(name: str = "sample", *, owner: User | None = None, **fields: object) -> Project:
    project = Project.objects.create(
        name=name, normalized_name=names.normalize(name), skeleton=names.skeleton(name), **fields
    )
    if owner is not None:
        Role.objects.create(user=owner, project=project, name=Role.Name.OWNER)
    return project


def release_of(project: Project, version: str = "1.0", **fields: object) -> Release:
    """An unsaved release."""
    parsed = versions.parse(version)
    facts = {"canonical_version": versions.canonical(parsed), "sort_key": versions.sort_key(parsed)}
    return Release(project=project, version=str(parsed), **facts | fields)


def file_of(
    project: Project, filename: str = "sample-1.0-py3-none-any.whl", *, size: int = 10, **fields: object
) -> File:
    """An unsaved file whose digests follow from its name."""
    blake2 = hashlib.blake2b(filename.encode(), digest_size=32).hexdigest()
    facts = {
        "packagetype": File.PackageType.WHEEL,
        "python_version": "py3",
        "md5": hashlib.md5(filename.encode()).hexdigest(),
        "sha256": hashlib.sha256(filename.encode()).hexdigest(),
        "blake2_256": blake2,
        "path": f"{blake2[:2]}/{blake2[2:4]}/{blake2[4:]}/{filename}",
        "sort_key": filename.encode(),
    }
    return File(project=project, filename=filename, size=size, **facts | fields)


def publish(
    project: Project,
    version: str = "1.0",
    filename: str = "",
    *,
    by: User | None = None,
    limit: int = 10**9,
    size: int = 10,
) -> File:
    """Publish a file through the front door of the projects room."""
    return publish_file(
        by=by,
        project=project,
        release=release_of(project, version),
        description=None,
        file=file_of(project, filename or f"{project.normalized_name}-{version}-py3-none-any.whl", size=size),
        total_size_limit=limit,
    )
