"""Changes of projects.

Every action locks its project first, writes rows, then journal, documents and facts (see ``ledger``).  One that gets
a ``ledger`` takes part in its caller's transaction; one without opens its own.  Order of locks: project, its rows,
serials.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet

from packhouse.accounts.actions import subject as user_subject
from packhouse.audit.actions import NEW_EVENT, Actor, Subject, drafted, record
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.base.statements import Asked, Insertion, Question, asked_ahead, written_together
from packhouse.organizations.models import Organization
from packhouse.organizations.naming import subject as organization_subject
from packhouse.projects import emails, facts
from packhouse.projects.ledger import Ledger, journalled, user_id
from packhouse.projects.models import Description, File, Filename, Project, Release, Role
from packhouse.projects.queries import asked_release, objection_to, release_of
from packhouse.specs.errors import Refused
from packhouse.specs.names import normalize, skeleton


class ProjectFull(Exception):
    """The file would take the project over its limit of ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"over {limit} bytes")
        self.limit = limit


class LastOwner(Exception):
    """A project keeps at least one owner."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of a locked project before a file is published: the name it shows, and the file's release."""

    name: str
    release: Release | None


def lock_project(project_id: int) -> Project:
    """The project as it is now; nobody else changes it before this transaction ends.  Raises ``DoesNotExist``."""
    found: Project | None = _LOCKED.object(Project, project_id)
    if found is None:
        raise Project.DoesNotExist(f"project {project_id} is gone")
    return found


def asked_lock(project_id: int) -> Asked:
    """What `lock_project` asks."""
    return _LOCKED, project_id


def create_project(
    *, name: str, by: Actor, organization: Organization | None = None, ledger: Ledger | None = None
) -> Project:
    """Start a project, which the *organization* owns or else the user behind *by*.

    Raises ``Refused`` when the name cannot be had.
    """
    with journalled(by, ledger) as book:
        if objection := objection_to(name):
            raise objection
        project = Project(
            name=name, normalized_name=normalize(name), skeleton=skeleton(name), organization=organization
        )
        try:
            with transaction.atomic():
                project.save(force_insert=True)
        except IntegrityError:  # somebody was faster; now their project can be seen
            raise objection_to(name) or Refused("project-name-exists", "Somebody is just taking that name.") from None
        book.note(project, "create")
        audit_project("project:create", project, by)
        book.tell(project, facts.ProjectCreated(project.pk, project.normalized_name, 0))
        owner = user_id(by)
        if organization is not None:
            note_organization(book, project, None, organization)
        elif owner is not None:
            write_role(book, project, owner, Role.Name.OWNER)
    return project


def publish_file(
    *,
    by: Actor,
    project: Project,
    release: Release,
    description: Description | None,
    file: File,
    total_size_limit: int,
    seen: Seen | None = None,
    ledger: Ledger | None = None,
) -> File:
    """Publish *file* in *release* of *project*, which the caller has locked.

    ``release``, ``description`` and ``file`` are unsaved.  A release of that version that exists keeps its metadata and
    only gains verified links.  ``project.name`` is the spelling to show from now on.  What the caller has *seen* under
    the lock is not asked again.  Raises ``ProjectFull``, and ``IntegrityError`` when file name or content are taken.
    """
    with journalled(by, ledger) as book:
        if project.total_size + file.size > total_size_limit:
            raise ProjectFull(total_size_limit)
        seen = seen or _look(project, release.canonical_version)
        if seen.release is None:
            _start_release(book, project, release, description)
        else:
            _verify_more(seen.release, release.verified)
        file.project, file.release = project, seen.release or release
        new = ((_NEW_FILENAME, Filename(filename=file.filename)), (_NEW_FILE, file))
        written_together(*new, after=partial(_grow, project, file.size))
        project.total_size += file.size
        book.note(project, f"add {file.python_version} file {file.filename}", file.release.version)
        said = {"version": file.release.version, "sha256": file.sha256}
        book.record(drafted("file:add", subject=_file_subject(file), by=by, additional=said))
        fact = facts.FilePublished(
            project.pk,
            project.normalized_name,
            0,
            file.release.pk,
            release.canonical_version,
            file.pk,
            file.filename,
            bytes(file.sort_key),
            new_release=seen.release is None,
            former_name="" if seen.name == project.name else seen.name,
        )
        book.tell(project, fact)
    return file


