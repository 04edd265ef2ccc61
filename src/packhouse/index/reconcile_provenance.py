"""Documents of provenance against the rows."""

from collections.abc import Collection, Iterator

from django.db import transaction

from packhouse.attestations.models import Provenance
from packhouse.documents.actions import serial_lock
from packhouse.documents.edition import INTEGRITY_CLOSED, PROVENANCE
from packhouse.documents.models import Document
from packhouse.documents.upkeep import drop_many, rebuild_many, stored
from packhouse.index import provenance
from packhouse.index.findings import Finding, Report
from packhouse.index.provenance import ProvenanceSource, of_files

_AT_ONCE = 200


def check_provenance(report: Report, *, repair: bool) -> None:
    """Compare the document of every file that has provenance, byte for byte; find those of files that have none."""
    for ids in _batches():
        report.documents += len(ids)
        if any(_wrong(of_files(pk__in=ids))):
            _recheck(ids, report, repair=repair)
    for keys in _stored_keys():
        if _stale(keys):
            _recheck_stale(keys, report, repair=repair)
    _check_closed(report, repair=repair)


def _batches() -> Iterator[list[int]]:
    last = 0
    while ids := list(Provenance.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
        yield ids
        last = ids[-1]


def _wrong(sources: Collection[ProvenanceSource]) -> Iterator[tuple[ProvenanceSource, str]]:
    found = stored([source.key for source in sources])
    for source in sources:
        document = found.get(source.key)
        if document is None:
            yield source, "document-missing"
        elif not document.matches(source):
            yield source, "document-differs"


def _recheck(ids: Collection[int], report: Report, *, repair: bool) -> None:
    with transaction.atomic():
        serial_lock()
        wrong = list(_wrong(of_files(pk__in=ids)))
        if repair:
            rebuild_many([source for source, _ in wrong])
    for source, kind in wrong:
        report.add(Finding(kind, source.key, mended=repair))


def _stored_keys() -> Iterator[list[str]]:
    last = PROVENANCE
    documents = Document.objects.filter(key__startswith=PROVENANCE).order_by("key").values_list("key", flat=True)
    while keys := list(documents.filter(key__gt=last)[:_AT_ONCE]):
        yield keys
        last = keys[-1]


def _stale(keys: Collection[str]) -> list[str]:
    """Those of *keys* whose file has no provenance, or is no more."""
    names = [key.removeprefix(PROVENANCE) for key in keys]
    held = Provenance.objects.filter(file__filename__in=names).values_list("file__filename", flat=True)
    wanted = set(map(provenance.provenance_key, held))
    return [key for key in keys if key not in wanted]


def _recheck_stale(keys: Collection[str], report: Report, *, repair: bool) -> None:
    with transaction.atomic():
        serial_lock()
        stale = _stale(keys)
        if repair:
            drop_many(stale)
    for key in stale:
        report.add(Finding("document-stale", key, mended=repair))


def _check_closed(report: Report, *, repair: bool) -> None:
    if provenance.is_settled():
        return
    with transaction.atomic():
        serial_lock()
        if provenance.is_settled():
            return
        kind = "document-stale" if Document.objects.filter(key=INTEGRITY_CLOSED).exists() else "document-missing"
        if repair:
            provenance.settle()
    report.add(Finding(kind, INTEGRITY_CLOSED, mended=repair))
