"""Publishing what has passed every check: blobs first, then one transaction, the journal last.

The blobs are durable before the first row is written, so that nothing is ever shown which is not there.  A failure
leaves at most blobs that nobody names; ``reconcile`` sweeps them, and a retry finds them in place.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from packhouse.attestations.actions import keep_provenance
from packhouse.audit.actions import Subject, record
from packhouse.base.outages import is_full
from packhouse.base.statements import Asked, asked_ahead
from packhouse.files import StoreFull, default_store, key_for
from packhouse.projects import actions, emails, queries
from packhouse.projects.ledger import Ledger
from packhouse.projects.models import Description, File, Project, Release
from packhouse.specs import filenames, versions
from packhouse.specs.errors import Refused
from packhouse.uploads import checks, creation, opening, pipeline
from packhouse.uploads.form import Content
from packhouse.uploads.reasons import Rejected
from packhouse.uploads.rendering import renderer
from packhouse.uploads.stages import Ready
from packhouse.uploads.verification import verified_addresses, verified_links

ATTEMPTS: Final = 5
FIRST_PAUSE: Final = 0.25
PATIENCE: Final = 2.0
"""Seconds to wait for a turn: what keeps others that long is the database, and it is not for them to wait in line."""
NO_DATABASE: Final = "The database does not answer. Please try again later."
log: Any = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Published:
    """A file that is public from now on, and what the client is told beside that."""

    file: File
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """The blobs of an upload: the file's key, and of each key whether it is new or some earlier attempt had left it."""

    key: str
    new: Mapping[str, bool]


class Swept(Exception):
    """A blob is gone from the store: ``reconcile`` took it for an orphan while it had no row yet."""


def publish(upload: Ready) -> Published:
    """Store and record the file.  Raises ``Rejected``, ``AlreadyPublished``, and ``StoreError`` of the blob store.

    Whoever loses a race starts anew and meets what the winner has left: the same file, another one, a project.
    """
    stored = _store(upload)
    with creation.counted(upload) as headers:
        return Published(_publish(upload, stored), headers)


def _publish(upload: Ready, stored: Stored) -> File:
    """Record the file, in as many attempts as it takes."""
    for attempt in range(ATTEMPTS):
        try:
            if attempt:
                upload = _anew(upload)
            with _turn(), pipeline.refusals(), transaction.atomic():
                return _record(upload, stored)
        except actions.ProjectFull:
            raise checks.project_too_large(upload) from None
        except Swept:
            stored = _store(upload)
        except (IntegrityError, OperationalError, InterfaceError, Project.DoesNotExist) as error:
            log.info("upload starts anew", file=upload.filename, exc_info=True)
            _look_after_connection(error, attempt)
    log.error("upload gave up", file=upload.filename)
    raise Rejected("try-again", "Too many changes at the same time. Please try again.")


@contextmanager
def _turn() -> Iterator[None]:
    """Half of the threads record at a time, in the order in which they came; nobody waits for long.

    Publishers of one project wait for its row.  If all threads did, those of others would get their turn before them
    whenever one is free, and the former wait ever longer.
    """
    has_turn = _turns().acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if has_turn:
            _turns().release()