def yank_release(*, by: Actor, release: Release, reason: str = "") -> Release:
    """Take a release out of resolution (PEP 592)."""
    with journalled(by) as book:
        project, release = _locked(release)
        if release.yanked and release.yanked_reason == reason:
            return release
        release.yanked_at = release.yanked_at if release.yanked else clock.now()
        release.yanked, release.yanked_reason = True, reason
        release.save(update_fields=["yanked", "yanked_reason", "yanked_at"])
        book.note(project, "yank release", release.version)
        event = audit_project("release:yank", project, by, version=release.version, reason=reason)
        emails.release_yanked(project, version=release.version, reason=reason, by=by, cause=event.pk)
        book.tell(project, facts.ReleaseYanked(*about(project), release.pk, release.canonical_version, reason))
    return release


def unyank_release(*, by: Actor, release: Release) -> Release:
    """Put a yanked release back."""
    with journalled(by) as book:
        project, release = _locked(release)
        if not release.yanked:
            return release
        release.yanked, release.yanked_reason, release.yanked_at = False, "", None
        release.save(update_fields=["yanked", "yanked_reason", "yanked_at"])
        book.note(project, "unyank release", release.version)
        event = audit_project("release:unyank", project, by, version=release.version)
        emails.release_unyanked(project, version=release.version, by=by, cause=event.pk)
        book.tell(project, facts.ReleaseUnyanked(*about(project), release.pk, release.canonical_version))
    return release


def delete_file(*, by: Actor, file: File) -> None:
    """Delete one file.  Its name stays taken, its blob goes some days later."""
    with journalled(by) as book:
        project = lock_project(file.project_id)
        file = project.files.select_related("release").get(pk=file.pk)
        release = file.release
        event = _audit_file("file:remove", file, by, {"version": release.version, "sha256": file.sha256})
        emails.file_deleted(project, version=release.version, filename=file.filename, by=by, cause=event.pk)
        gone = facts.FileDeleted(
            *about(project), release.pk, release.canonical_version, file.filename, bytes(file.sort_key), file.path
        )
        _tell_withheld(book, project, project.files.filter(pk=file.pk))
        file.delete()
        _shrink(project, [file])
        book.note(project, f"remove file {file.filename}", release.version)
        book.tell(project, gone)


def delete_release(*, by: Actor, release: Release) -> None:
    """Delete a release and its files; their names stay taken."""
    with journalled(by) as book:
        project, release = _locked(release)
        files = list(release.files.all())
        gone = facts.ReleaseDeleted(
            *about(project),
            release.canonical_version,
            tuple(bytes(file.sort_key) for file in files),
            tuple(file.path for file in files),
        )
        _tell_withheld(book, project, release.files.all())
        release.delete()
        _shrink(project, files)
        book.note(project, "remove release", release.version)
        event = audit_project("release:remove", project, by, version=release.version)
        emails.release_deleted(project, version=release.version, by=by, cause=event.pk)
        book.tell(project, gone)


def delete_project(*, by: Actor, project: Project) -> None:
    """Delete a project and all that it has.  The name is free again; the names of its files never are."""
    with journalled(by) as book:
        project = lock_project(project.pk)
        gone = facts.ProjectDeleted(
            *about(project),
            tuple(project.releases.values_list("canonical_version", flat=True)),
            tuple(project.files.values_list("path", flat=True)),
            tuple(project.roles.order_by("user_id").values_list("user_id", flat=True)),
            project.organization.normalized_name if project.organization else "",
        )
        event = audit_project("project:remove", project, by)
        emails.project_deleted(project, emails.collaborators(project), by=by, cause=event.pk)
        _tell_withheld(book, project, project.files.all())
        project.delete()
        book.note(project, "remove project")
        book.tell(project, gone)


_STATUS_JOURNAL = {
    (Project.Status.ACTIVE, Project.Status.QUARANTINED): "project quarantined",
    (Project.Status.ARCHIVED, Project.Status.QUARANTINED): "project quarantined",
    (Project.Status.QUARANTINED, Project.Status.ACTIVE): "project quarantine cleared",
    (Project.Status.QUARANTINED, Project.Status.ARCHIVED): "project quarantine cleared",
}


def set_status(
    *, by: Actor, project: Project, status: Project.Status, reason: str = "", lifts_quarantine: bool = True
) -> Project:
    """Archive, quarantine or reactivate a project.  Quarantine moves the serial, archiving does not (as on PyPI).

    Without *lifts_quarantine* a project that is (or has just been) quarantined stays as it is.
    """
    with journalled(by) as book:
        project = lock_project(project.pk)
        before = Project.Status(project.status)
        if before == status or (before == Project.Status.QUARANTINED and not lifts_quarantine):
            return project
        project.status, project.status_reason, project.status_changed = status, reason, clock.now()
        project.save(update_fields=["status", "status_reason", "status_changed"])
        if action := _STATUS_JOURNAL.get((before, status)):
            book.note(project, action)
        for left, tag in ((True, "exit"), (False, "enter")):
            state = before if left else status
            if state != Project.Status.ACTIVE:
                room = "archive" if state == Project.Status.ARCHIVED else "quarantine"
                audit_project(f"{room}:{tag}", project, by, reason=reason)
        book.tell(project, facts.ProjectStatusChanged(*about(project), before.value, status.value))
    return project


