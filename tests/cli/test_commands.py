"""The commands as an operator runs them, each in a process of its own."""

from pathlib import Path

import pytest
from tests.servers.packhouse import run_cli

PASSWORD = "correct horse battery staple"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return str(path)


def test_help_names_every_command(home: Path) -> None:
    text = run_cli(home, "--help").stdout
    assert all(name in text for name in ("serve", "work", "check", "user", "token", "reconcile", "manage", "config"))
    assert not home.exists()


def test_a_wrong_setting_ends_every_command_with_status_2_and_that_text_alone(home: Path) -> None:
    home.mkdir()
    (home / "packhouse.toml").write_text("port = 'none'\n")
    for command in (["serve"], ["check"], ["work"], ["manage", "check"], ["config", "show"]):
        done = run_cli(home, *command, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("packhouse: port (")
        assert len(done.stderr.splitlines()) == 1


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = run_cli(blocked / "home", "check", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("packhouse: home (PACKHOUSE_HOME): expected a folder to write in")


@pytest.mark.django_db
def test_a_user_and_a_token_are_made_in_a_new_home(home: Path, live_database: str | None, password_file: str) -> None:
    made = run_cli(
        home, "user", "create", "ada", "--email", "ada@example.org", "--password-file", password_file, "--verified",
        database=live_database,
    )  # fmt: skip
    assert made.stdout == "Created ada.\n"
    again = run_cli(
        home, "user", "create", "Ada", "--email", "a@example.org", "--password-file", password_file,
        database=live_database, check=False,
    )  # fmt: skip
    assert again.returncode == 1
    assert "Traceback" not in again.stderr

    token = run_cli(home, "token", "create", "--user", "ada", "--description", "laptop", database=live_database)
    assert token.stdout.startswith("packhouse-")
    assert len(token.stdout.split()) == 1

    for wrong, complaint in ((["--user", "eve"], "no user eve"), (["--user", "ada", "--project", "x"], "no project x")):
        refused = run_cli(home, "token", "create", *wrong, "--description", "y", database=live_database, check=False)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert complaint in refused.stderr


def test_check_tells_what_is_plugged_in_and_fails_when_something_essential_does(home: Path, tmp_path: Path) -> None:
    run_cli(home, "manage", "migrate", "--verbosity", "0")
    done = run_cli(home, "check", check=False)
    parts = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert {"database", "migrations", "files", "cache", "tasks", "mail", "search", "purge"} == set(parts)
    assert "sqlite" in parts["database"]
    (home / "packhouse.toml").write_text(f'files = "file://{tmp_path}/home/packhouse.db"\n')
    broken = run_cli(home, "check", check=False)
    assert broken.returncode == 1
    assert "FAILS" in broken.stdout


def test_a_database_that_is_behind_is_not_used(home: Path, password_file: str) -> None:
    run_cli(home, "manage", "migrate", "accounts", "--verbosity", "0")
    done = run_cli(
        home, "user", "create", "ada", "--email", "a@example.org", "--password-file", password_file, check=False
    )
    assert done.returncode == 1
    assert "packhouse manage migrate" in done.stderr
