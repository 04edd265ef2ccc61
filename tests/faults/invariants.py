"""The invariant checker: what must hold of an index after whatever has happened to it.

It looks from outside (every surface over HTTP), and from inside (``packhouse reconcile --verify``, the rows by
``tests.faults.inside``, the blobs in the store, every file of the home and a dump of the database for secrets).  As a
program: ``python -m tests.faults.invariants URL HOME [DATABASE]`` checks a running index; exit status 1
and a line for each violation when something does not hold.
"""

import hashlib
import http.client
import json
import re
import subprocess
import sys
import xmlrpc.client
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urljoin, urlsplit

import psycopg
from tests.faults.publishing import SECRETS, TREE, Told, soon
from tests.faults.resources import PATIENCE, Held
from tests.servers import postgresql
from tests.servers.packhouse import Running, environment, run_cli

from packhouse import files

JSON = "application/vnd.pypi.simple.v1+json"
LINK = re.compile(r'<a href="([^"#]+)#sha256=([0-9a-f]{64})"')


class Unanswered(http.client.HTTPException):
    """The index said something else than 200."""


class Site:
    """One keep-alive connection to an index; it reads the way an installer does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=180)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def get(self, path: str, accept: str = "*/*") -> tuple[int, Mapping[str, str], bytes]:
        self.connection.request("GET", path, headers={"Accept": accept})
        answer = self.connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def json(self, path: str) -> tuple[int, Mapping[str, str], Any]:
        status, headers, body = self.get(path, JSON)
        return status, headers, json.loads(body) if status == 200 else None

    def journal(self, since: int = 0) -> list[tuple[str, str | None, int, str, int]]:
        """The entries of the journal after the serial *since*, as a mirror gets them; ``Unanswered``."""
        status, _, body = self._call("changelog_since_serial", since)
        if status != 200:
            raise Unanswered(status)
        return [tuple(entry) for entry in xmlrpc.client.loads(body)[0][0]]

    def _call(self, method: str, *parameters: int) -> tuple[int, Mapping[str, str], bytes]:
        request = xmlrpc.client.dumps(parameters, method).encode()
        self.connection.request("POST", "/pypi", request, {"Content-Type": "text/xml"})
        answer = self.connection.getresponse()
        return answer.status, {}, answer.read()


@dataclass(slots=True)
class Findings:
    """Violations by invariant, and what was looked at."""

    violations: list[str] = field(default_factory=list)
    looked: Counter[str] = field(default_factory=Counter)
    listed: dict[str, str] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)

    def require(self, holds: bool, invariant: str, subject: str) -> None:
        self.looked[invariant] += 1
        if not holds:
            self.violations.append(f"{invariant} {subject}")


def check(
    url: str,
    home: Path,
    *,
    database: str | None = None,
    told: Told | None = None,
    before: Mapping[str, str] | None = None,
    in_flight: int | None = None,
    public_url: str = "",
    held: tuple[Running, Held] | None = None,
) -> Findings:
    """Look at everything.

    *told*: what publishers were told (I1).  *before*: the file names and digests of an earlier look (I7).
    *in_flight*: how many files may lie in the store unlisted (I3).  *public_url*: where it is not *url*.
    *held*: the server, and what it held at rest before the load (I12).
    """
    found = Findings()
    if held:
        _check_resources(*held, found)
    with Site(url) as site:
        _check_surfaces(site, told or Told(), found)
    for filename, sha256 in (before or {}).items():
        found.require(found.listed.get(filename, sha256) == sha256, "I7 same bytes for ever", filename)
    _check_inside(public_url or url, home, database, in_flight, found)
    _check_rows(public_url or url, home, database, found)
    _check_secrets(home, database, found)
    if database and database.startswith("postgresql"):
        _check_postgresql(database, found)
    return found


def _check_surfaces(site: Site, told: Told, found: Findings) -> None:
    journal = site.journal()
    _check_journal(journal, found)
    for project in site.json("/simple/")[2]["projects"]:
        _check_project(site, project["name"], journal, found)
    for upload in told.acknowledged.values():
        found.require(found.listed.get(upload.filename) == upload.sha256, "I1 listed as acknowledged", upload.filename)
        entries = sum(entry[3].endswith(f"file {upload.filename}") for entry in journal)
        found.require(entries == 1, "I1 once in the journal", f"{upload.filename}: {entries} times")


def _check_journal(journal: list[tuple[str, str | None, int, str, int]], found: Findings) -> None:
    serials = [entry[4] for entry in journal]
    found.require(serials == sorted(set(serials)), "I5 serials unique and in order", "journal")


def _check_project(site: Site, name: str, journal: list[Any], found: Findings) -> None:
    """One project on all surfaces."""
    status, headers, simple = site.json(f"/simple/{name}/")
    found.require(status == 200, "I9 listed projects answer", name)
    if status != 200:
        return
    serial = max((entry[4] for entry in journal if entry[0] == name), default=0)
    found.require(simple["meta"]["_last-serial"] == serial, "I5 serial in the body", name)
    found.require(int(headers["x-pypi-last-serial"]) == serial, "I5 serial in the header", name)
    by_json = {file["filename"]: file["hashes"]["sha256"] for file in simple["files"]}
    found.require(dict(_html_files(site, name)) == by_json, "I9 HTML says what JSON says", name)
    found.require(
        dict(_api_files(site, name, serial, found)) == by_json, "I9 the JSON API says what the simple API says", name
    )
    for file in simple["files"]:
        _check_file(site, f"/simple/{name}/", file, found)
    found.listed |= by_json


def _html_files(site: Site, name: str) -> Iterator[tuple[str, str]]:
    page = site.get(f"/simple/{name}/", "text/html")[2].decode()
    for address, sha256 in LINK.findall(page):
        yield unquote(unescape(address).rpartition("/")[2]), sha256


def _api_files(site: Site, name: str, serial: int, found: Findings) -> Iterator[tuple[str, str]]:
    status, headers, project = site.json(f"/pypi/{name}/json")
    if status != 200:  # all its releases are gone
        return
    same = project["last_serial"] == serial == int(headers["x-pypi-last-serial"])
    found.require(same, "I5 serial in the JSON API", name)
    for release in project["releases"].values():
        for file in release:
            yield file["filename"], file["digests"]["sha256"]


def _check_file(site: Site, page: str, file: Mapping[str, Any], found: Findings) -> None:
    path = urlsplit(urljoin(site.url + page, file["url"])).path
    status, _, body = site.get(path)
    right = hashlib.sha256(body).hexdigest() == file["hashes"]["sha256"] and len(body) == file["size"]
    found.require(status == 200 and right, "I2 listed files are there", file["filename"])
    if metadata := file.get("core-metadata"):
        status, _, body = site.get(f"{path}.metadata")
        right = hashlib.sha256(body).hexdigest() == metadata["sha256"]
        found.require(status == 200 and right, "I2 listed metadata are there", file["filename"])
    if provenance := file["provenance"]:
        status, _, body = site.get(urlsplit(provenance).path)
        right = status == 200 and json.loads(body)["version"] == 1
        found.require(right, "I2 listed provenance is there", file["filename"])


def _check_inside(url: str, home: Path, database: str | None, in_flight: int | None, found: Findings) -> None:
    """The rows, the documents and the blobs, as the index itself finds them."""
    env = {"PACKHOUSE_PUBLIC_URL": url}
    done = run_cli(home, "reconcile", "--verify", "--json", database=database, check=False, env=env)
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    found.require(report["is_clean"], "I2 I5 I9 reconcile --verify", str(report["findings"][:5]))
    found.looked["rows, documents and blobs read by reconcile"] += (
        report["documents"] + report["files"] + report["blobs"]
    )
    found.unlisted = stored(home) - set(found.listed)
    if in_flight is not None:
        count = len(found.unlisted)
        found.require(count <= in_flight, "I3 unlisted blobs", f"{count} > {in_flight}: {sorted(found.unlisted)[:20]}")


def stored(home: Path) -> set[str]:
    """The names of all files that lie in the store, those of metadata without their ending."""
    store = files.from_url(f"file://{home}/files")
    return {blob.key.rpartition("/")[2].removesuffix(".metadata") for blob in store.iter_keys()}


def _check_rows(url: str, home: Path, database: str | None, found: Findings) -> None:
    """What ``tests.faults.inside`` sees (I6, I8)."""
    report = _inside(url, home, database)
    found.violations += report["violations"]
    found.looked.update(report["looked"])


def seconds_until_drained(index: Running, since: float) -> float:
    """How long after *since* (``time.monotonic``) all that the queue of *index* holds now was done; waits for that."""
    return round(_inside(index.url, index.home, index.database, "drained") - since, 1)


def _inside(url: str, home: Path, database: str | None, *arguments: str) -> Any:
    """What ``tests.faults.inside`` prints, in a process with the settings of the index."""
    env = environment(home, database) | {"DJANGO_SETTINGS_MODULE": "packhouse.settings", "PACKHOUSE_PUBLIC_URL": url}
    command = [sys.executable, "-m", "tests.faults.inside", *arguments]
    done = subprocess.run(command, env=env, cwd=TREE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _check_secrets(home: Path, database: str | None, found: Findings) -> None:
    """I10: what the tests keep secret lies in no log, letter, spool or database."""
    kept = home / SECRETS
    secrets = {path.name: path.read_bytes()[-40:] for path in kept.iterdir()} if kept.is_dir() else {}
    places = {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and kept not in path.parents and home / "files" not in path.parents
    }
    if database and database.startswith("postgresql"):
        dump = [postgresql.programs() / "pg_dump", "--data-only", f"--dbname={database}"]
        places["the database"] = subprocess.run(dump, capture_output=True, check=True).stdout
    elif database:
        places["the database"] = Path(urlsplit(database).path).read_bytes()
    for place, content in places.items():
        for name, secret in secrets.items():
            found.require(secret not in content, "I10 no secret", f"{name} in {place}")


def _check_postgresql(database: str, found: Findings) -> None:
    """I11: the database finds no fault in its tables and indexes, has had no deadlock, and nobody idles in a change."""
    look = [postgresql.programs() / "pg_amcheck", "--install-missing", "--heapallindexed", "--no-dependent-toast"]
    name = urlsplit(database).path.lstrip("/")
    done = subprocess.run(
        [*look, f"--maintenance-db={database}", database], capture_output=True, text=True, check=False
    )
    found.require(done.returncode == 0, "I11 pg_amcheck", f"{done.stdout}{done.stderr}"[:500])
    idle = "datname = %(name)s AND state = 'idle in transaction' AND now() - state_change > interval '5 s'"
    asked = f"SELECT deadlocks, (SELECT count(*) FROM pg_stat_activity WHERE {idle}) FROM pg_stat_database WHERE datname = %(name)s"  # noqa: E501
    with psycopg.connect(database) as connection:  # the cluster may have databases of others, who do as they like
        row = connection.execute(asked, {"name": name}).fetchone()
    found.require(row == (0, 0), "I11 deadlocks, idle in transaction", str(row))


def _check_resources(index: Running, before: Held, found: Findings) -> None:
    """I12: no more files are open and no more processes there than before, nor, if no project has come, more memory."""
    soon(lambda: Held.by(index).is_back_at(before), PATIENCE)
    now = Held.by(index)
    found.require(now.is_back_at(before), "I12 files, processes and memory are given back", f"{before}, now {now}")


def main() -> int:
    """Check the index that the command line names."""
    url, home, *rest = sys.argv[1:]
    found = check(url, Path(home), database=rest[0] if rest else None)
    sys.stdout.write("\n".join(found.violations) or f"Everything holds: {dict(found.looked)}")
    sys.stdout.write("\n")
    return bool(found.violations)


if __name__ == "__main__":
    sys.exit(main())