def set_release_quarantine(*, by: Actor, release: Release, quarantined: bool) -> Release:
    """Hide one release, or show it again."""
    with journalled(by) as book:
        project, release = _locked(release)
        if release.quarantined == quarantined:
            return release
        release.quarantined, release.quarantined_at = quarantined, clock.now() if quarantined else None
        release.save(update_fields=["quarantined", "quarantined_at"])
        book.note(project, "release quarantined" if quarantined else "release quarantine cleared", release.version)
        audit_project(f"release:quarantine:{'enter' if quarantined else 'exit'}", project, by, version=release.version)
        told = (*about(project), release.pk, release.canonical_version)
        book.tell(project, facts.ReleaseQuarantineChanged(*told, quarantined=quarantined))
    return release


def mark_releases(
    *, project: Project, marks: Mapping[int, list[int]], touched: Collection[int] = (), ledger: Ledger | None = None
) -> int:
    """Note which vulnerabilities affect the releases of *project*, which the caller has locked, by their ids.

    *touched* are vulnerabilities that say something else than before.  The journal says nothing of it, and the serial
    stays.  Returns how many releases readers see otherwise.
    """
    with journalled(None, ledger) as book:
        releases = [one for one in project.releases.only("vulnerabilities") if one.vulnerabilities != marks.get(one.pk)]
        shown = [one.pk for one in releases if (one.vulnerabilities or []) != marks.get(one.pk, [])]
        for release in releases:
            release.vulnerabilities = marks.get(release.pk)
        Release.objects.bulk_update(releases, ["vulnerabilities"], batch_size=200)
        again = (key for key, numbers in marks.items() if not set(touched).isdisjoint(numbers))
        if changed := tuple(sorted({*shown, *again})):
            book.tell(project, facts.ReleasesMarked(*about(project), changed))
    return len(changed)


def set_role(*, by: Actor, project: Project, user_id: int, name: Role.Name) -> Role:
    """Give the user the role *name* on the project, in place of any other; raises ``LastOwner``."""
    with journalled(by) as book:
        project = lock_project(project.pk)
        return write_role(book, project, user_id, name, tells=True)


def remove_role(*, by: Actor, project: Project, user_id: int, even_the_last: bool = False) -> None:
    """Take the user's role on the project away; raises ``Role.DoesNotExist``, and ``LastOwner`` unless told not to."""
    with journalled(by) as book:
        project = lock_project(project.pk)
        role = project.roles.select_related("user").get(user_id=user_id)
        if not even_the_last:
            _keep_an_owner(project, role)
        take_role(book, project, role)


def take_role(book: Ledger, project: Project, role: Role) -> None:
    """Take *role* away, whoever else has one."""
    role.delete()
    book.note(project, f"remove {role.name} {role.user.username}")
    event = _audit_role("role:remove", project, role, book.by)
    emails.role_taken(project, role.user, role=role.name, by=book.by, cause=event.pk)
    book.tell(project, facts.RoleChanged(*about(project), role.user_id, role.name, ""))


def note_organization(book: Ledger, project: Project, before: Organization | None, after: Organization | None) -> None:
    """Tell both sides, in the trail and by letters, that the project belongs to another organization, or to none."""
    for organization, added in ((before, False), (after, True)):
        if organization is None:
            continue
        tag = f"organization_project:{'add' if added else 'remove'}"
        audit_project(tag, project, book.by, organization_name=organization.name)
        told = {"project_name": project.name}
        event = record(tag, subject=organization_subject(organization), by=book.by, additional=told)
        emails.project_moved(project, organization, added=added, by=book.by, cause=event.pk)
    names = (one.normalized_name if one else "" for one in (before, after))
    book.tell(project, facts.ProjectOrganizationChanged(*about(project), *names))


def write_role(book: Ledger, project: Project, user: int, name: Role.Name, *, tells: bool = False) -> Role:
    """*tells*: letters are written about it."""
    role = project.roles.filter(user_id=user).first() or Role(project=project, user_id=user)
    before = role.name
    if before == name:
        return role
    if before:
        _keep_an_owner(project, role)
    role.name = name
    role.save()
    username = role.user.get_username()
    book.note(project, f"change {before} {username} to {name}" if before else f"add {name} {username}")
    tag = "role:change" if before else "role:add"
    event = _audit_role(tag, project, role, book.by)
    if tells and before:
        emails.role_changed(project, role.user, before=before, after=str(name), by=book.by, cause=event.pk)
    elif tells:
        emails.role_given(project, role.user, role=str(name), by=book.by, cause=event.pk)
    book.tell(project, facts.RoleChanged(*about(project), user, before, str(name)))
    return role