@cache
def _turns() -> threading.Semaphore:
    return threading.Semaphore(max(1, settings.PACKHOUSE.threads // 2))


def _anew(upload: Ready) -> Ready:
    """*upload* as others have left the index; ``AlreadyPublished`` when the commit that broke did happen."""
    upload = replace(upload, project=queries.find_project(upload.name))
    _look_again(upload)
    return upload


def _look_after_connection(error: Exception, attempt: int) -> None:
    """Whether a commit during which the connection broke has happened, only a new connection can tell.

    A database that restarts is waited for, a few seconds in all.  Raises ``StoreFull`` where the disk is full, and
    ``Rejected`` where the database stays away.
    """
    if is_full(error):
        raise StoreFull(str(error)) from error
    if connection.in_atomic_block:
        return
    connection.close_if_unusable_or_obsolete()
    if connection.connection is None:
        if attempt == ATTEMPTS - 1:
            log.error("upload gave up: the database does not answer", why=str(error))
            raise Rejected("database-unavailable", NO_DATABASE) from error
        time.sleep(FIRST_PAUSE * 2**attempt)


def heal(file: File, content: Content | None) -> None:
    """Put back what the blob store has lost of a published file and its metadata: *content* is the same file."""
    store, sidecar = default_store(), f"{file.path}.metadata"
    if content is None:
        return
    if not store.exists(file.path):
        log.warning("missing blob put back", path=file.path)
        store.put(file.path, content.file, size=file.size, sha256_hex=file.sha256, blake2_hex=file.blake2_256)
    if file.metadata_sha256 and not store.exists(sidecar):
        log.warning("missing blob put back", path=sidecar)
        metadata = opening.INSPECTOR.inspect(content.file, file.filename, file.packagetype).metadata
        store.put(sidecar, metadata, size=len(metadata), sha256_hex=file.metadata_sha256)


def _store(upload: Ready) -> Stored:
    """Put the file and its metadata into the blob store."""
    store, content = default_store(), upload.content
    key = key_for(content.blake2_256, upload.filename)
    sha256_hex, blake2_hex = content.sha256, content.blake2_256
    new = {key: store.put(key, content.file, size=content.size, sha256_hex=sha256_hex, blake2_hex=blake2_hex)}
    if upload.filetype == File.PackageType.WHEEL:
        metadata = upload.inspection.metadata
        sidecar = f"{key}.metadata"
        new[sidecar] = store.put(sidecar, metadata, size=len(metadata), sha256_hex=sha256(metadata).hexdigest())
    return Stored(key, new)


def _require_kept(stored: Stored) -> None:
    """Make sure, now that nothing can be swept (that takes the serial lock), that no blob was swept before.

    That old ones were not is always asked.  New ones are left alone for an hour, by the clock of the store; where that
    is this machine's, it may have jumped, and looking costs nothing.
    """
    store = default_store()
    asked = [key for key, is_new in stored.new.items() if not is_new or store.local_path(key)]
    if not all(store.exists(key) for key in asked):
        raise Swept


def _record(upload: Ready, stored: Stored) -> File:
    """One transaction: project, release, file, trail; then journal, documents and facts under the serial lock."""
    book = Ledger(upload.identity)
    with asked_ahead(_asked(upload)):
        project = _own_project(upload, book)
        upload = replace(upload, project=project)
        _look_again(upload)
        seen = actions.Seen(project.name, queries.release_of(project.pk, upload.canonical_version))
    project.name = upload.metadata.name
    file = actions.publish_file(
        by=upload.identity,
        project=project,
        release=_release(upload, project),
        description=_description(upload),
        file=_file(upload, stored.key),
        total_size_limit=checks.total_size_limit(upload),
        seen=seen,
        ledger=book,
    )
    if upload.inspection.mismatch_count:
        _note_mismatch(upload, file)
    if upload.provenance is not None:
        keep_provenance(file=file, verified=upload.provenance, ledger=book)
    book.write()
    _require_kept(stored)
    return file


def _asked(upload: Ready) -> Iterator[Asked]:
    """What is asked of a project that is there, as soon as it is locked; a new one takes longer."""
    if upload.project is not None:
        yield actions.asked_lock(upload.project.pk)
        yield from checks.asked_again(upload)


def _own_project(upload: Ready, book: Ledger) -> Project:
    """The project, locked; a new one when nobody has taken the name."""
    if upload.project is not None:
        return actions.lock_project(upload.project.pk)
    try:
        return actions.create_project(name=upload.metadata.name, by=upload.identity, ledger=book)
    except Refused as refused:
        if refused.code == "project-name-exists":  # perhaps by another upload of theirs: look again
            raise IntegrityError(refused.message) from refused
        raise


def _look_again(upload: Ready) -> None:
    """Run those checks once more whose answers others may have changed since."""
    with pipeline.refusals():
        pipeline.run(pipeline.ARRIVAL, upload)
        if upload.project is None:
            pipeline.run(pipeline.STARTING, upload)
        else:
            pipeline.run((*pipeline.PERMISSION, *pipeline.RACING), upload)


def _release(upload: Ready, project: Project) -> Release:
    metadata, publisher = upload.metadata, upload.identity.publisher
    source = publisher.source if publisher else ""
    verified = verified_links(metadata, upload.config.public_url, source) + verified_addresses(metadata, project)
    return Release(
        version=str(upload.version),
        canonical_version=upload.canonical_version,
        sort_key=versions.sort_key(upload.version),
        is_prerelease=versions.is_prerelease(upload.version),
        summary=metadata.summary,
        requires_python=metadata.requires_python,
        metadata=metadata.to_json(),
        verified=verified,
        uploader_id=upload.identity.user_id,
        uploaded_via=upload.request.user_agent,
    )


def _description(upload: Ready) -> Description | None:
    raw, kind = upload.metadata.description, upload.metadata.description_content_type
    if not raw:
        return None
    return Description(raw=raw, content_type=kind, html=upload.description_html, renderer=renderer())


def _file(upload: Ready, key: str) -> File:
    content, is_wheel = upload.content, upload.filetype == File.PackageType.WHEEL
    return File(
        filename=upload.filename,
        packagetype=upload.filetype,
        python_version=_python_version(upload),
        size=content.size,
        md5=content.md5,
        sha256=content.sha256,
        blake2_256=content.blake2_256,
        path=key,
        metadata_sha256=sha256(upload.inspection.metadata).hexdigest() if is_wheel else "",
        sort_key=filenames.file_sort_key(versions.sort_key(upload.version), upload.filename),
        comment=upload.form.text("comment"),
        sboms=[sbom.path for sbom in upload.inspection.sboms],
        uploader_id=upload.identity.user_id,
        uploaded_via=upload.request.user_agent,
    )


def _python_version(upload: Ready) -> str:
    """``source`` for an sdist; for a wheel its Python tags as the file name has them (``py2.py3``)."""
    if upload.filetype == File.PackageType.SDIST:
        return "source"
    return ".".join(filenames.parse_wheel_filename(upload.filename).python_tags)


def _note_mismatch(upload: Ready, file: File) -> None:
    """A RECORD that differs was let through (``record_mismatch = "warn"``): say so where people look."""
    shown = [f"{mismatch.path} {mismatch.problem}" for mismatch in upload.inspection.mismatches]
    additional = {"count": upload.inspection.mismatch_count, "mismatches": shown}
    subject = Subject("file", str(file.pk), file.filename)
    event = record("file:record-mismatch", subject=subject, by=upload.identity, additional=additional)
    emails.wheel_record_mismatch(
        file.project, filename=file.filename, mismatches=shown, by=upload.identity, cause=event.pk
    )
    log.warning("RECORD differs from contents", file=file.filename, mismatches=shown)
