"""Where a reporter pushes what it knows."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from packhouse.integrations import pushed, signatures
from packhouse.integrations.actions import note_feed
from packhouse.integrations.reports import Malformed, Report
from packhouse.integrations.tasks import take_reports
from packhouse.projects.models import Project
from packhouse.throttle.actions import hit
from packhouse.throttle.headers import headers
from packhouse.throttle.limit import Limit

REPORTS: Final = Limit("vulnerabilities.client", "60 per minute")
LARGEST: Final = 8 * 1024**2

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def report_vulnerabilities(request: HttpRequest) -> HttpResponse:
    """A signed list of reports: 204 once all of it is promised, 400 when anything of it is wrong, and nothing is taken.

    404 where no reporter is set up, and for requests that are not signed; 413, 429; 503 to be sent again.
    """
    identifier = request.headers.get("VULN-PUBLIC-KEY-IDENTIFIER", "")
    signature = request.headers.get("VULN-PUBLIC-KEY-SIGNATURE", "")
    if not signatures.is_set_up() or not identifier or not signature:
        raise Http404
    verdict = hit(REPORTS, request.META.get("REMOTE_ADDR", ""))
    if not verdict.allowed:
        again = {"Retry-After": str(verdict.reset_seconds), **headers((REPORTS, verdict))}
        return _words("too many requests", 429, again)
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        return _words(f"body: expected at most {LARGEST} bytes", 413)
    try:
        signatures.verify(body, identifier=identifier, signature=signature)
        reports = [pushed.read(record, f"[{number}]") for number, record in enumerate(pushed.parsed(body))]
    except (signatures.Untrusted, Malformed) as refusal:
        log.warning("a report of vulnerabilities was refused: %s", refusal)
        return _words(str(refusal), 400)
    except signatures.Unavailable as trouble:
        log.warning("a report of vulnerabilities could not be checked: %s", trouble)
        return _words("the keys cannot be had at the moment", 503, {"Retry-After": "60"})
    _promise(reports)
    return HttpResponse(status=204)


def _promise(reports: Iterable[Report]) -> None:
    """Have the reports of projects that are here taken by tasks, one for each project."""
    by_project: dict[str, list[Report]] = defaultdict(list)
    for report in reports:
        by_project[report.project].append(report)
    here = Project.objects.filter(normalized_name__in=list(by_project)).values_list("normalized_name", flat=True)
    with transaction.atomic():
        note_feed()
        for name in sorted(here):
            take_reports.enqueue([pushed.as_json(report) for report in by_project[name]])


def _words(text: str, status: int, more: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=more)
