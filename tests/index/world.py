"""Projects that change through their actions, and what is stored about them."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b, md5, sha256

import pytest
from django.db import transaction
from packaging.version import Version

from packhouse.documents.actions import put, rebuild
from packhouse.documents.models import Change, Document
from packhouse.documents.segments import SEPARATORS, join_identity, sequence
from packhouse.index.bulk import rebuild_projects
from packhouse.index.sources import IndexSource, WithheldSource
from packhouse.projects import actions
from packhouse.projects.models import Description, File, Project, Release, Role
from packhouse.specs import filenames, versions

DAWN = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def create(name):
    return actions.create_project(name=name, by=None)


def release_of(project, version, **fields):
    parsed = Version(version)
    return Release(
        project=project,
        version=version,
        canonical_version=versions.canonical(parsed),
        sort_key=versions.sort_key(parsed),
        is_prerelease=parsed.is_prerelease,
        **{"metadata": {}, "summary": f"{project.name} {version}", **fields},
    )


def file_of(release, filename, **fields):
    content = filename.encode()
    blake = blake2b(content, digest_size=32).hexdigest()
    return File(
        release=release,
        project=release.project,
        filename=filename,
        packagetype="bdist_wheel" if filename.endswith(".whl") else "sdist",
        python_version="py3" if filename.endswith(".whl") else "source",
        md5=md5(content).hexdigest(),
        sha256=sha256(content).hexdigest(),
        blake2_256=blake,
        path=f"{blake[:2]}/{blake[2:4]}/{blake[4:]}/{filename}",
        sort_key=filenames.file_sort_key(bytes(release.sort_key), filename),
        **{"size": len(content), "uploaded": DAWN + timedelta(microseconds=len(content)), **fields},
    )


def publish(project, version, filename, *, name="", release_fields=None, **fields):
    project = Project.objects.get(pk=project.pk)
    project.name = name or project.name
    release = release_of(project, version, **(release_fields or {}))
    return actions.publish_file(
        by=None,
        project=project,
        release=release,
        description=Description(raw=f"# {project.name}\n", content_type="text/markdown"),
        file=file_of(release, filename, **fields),
        total_size_limit=10**9,
    )


def fill(project, files, **fields):
    """Write many files, (version, file name), straight into the rows: the documents do not know of them."""
    releases = {version: release_of(project, version) for version in dict(files)}
    Release.objects.bulk_create(releases.values())
    File.objects.bulk_create([file_of(releases[version], filename, **fields) for version, filename in files])


def yank(release, reason=""):
    actions.yank_release(by=None, release=release, reason=reason)


def unyank(release):
    actions.unyank_release(by=None, release=release)


def quarantine_release(release, *, quarantined=True):
    actions.set_release_quarantine(by=None, release=release, quarantined=quarantined)


def delete_file(file):
    actions.delete_file(by=None, file=file)


def delete_release(release):
    actions.delete_release(by=None, release=release)


def delete_project(project):
    actions.delete_project(by=None, project=project)


each_way_to_delete = pytest.mark.parametrize(
    "delete",
    [delete_file, lambda file: delete_release(file.release), lambda file: delete_project(file.project)],
    ids=["file", "release", "project"],
)
"""``delete(file)`` deletes it alone, or with all that it belongs to."""


def set_status(project, status):
    actions.set_status(by=None, project=project, status=Project.Status(status))


def set_role(project, user, name):
    if name:
        actions.set_role(by=None, project=project, user_id=user.pk, name=Role.Name(name))
    elif project.roles.filter(user=user).exists():
        actions.remove_role(by=None, project=project, user_id=user.pk)


def page(key, fmt="json"):
    """A stored document as plain bytes; None when there is none."""
    document = Document.objects.filter(key=key).first()
    if document is None:
        return None
    bodies = [bytes(getattr(document, fmt)), *(bytes(getattr(s, fmt)) for s in document.segments.order_by("first"))]
    head, tail = bytes(getattr(document, f"{fmt}_head")), bytes(getattr(document, f"{fmt}_tail"))
    return join_identity(sequence(head, bodies, tail, SEPARATORS[fmt]))


def everything():
    """Every stored document, as readers see it."""
    found = Document.objects.values_list("key", "serial", "shared")
    return {key: (serial, shared, page(key, "html"), page(key, "json")) for key, serial, shared in found}


def everything_anew():
    """Every document as it is when made from nothing but the rows."""
    Document.objects.all().delete()
    with transaction.atomic():
        rebuild_projects(Project.objects.values_list("pk", flat=True))
        rebuild(IndexSource())
        put(WithheldSource())
    return everything()


def changed_since(change_id):
    return set(Change.objects.filter(pk__gt=change_id).values_list("key", flat=True))
