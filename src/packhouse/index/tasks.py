"""Background work of the index: what keeps the store clean, and finds out when something is wrong with it."""

from datetime import timedelta
from typing import Final

import structlog

from packhouse.files import default_store
from packhouse.index import reconcile, reconcile_blobs, startup
from packhouse.queue import Later, actions, background

log = structlog.get_logger(__name__)

LEFT_BEHIND = timedelta(days=1)
UNTIL_MADE_ANEW: Final = 600.0
SHOWN: Final = 20


class Disagreement(Exception):
    """Documents, rows and stored files do not say the same."""


@background("heavy", attempts=8, time_limit=4 * 3600, unique=True)
def make_documents_anew() -> None:
    """Make those documents anew that are of another edition.  Goes on where it was interrupted; safe to run twice."""
    startup.make_all_anew()


@background("heavy", attempts=3, time_limit=600, unique=True)
def sweep_temporaries() -> None:
    """Remove what writers that crashed left in the store's spool.  Safe to run twice."""
    default_store().sweep_temporaries(LEFT_BEHIND)


@background(attempts=20, time_limit=600, unique=True)
def remove_doomed() -> None:
    """Remove the blobs of files that were deleted some days ago, or in quarantine.  Safe to run twice."""
    reconcile_blobs.remove_doomed(default_store())


@background("heavy", attempts=3, time_limit=4 * 3600, unique=True, backoff=120.0)
def look_over() -> None:
    """Compare documents, rows and the store's list of files, and mend nothing, for whoever is at fault is not known.

    Where they disagree it fails, so that the task ends as dead: that is what monitoring counts and ``packhouse check``
    shows.  Once all is well again, it takes that back.  Safe to run twice.
    """
    if not startup.is_of_this_edition():
        raise Later(UNTIL_MADE_ANEW)  # ``make_documents_anew`` is at it, or is dead itself
    report = reconcile.look_over()
    if report.is_clean:
        log.info("reconcile.agrees", projects=report.projects, files=report.files, orphans=report.counts["blob-orphan"])
        actions.discard_all_dead(look_over)
        return
    for finding in report.findings[:SHOWN]:
        log.error("reconcile.disagrees", kind=finding.kind, subject=finding.subject, detail=finding.detail)
    raise Disagreement("\n".join([*report.lines()[:SHOWN], *report.sums()]))
