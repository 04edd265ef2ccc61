"""``packhouse vulnerabilities``, beside an index that is running, and what clients then see."""

import json
import subprocess
from pathlib import Path
from typing import Any

from packaging.version import Version
from tests.builders import make_wheel
from tests.integrations.feeds import as_zip, record, until
from tests.protocol import wire
from tests.servers.packhouse import COMMAND, Running, environment, run_cli, running
from tests.uploads.publishing import BOUNDARY, body_of, credentials, fields_for


def upload(index: Running, token: str, version: str) -> None:
    filename, content = make_wheel("sample", version)
    fields = fields_for(filename, content, "sample", version) | {"content": (filename, content, "application/zip")}
    body, kind = body_of(fields.items()), f"multipart/form-data; boundary={BOUNDARY}"
    sent = {"Authorization": credentials(token), "Content-Type": kind, "Content-Length": str(len(body))}
    answer = wire.ask(index.url, "/legacy/", method="POST", body=body, **sent)
    assert answer.status == 200, answer.body


def said(index: Running, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(wire.ask(index.url, path).body)["vulnerabilities"]
    return found


def audited(index: Running, version: str) -> list[tuple[list[str], list[Version], str]]:
    """What pip-audit reads: identifiers, versions to take instead, and what it is, of all that is not withdrawn."""
    return [
        (
            [one["id"], *one["aliases"]],
            sorted(Version(fixed) for fixed in one["fixed_in"]),
            one.get("summary") or one.get("details") or "N/A",
        )
        for one in said(index, f"/pypi/sample/{version}/json")
        if one.get("withdrawn") is None
    ]


def told(done: "subprocess.CompletedProcess[str]") -> tuple[int, list[str]]:
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_list_is_loaded_shown_to_auditors_and_removed(tmp_path: Path, live_database: str | None) -> None:
    feed, archive = tmp_path / "feed.json", tmp_path / "all.zip"
    withdrawn = record("GHSA-2", versions=["1.0"], withdrawn="2026-06-01T00:00:00Z")
    feed.write_text(json.dumps([record(ranges=[until("1.10")]), withdrawn, {"id": 7, "affected": [7]}]))
    members = {"1.json": record(ranges=[until("1.10")]), "2.json": record("GHSA-3", "elsewhere", versions=["1"])}
    archive.write_bytes(as_zip(members).getvalue())
    with running(tmp_path / "home", database=live_database) as index:
        (tmp_path / "password").write_text("correct horse battery staple")
        made = ("user", "create", "ada", "--email", "ada@example.org", "--password-file", str(tmp_path / "password"))
        index.run_cli(*made, "--verified", "--superuser")
        token = index.run_cli("token", "create", "--user", "ada", "--description", "robot").stdout.strip()
        for version in ("1.0", "1.9", "1.10"):
            upload(index, token, version)
        assert said(index, "/pypi/sample/1.0/json") == audited(index, "1.9") == []

        assert told(index.run_cli("vulnerabilities", "load", str(feed))) == (
            0,
            [
                "new: GHSA-aaaa-bbbb-cccc of sample",
                "new: GHSA-2 of sample",
                "Taken: 2 new, 0 changed, 0 removed, 0 unchanged; 2 releases are shown otherwise.",
                "Skipped: 0 of projects that are not here, 1 of other ecosystems, 0 that cannot be read.",
            ],
        )
        found = (["GHSA-aaaa-bbbb-cccc", "CVE-2026-1"], [Version("1.10")], "A lid comes off")
        assert [audited(index, version) for version in ("1.0", "1.9", "1.10")] == [[found], [found], []]
        assert [one["id"] for one in said(index, "/pypi/sample/1.0/json")] == ["GHSA-2", "GHSA-aaaa-bbbb-cccc"]
        assert said(index, "/pypi/sample/json") == []
        assert b"1 known vulnerability affects this release." in wire.ask(index.url, "/project/sample/1.9/").body

        piped = [*COMMAND, "vulnerabilities", "load", "--whole", "-"]
        with archive.open("rb") as content:
            process = subprocess.run(
                piped, stdin=content, env=environment(index.home, live_database), capture_output=True, check=True
            )
        assert process.stdout.decode().splitlines() == [
            "removed: GHSA-2 of sample",
            "Taken: 0 new, 0 changed, 1 removed, 1 unchanged; 1 releases are shown otherwise.",
            "Skipped: 1 of projects that are not here, 0 of other ecosystems, 0 that cannot be read.",
        ]
        assert [one["id"] for one in said(index, "/pypi/sample/1.0/json")] == ["GHSA-aaaa-bbbb-cccc"]
        listed = index.run_cli("vulnerabilities", "list", "--project", "Sample").stdout
        assert listed == "GHSA-aaaa-bbbb-cccc  sample  fixed in 1.10  A lid comes off\n"

        assert told(index.run_cli("vulnerabilities", "remove", "GHSA-aaaa-bbbb-cccc")) == (0, ["Removed: 1."])
        assert said(index, "/pypi/sample/1.0/json") == []
        assert told(index.run_cli("reconcile", "--verify"))[0] == 0


def test_what_cannot_be_read_is_told(tmp_path: Path, live_database: str | None) -> None:
    def cli(*arguments: str) -> tuple[int, list[str]]:
        return told(run_cli(tmp_path / "home", "vulnerabilities", *arguments, database=live_database, check=False))

    feed = tmp_path / "feed.json"
    feed.write_text("{")
    status, lines = cli("load", str(feed))
    assert (status, len(lines)) == (1, 1)
    assert lines[0].startswith(f"packhouse: {feed}: file: expected JSON")
    feed.write_text(json.dumps([record("", versions=["1"])]))
    assert cli("load", "--quiet", str(feed)) == (1, ["packhouse: cannot be read: [0]: id: expected a text"])
    assert cli("load", "--source", "Not a name", str(feed))[0] == 2
    assert cli("remove", "GHSA-2") == (1, ["packhouse: nothing is known as GHSA-2"])
    assert cli("remove")[0] == cli("remove", "GHSA-2", "--everything")[0] == 2
    assert cli("remove", "--everything") == (0, ["Removed: 0."])
    assert cli("list") == (0, [])