def _keep_an_owner(project: Project, leaving: Role) -> None:
    if leaving.name != Role.Name.OWNER or project.organization_id is not None:
        return
    if not project.roles.filter(name=Role.Name.OWNER, user__is_active=True).exclude(pk=leaving.pk).exists():
        raise LastOwner


def _start_release(book: Ledger, project: Project, release: Release, description: Description | None) -> None:
    release.project = project
    _NEW_RELEASE.write(release)
    if description is not None:
        description.release = release
        description.save(force_insert=True)
    book.note(project, "new release", release.version)
    said = {"version": release.version}
    book.record(drafted("release:add", subject=_subject(project), by=book.by, additional=said))
    book.tell(project, facts.ReleaseCreated(*about(project), release.pk, release.canonical_version))


def _verify_more(release: Release, verified: Iterable[str]) -> None:
    """Add links that this upload has verified, where the release has the very same ones."""
    more = [link for link in verified if link not in release.verified and _mentions(release.metadata, link)]
    if more:
        release.verified = [*release.verified, *more]
        release.save(update_fields=["verified"])


def _mentions(metadata: Any, text: str) -> bool:
    if isinstance(metadata, dict):
        return any(_mentions(value, text) for value in metadata.values())
    if isinstance(metadata, list):
        return any(_mentions(value, text) for value in metadata)
    return isinstance(metadata, str) and text in metadata.split()


def _grow(project: Project, size: int) -> None:
    """Take the room for a file, and write the display name."""
    table = connection.ops.quote_name(Project._meta.db_table)
    with connection.cursor() as cursor:
        grown = f"UPDATE {table} SET total_size = total_size + %s, name = %s WHERE id = %s"  # noqa: S608
        cursor.execute(grown, [size, project.name, project.pk])


def _look(project: Project, canonical_version: str) -> Seen:
    with asked_ahead([asked_release(project.pk, canonical_version), (_NAME, project.pk)]):
        [(name,)] = _NAME.rows(project.pk)
        return Seen(name, release_of(project.pk, canonical_version))


_NEW_FILENAME, _NEW_FILE, _NEW_RELEASE = Insertion(Filename), Insertion(File), Insertion(Release)
_NAME = Question(lambda key: Project.objects.filter(pk=key).values_list("name"), int)
_LOCKED = Question(lambda key: Project.objects.filter(pk=key), int, locks=True)


def _tell_withheld(book: Ledger, project: Project, files: QuerySet[File]) -> None:
    """Tell which of *files*, about to be deleted, are in quarantine: they stay withheld until their blobs are gone."""
    if project.status != Project.Status.QUARANTINED:
        files = files.filter(release__quarantined=True)
    if paths := tuple(files.values_list("path", flat=True)):
        book.tell(project, facts.WithheldFilesDeleted(*about(project), paths))


def _shrink(project: Project, files: Iterable[File]) -> None:
    size = sum(file.size for file in files)
    Project.objects.filter(pk=project.pk).update(total_size=F("total_size") - size)


def _locked(release: Release) -> tuple[Project, Release]:
    project = lock_project(release.project_id)
    return project, project.releases.get(pk=release.pk)


def about(project: Project) -> tuple[int, str, int]:
    """The first fields of every fact; the ledger fills in the serial."""
    return project.pk, project.normalized_name, 0


def _audit_role(tag: str, project: Project, role: Role, by: Actor) -> Event:
    """On the project, which is returned, and in the security history of whose role it is."""
    told = {"project_name": project.name, "role_name": str(role.name)}
    of_user = drafted(tag, subject=user_subject(role.user), by=by, additional=told)
    told = {"target_user": role.user.username, "role_name": str(role.name)}
    of_project = drafted(tag, subject=_subject(project), by=by, additional=told)
    written_together((NEW_EVENT, of_user), (NEW_EVENT, of_project))
    return of_project


def audit_project(tag: str, project: Project, by: Actor, **additional: Any) -> Event:
    return record(tag, subject=_subject(project), by=by, additional=additional)


def _audit_file(tag: str, file: File, by: Actor, additional: dict[str, Any]) -> Event:
    return record(tag, subject=_file_subject(file), by=by, additional=additional)


def _subject(project: Project) -> Subject:
    return Subject("project", str(project.uid), project.name)


def _file_subject(file: File) -> Subject:
    return Subject("file", str(file.pk), file.filename)
