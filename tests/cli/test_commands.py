"""The commands as an operator runs them."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.servers.packhouse import run_cli

from packhouse.cli import main

Run = Callable[..., Result]
PASSWORD = "correct horse battery staple"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return str(path)


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a command in this process, on the home and the database of the tests."""
    environment, handlers, level, mask = dict(os.environ), logging.root.handlers[:], logging.root.level, os.umask(0)
    yield lambda *arguments: CliRunner().invoke(main, arguments)
    os.umask(mask)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    os.environ.clear()
    os.environ.update(environment)


def test_help_names_every_command(home: Path) -> None:
    text = run_cli(home, "--help").stdout
    assert all(
        name in text for name in ("serve", "work", "check", "user", "token", "address", "reconcile", "manage", "config")
    )
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


def test_a_user_and_a_token_are_made_in_a_new_home(home: Path, live_database: str | None, password_file: str) -> None:
    made = run_cli(
        home, "user", "create", "ada", "--email", "ada@example.org", "--password-file", password_file, "--verified",
        database=live_database,
    )  # fmt: skip
    assert made.stdout == "Created ada.\n"
    token = run_cli(home, "token", "create", "--user", "ada", "--description", "laptop", database=live_database)
    assert token.stdout.startswith("packhouse-")
    assert len(token.stdout.split()) == 1
    endless = ("token", "create", "--user", "ada", "--description", "robot", "--expires", "never")
    assert run_cli(home, *endless, database=live_database).returncode == 0
    listed = run_cli(home, "token", "list", "--user", "ada", database=live_database).stdout.splitlines()
    assert {line.split()[-1]: "until" in line for line in listed} == {"laptop": True, "robot": False}


@pytest.mark.django_db
def test_a_name_that_is_taken_or_missing_is_refused_in_a_sentence(run: Run, password_file: str) -> None:
    ada = ("user", "create", "ada", "--email", "ada@example.org", "--password-file", password_file)
    assert run(*ada).exit_code == 0
    for command, complaint in (
        (ada, "already"),
        (("token", "create", "--user", "eve", "--description", "x"), "there is no user eve"),
        (("token", "create", "--user", "ada", "--project", "X.y", "--description", "x"), "there is no project X.y"),
    ):
        refused = run(*command)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert complaint in refused.stderr


@pytest.mark.django_db
def test_check_tells_what_is_plugged_in_and_that_it_answers(run: Run) -> None:
    done = run("check")
    parts = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(parts) == {"database", "migrations", "files", "cache", "tasks", "mail", "search", "purge"}
    assert all(" ok" in line for line in parts.values())
    assert done.exit_code == 0


@pytest.mark.django_db
def test_reconcile_mends_what_it_finds_unless_told_only_to_look(run: Run) -> None:
    looked, mended, again = run("reconcile", "--dry-run"), run("reconcile", "--deep"), run("reconcile", "--dry-run")
    assert "document-missing index" in looked.stdout
    assert [looked.exit_code, mended.exit_code, again.exit_code] == [1, 0, 0]


def test_check_fails_where_something_essential_does(home: Path) -> None:
    done = run_cli(home, "check", check=False)
    assert done.returncode == 1
    assert next(line for line in done.stdout.splitlines() if "FAILS" in line).startswith("migrations")


def test_a_database_that_is_behind_is_not_used(home: Path, password_file: str) -> None:
    home.mkdir()
    with closing(sqlite3.connect(home / "packhouse.db")) as database, database:
        database.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app, name, applied)")
        database.execute("INSERT INTO django_migrations VALUES (1, 'accounts', '0001_initial', '2026-01-01')")
    done = run_cli(
        home, "user", "create", "ada", "--email", "a@example.org", "--password-file", password_file, check=False
    )
    assert done.returncode == 1
    assert "packhouse manage migrate" in done.stderr
