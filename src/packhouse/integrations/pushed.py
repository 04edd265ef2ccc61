"""Reports as a reporter pushes them: one for each project, with the affected versions by name.  Pure.

``project``, ``versions``, ``id``, ``link`` and ``aliases`` must be there; ``details``, ``summary``, ``withdrawn`` and
``events`` may be.  Of the events, each ``{"fixed": version}`` counts.  Without versions, a report takes itself back.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from packhouse.integrations import ranges, reports
from packhouse.integrations.reports import Malformed, Report
from packhouse.specs.names import normalize

MOST: Final = 1000
"""Reports in one request."""


def parsed(body: bytes) -> list[Any]:
    """The list in *body*.  Raises ``Malformed``."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("body", "expected JSON") from None
    if not isinstance(content, list) or len(content) > MOST:
        raise Malformed("body", f"expected a list of at most {MOST} reports")
    return content


def read(record: Any, where: str = "") -> Report:
    """The report in *record*, which stands at *where*.  Raises ``Malformed``."""
    if not isinstance(record, dict):
        raise Malformed(where or "report", "expected an object")
    where = where and f"{where}."
    versions = reports.canonical(reports.texts(record, "versions", where=where, required=True))
    return Report(
        project=normalize(reports.text(record, "project", where=where, required=True)),
        identifier=reports.text(record, "id", where=where, required=True),
        versions=versions,
        link=_link(record, where),
        aliases=reports.texts(record, "aliases", where=where, required=True),
        summary=reports.text(record, "summary", where=where),
        details=reports.text(record, "details", where=where),
        fixed_in=reports.ordered(tuple(_fixed(record, where))),
        withdrawn=reports.moment(record, "withdrawn", where=where),
    )


def _link(record: Mapping[str, Any], where: str) -> str:
    if "link" not in record:
        raise Malformed(f"{where}link", "expected an http or https address, or null")
    return reports.link(reports.text(record, "link", where=where), f"{where}link")


def _fixed(record: Mapping[str, Any], where: str) -> Iterator[str]:
    events = record.get("events") or []
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise Malformed(f"{where}events", "expected a list of objects")
    given = {"fixed": [event[ranges.FIXED] for event in events if ranges.FIXED in event]}
    yield from reports.texts(given, "fixed", where=f"{where}events.")


def as_json(report: Report) -> dict[str, Any]:
    """*report* as it could have been pushed."""
    return {
        "project": report.project,
        "versions": list(report.versions),
        "id": report.identifier,
        "link": report.link or None,
        "aliases": list(report.aliases),
        "summary": report.summary,
        "details": report.details,
        "withdrawn": report.withdrawn.isoformat() if report.withdrawn else None,
        "events": [{ranges.FIXED: version} for version in report.fixed_in],
    }
