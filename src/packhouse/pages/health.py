"""What monitoring asks: whether this server should be sent requests, and what it has counted.

``/_health/`` (does the process answer at all?) never gets here: the front door answers it.
"""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from packhouse.base import metrics as counted
from packhouse.base import running

log: Any = structlog.get_logger(__name__)
PROBED_FOR: Final = 10.0
"""Seconds for which a store that answered counts as answering: to ask it means to write into it."""


@dataclass(slots=True)
class Part:
    """Something the server cannot do without.

    ``ask`` raises when it does not answer; ``lasts`` is for how many seconds a yes holds.
    """

    name: str
    ask: Callable[[], None]
    lasts: float = 0.0
    good_until: float = field(default=0.0)

    def works(self) -> bool:
        if time.monotonic() < self.good_until:
            return True
        try:
            self.ask()
        except Exception as error:  # noqa: BLE001 (whatever it is: the part does not work)
            log.warning("not ready", part=self.name, error=str(error))
            return False
        self.good_until = time.monotonic() + self.lasts
        return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_migrations() -> None:
    if pending := pending_migrations():
        raise RuntimeError(f"{len(pending)} migrations are to be run, the first is {pending[0]}")


def _ask_files() -> None:
    from packhouse.files import default_store  # noqa: PLC0415 (its S3 half is heavy)

    default_store().probe()


PARTS: Final = (
    Part("database", _ask_database),
    Part("migrations", _ask_migrations, lasts=float("inf")),
    Part("files", _ask_files, lasts=PROBED_FOR),
)


def pending_migrations() -> list[str]:
    """The migrations that the database lacks, as ``app.name``, in the order to run them."""
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415 (a few MiB, used once)

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """200 when this server should get requests, else 503: a part fails, or the server is about to stop."""
    parts = {part.name: "ok" if part.works() else "failing" for part in PARTS}
    is_ready = set(parts.values()) == {"ok"} and not running.is_draining()
    status = "ready" if is_ready else "stopping" if running.is_draining() else "not ready"
    answer = JsonResponse({"status": status, "parts": parts}, status=200 if is_ready else 503)
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics of this machine's processes, for whoever sends ``metrics_token``; 404 when none is set."""
    token: str = settings.PACKHOUSE.metrics_token
    if not token:
        return HttpResponse(status=404)
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(counted.render(), content_type=counted.CONTENT_TYPE, headers={"Cache-Control": "no-store"})


urlpatterns = [path("_ready/", ready), path("metrics", metrics)]
