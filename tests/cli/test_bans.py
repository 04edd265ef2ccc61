"""``packhouse address``, beside an index that is running."""

from pathlib import Path

from tests.protocol import wire
from tests.servers.packhouse import Running, run_cli, running

EVERY_WORKER = 12
"""Requests on connections of their own, so that each of two worker processes gets some."""


def statuses(index: Running, token: str) -> set[int]:
    sent = {"Authorization": f"Bearer {token}"}
    return {wire.ask(index.url, "/api/v1/tokens", **sent).status for _ in range(EVERY_WORKER)}


def test_a_ban_and_its_end_hold_for_the_next_request_of_every_process(
    tmp_path: Path, live_database: str | None
) -> None:
    with running(tmp_path / "home", database=live_database, workers=2) as index:
        (tmp_path / "password").write_text("correct horse battery staple")
        made = ("user", "create", "ada", "--email", "ada@example.org", "--password-file", str(tmp_path / "password"))
        index.run_cli(*made, "--verified")
        grants = ("--permission", "manage")
        token = index.run_cli("token", "create", "--user", "ada", "--description", "robot", *grants).stdout.strip()
        assert statuses(index, token) == {200}
        assert index.run_cli("address", "ban", "127.0.0.1", "::1").stdout == "Banned: 2.\n"
        assert statuses(index, token) == {401}
        assert index.run_cli("address", "allow", "127.0.0.1").stdout == "Allowed: 127.0.0.1.\n"
        assert statuses(index, token) == {200}


def test_bans_are_listed_and_what_is_wrong_is_told(tmp_path: Path, live_database: str | None) -> None:
    def cli(*arguments: str, check: bool = True) -> tuple[int, str]:
        done = run_cli(tmp_path / "home", "address", *arguments, database=live_database, check=check)
        return done.returncode, done.stdout + done.stderr

    cli("ban", "192.0.2.9/24", "2001:db8::1", "--for", "30", "--comment", "spam")
    cli("ban", "198.51.100.7")
    _, listed = cli("list")
    assert [line.split()[0] for line in listed.splitlines()] == ["198.51.100.7", "2001:db8::1", "192.0.2.0/24"]
    assert ["until" in line for line in listed.splitlines()] == [False, True, True]
    assert all(line.endswith("spam") for line in listed.splitlines()[1:])
    assert cli("ban", "192.0.2.999", check=False) == (
        1,
        "packhouse: “192.0.2.999” is neither an address nor a network.\n",
    )
    assert cli("allow", "192.0.2.7", check=False) == (1, "packhouse: 192.0.2.7 is not banned\n")
    assert cli("list")[1] == listed
