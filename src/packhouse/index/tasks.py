"""Background work of the index: what keeps the store clean."""

from datetime import timedelta

from packhouse.files import default_store
from packhouse.index import startup
from packhouse.queue import background

LEFT_BEHIND = timedelta(days=1)


@background("heavy", attempts=8, time_limit=4 * 3600, unique=True)
def make_documents_anew() -> None:
    """Make those documents anew that are of another edition.  Goes on where it was interrupted; safe to run twice."""
    startup.make_all_anew()


@background("heavy", attempts=3, time_limit=600, unique=True)
def sweep_temporaries() -> None:
    """Remove what writers that crashed left in the store's spool.  Safe to run twice."""
    default_store().sweep_temporaries(LEFT_BEHIND)
