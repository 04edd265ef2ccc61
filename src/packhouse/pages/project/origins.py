"""Where a file comes from, as its page says it: made of what was verified, nothing of it is checked again.

Links lead to the forge that the certificate names, at the very commit that was built.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from packhouse.attestations.models import Provenance
from packhouse.attestations.statements import Statement
from packhouse.attestations.status import Source, source_of
from packhouse.pages.project.facts import is_link

PUBLIC_LOG: Final = "https://search.sigstore.dev/?logIndex="
KINDS: Final = {"publish/v1": "publish", "provenance/v1": "build"}


@dataclass(frozen=True, slots=True)
class Told:
    """One attestation: ``predicate`` is the type's address, ``kind`` ``publish`` or ``build``.

    Links are empty where nobody knows one; ``claims`` are the certificate's.
    """

    kind: str
    predicate: str
    statement: str
    subject: str
    log_index: str
    log_time: datetime
    log_url: str
    source_url: str
    workflow_url: str
    run_url: str
    ref: str
    claims: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """The publisher of a file with what it said of it."""

    source: Source | None
    source_url: str
    environment: str
    statements: tuple[Told, ...]


def origin_of(provenance: Provenance, *, is_public_log: bool) -> Origin:
    """What the page says of *provenance*; the public log is linked only where attestations are verified by it."""
    said = [Statement.from_json(one) for one in provenance.statements]
    publisher: dict[str, Any] = provenance.publisher
    home = next((url for one in said if (url := _link(one.claims.get("repository", "")))), "")
    told = tuple(_told(one, is_public_log=is_public_log) for one in said)
    return Origin(source_of(publisher), home, publisher.get("environment") or "", told)


def _told(said: Statement, *, is_public_log: bool) -> Told:
    claims = said.claims
    ends = (kind for end, kind in KINDS.items() if said.predicate.endswith(end))
    return Told(
        kind=next(ends, ""),
        predicate=said.predicate,
        statement=said.kind,
        subject=said.subject,
        log_index=str(said.log_index),
        log_time=datetime.fromtimestamp(said.log_time, tz=UTC),
        log_url=f"{PUBLIC_LOG}{said.log_index}" if is_public_log else "",
        source_url=_at_commit(claims, "tree"),
        workflow_url=_workflow(claims),
        run_url=_link(claims.get("run", "")),
        ref=claims.get("ref", "").removeprefix("refs/heads/").removeprefix("refs/tags/"),
        claims=claims,
    )


def _at_commit(claims: Mapping[str, str], what: str) -> str:
    """Where the source is, as it was built: GitHub's and GitLab's addresses differ by a dash."""
    home, commit = _link(claims.get("repository", "")), claims.get("commit", "")
    if not home or not commit:
        return ""
    dash = "" if urlsplit(home).netloc == "github.com" else "/-"
    return f"{home}{dash}/{what}/{quote(commit, safe='')}"


def _workflow(claims: Mapping[str, str]) -> str:
    """Where the workflow's file is, as it was run."""
    home, path = claims.get("repository", ""), claims.get("workflow", "").rpartition("@")[0]
    base = _at_commit({**claims, "commit": claims.get("workflow_commit") or claims.get("commit", "")}, "blob")
    if not base or not path.startswith(f"{home}/"):
        return ""
    return f"{base}/{quote(path.removeprefix(home).lstrip('/'))}"


def _link(url: str) -> str:
    return url if url.startswith("https://") and is_link(url) else ""
