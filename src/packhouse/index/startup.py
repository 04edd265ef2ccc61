"""What must hold before the first request: the index document is there, and all links are made from the public URL."""

import structlog
from django.db import transaction

from packhouse.documents.actions import Shell, rebuild, serial_lock
from packhouse.documents.models import Document
from packhouse.index import bulk
from packhouse.index.sources import INDEX, IndexSource, public_url
from packhouse.projects.models import Project

log = structlog.get_logger(__name__)

STAMP = "stamp"
RENDERING = 1
"""Raised by one when the same rows make other bytes than before; documents are then made anew at the next start."""


def make_ready() -> None:
    """Make the documents anew if they were made with another public URL or by another way of rendering."""
    if _made_with() == _stamp():
        return
    ids = Project.objects.order_by("pk").values_list("pk", flat=True)
    if ids:
        log.info("documents.rebuild", projects=len(ids), public_url=public_url())
    for some in bulk.batches(ids):
        with transaction.atomic():
            serial_lock()
            bulk.rebuild_projects(some)
    with transaction.atomic():
        serial_lock()
        rebuild(IndexSource())
    stamp()


def stamp() -> None:
    """Remember with what the documents were made: call it when all of them were."""
    if _made_with() == _stamp():
        return
    with transaction.atomic():
        serial_lock()
        rebuild(bulk.Prepared(STAMP, Shell(0, shared=_stamp())))


def _stamp() -> str:
    return f"{RENDERING} {public_url()}"


def _made_with() -> str | None:
    made = dict(Document.objects.filter(key__in=[STAMP, INDEX]).values_list("key", "shared"))
    return made.get(STAMP) if INDEX in made else None
