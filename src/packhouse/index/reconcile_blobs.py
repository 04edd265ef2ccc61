"""Blobs against the rows: is every listed file stored, and is every stored file listed?"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.db import transaction

from packhouse.base import clock
from packhouse.base.facts import announce
from packhouse.documents.actions import serial_lock
from packhouse.files import BlobInfo, BlobNotFound, BlobStore
from packhouse.index.facts import BlobsRemoved
from packhouse.index.findings import Finding, Report
from packhouse.index.handlers import withhold
from packhouse.index.models import Doomed
from packhouse.projects.models import File

GRACE = timedelta(hours=1)
_METADATA = ".metadata"
_AT_ONCE = 500
_CHUNK = 1024 * 1024
_FILE, _SIDECAR = 1, 2


class _Listed(NamedTuple):
    """A file's row: where its blob is, and what it should be."""

    id: int
    path: str
    size: int
    sha256: str
    metadata_sha256: str


_COLUMNS = ("id", "path", "size", "sha256", "metadata_sha256")


def check_blobs(report: Report, store: BlobStore, *, deep: bool, repair: bool) -> None:
    """Go through the store once, then through the rows; delete what nothing lists if *repair*."""
    seen = _Seen()
    orphans: list[BlobInfo] = []
    limit = (store.now() if repair else clock.now()) - GRACE
    blobs = store.iter_keys()
    while some := list(islice(blobs, _AT_ONCE)):
        report.blobs += len(some)
        orphans.extend(_compare(some, seen, limit))
        if len(orphans) > _AT_ONCE:
            _sweep(orphans, report, store, repair=repair)
            orphans = []
    _sweep(orphans, report, store, repair=repair)
    for file in _listed_files():
        report.files += 1
        _check_file(file, seen, report, store, deep=deep)
    if repair:
        report.temporaries_removed += store.sweep_temporaries(GRACE)


class _Seen:
    """Which files' blobs were met with the right size: a byte a row, since there may be millions."""

    def __init__(self) -> None:
        self._flags = bytearray()

    def add(self, file_id: int, flag: int) -> None:
        if file_id >= len(self._flags):
            self._flags.extend(bytes(file_id + 100_000 - len(self._flags)))
        self._flags[file_id] |= flag

    def has(self, file_id: int, flag: int) -> bool:
        return file_id < len(self._flags) and bool(self._flags[file_id] & flag)


def _compare(blobs: Sequence[BlobInfo], seen: _Seen, limit: datetime) -> list[BlobInfo]:
    """Note which listed files *blobs* are; returns those that nothing lists and that were there before *limit*.

    Those of deleted files are none of them: they leave the store when their time has come.
    """
    files = _by_path(blobs)
    orphans = []
    doomed = set(Doomed.objects.filter(path__in=_paths(blobs)).values_list("path", flat=True))
    for blob in blobs:
        file, flag = _owner(files, blob.key)
        if file is None:
            if blob.modified < limit and blob.key.removesuffix(_METADATA) not in doomed:
                orphans.append(blob)
        elif flag == _SIDECAR or blob.size == file.size:
            seen.add(file.id, flag)
    return orphans


def _by_path(blobs: Sequence[BlobInfo]) -> dict[str, _Listed]:
    found = File.objects.filter(path__in=_paths(blobs)).values_list(*_COLUMNS)
    return {file.path: file for file in map(_Listed._make, found)}


def _paths(blobs: Sequence[BlobInfo]) -> set[str]:
    """What *blobs* may be, or be the metadata of."""
    return {blob.key.removesuffix(_METADATA) for blob in blobs} | {blob.key for blob in blobs}


def _owner(files: dict[str, _Listed], key: str) -> tuple[_Listed | None, int]:
    """The listed file that the blob *key* is, or is the metadata of."""
    if key in files:
        return files[key], _FILE
    file = files.get(key.removesuffix(_METADATA)) if key.endswith(_METADATA) else None
    return (file, _SIDECAR) if file and file.metadata_sha256 else (None, 0)


def _sweep(orphans: Sequence[BlobInfo], report: Report, store: BlobStore, *, repair: bool) -> None:
    """Delete *orphans*, one at a time so that nobody waits long.

    Uploads list a file under the serial lock.  Under that lock we look once more whether this one was listed since: the
    same bytes may have been uploaded again.
    """
    for blob in orphans:
        with transaction.atomic():
            serial_lock()
            if _owner(_by_path([blob]), blob.key)[0] is not None:
                continue
            if repair:
                store.delete(blob.key)
        report.add(Finding("blob-orphan", blob.key, f"{blob.size} bytes", mended=repair))


def _listed_files() -> Iterator[_Listed]:
    last = 0
    while some := list(File.objects.filter(pk__gt=last).order_by("pk").values_list(*_COLUMNS)[:_AT_ONCE]):
        yield from map(_Listed._make, some)
        last = some[-1][0]


def _check_file(file: _Listed, seen: _Seen, report: Report, store: BlobStore, *, deep: bool) -> None:
    if deep or not seen.has(file.id, _FILE):
        _check_blob(file, file.path, report, store, size=file.size, sha256=file.sha256 if deep else "")
    if file.metadata_sha256 and (deep or not seen.has(file.id, _SIDECAR)):
        digest = file.metadata_sha256 if deep else ""
        _check_blob(file, file.path + _METADATA, report, store, size=None, sha256=digest)


def remove_doomed(store: BlobStore) -> None:
    """Delete the blobs of deleted files whose time has come.  Safe to run twice.

    They are taken off the list of what is withheld when they are gone, and caches are told then.  Nobody can bring one
    back meanwhile, since the names of deleted files stay taken; should a row list one all the same, its blob stays.
    """
    while some := dict(Doomed.objects.filter(due__lte=clock.now()).values_list("path", "project")[:_AT_ONCE]):
        for path in some.keys() - set(File.objects.filter(path__in=some).values_list("path", flat=True)):
            store.delete(path)
            store.delete(path + _METADATA)
        with transaction.atomic():
            serial_lock()
            Doomed.objects.filter(path__in=some).delete()
            withhold()
            announce(BlobsRemoved(tuple(sorted(set(some.values())))))


def _check_blob(file: _Listed, key: str, report: Report, store: BlobStore, *, size: int | None, sha256: str) -> None:
    """Look at one listed blob itself; an empty *sha256* is not compared."""
    found = store.size(key)
    if found is None:
        trouble = Finding("blob-missing", key)
    elif size is not None and found != size:
        trouble = Finding("blob-damaged", key, f"{found} bytes, not {size}")
    elif sha256 and _digest(store, key) != sha256:
        trouble = Finding("blob-damaged", key, "another SHA-256")
    else:
        return
    if File.objects.filter(pk=file.id).exists():  # not deleted meanwhile
        report.add(trouble)


def _digest(store: BlobStore, key: str) -> str | None:
    digest = hashlib.sha256()
    try:
        with store.open(key) as blob:
            while chunk := blob.read(_CHUNK):
                digest.update(chunk)
    except BlobNotFound:
        return None
    return digest.hexdigest()
