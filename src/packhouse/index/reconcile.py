"""``packhouse reconcile``: documents and blobs against the rows.  Safe while the index serves and takes uploads.

Everything is looked at without locks first, in batches; what looks wrong may only be newer than what it was compared
with, so it is looked at again under the serial lock, which no writer holds meanwhile, and mended there.
"""

from packhouse.files import BlobStore, default_store
from packhouse.index.findings import Finding, Report
from packhouse.index.reconcile_blobs import check_blobs
from packhouse.index.reconcile_documents import check_documents
from packhouse.index.reconcile_provenance import check_provenance
from packhouse.index.verify import check_rows

__all__ = ["Finding", "Report", "look_over", "run", "verify"]


def run(*, deep: bool = False, repair: bool = True, store: BlobStore | None = None) -> Report:
    """Look at every document and every blob, *deep*: read every blob; mend what disagrees unless *repair* is false.

    Orphans younger than an hour are left alone: an upload may be about to list them.
    """
    report = Report()
    check_documents(report, repair=repair)
    check_provenance(report, repair=repair)
    check_blobs(report, store or default_store(), deep=deep, repair=repair)
    return report


def look_over(*, store: BlobStore | None = None) -> Report:
    """Look at everything but what is in the files, and change nothing."""
    report = run(repair=False, store=store)
    check_rows(report)
    return report


def verify(*, store: BlobStore | None = None) -> Report:
    """Look at everything there is to look at, read every byte of it, and change nothing."""
    report = run(deep=True, repair=False, store=store)
    check_rows(report)
    return report
