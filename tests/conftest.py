"""What every test stands on: a home of its own, one of the two databases, real servers, no way out of the machine."""

import faulthandler
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from tests.servers import nginx, packhouse, postgresql, processes, redis
from tools import catalogues

hypothesis.settings.register_profile("dev", derandomize=True, database=None, deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", derandomize=True, database=None, deadline=None, max_examples=200)

session = ExitStack()
LINES_TOLD = 12
"""Of a failure, at once; the summary has all of them."""
SECONDS_TO_FAIL = 60
"""After a test's time is over: one that does not end then either, its process ends, and says where each thread was."""
told_to = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite", help="what Django runs on")


class Told:
    """Says what failed as soon as it has: a run that is ended from outside never comes to its summary."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._reporter.ensure_newline()
            self._reporter.write_line(f"{report.nodeid} ({report.when}, after {report.duration:.0f} s)", red=True)
            self._reporter.write_line("\n".join(report.longreprtext.splitlines()[-LINES_TOLD:]))


def pytest_configure(config: pytest.Config) -> None:
    """Give this process its home and its database, then load the settings (pytest-django does the rest)."""
    hypothesis.settings.load_profile("ci" if processes.in_ci() else "dev")
    config.stash[told_to] = os.dup(2)  # what a test prints is caught later
    home = Path(tempfile.mkdtemp(prefix="packhouse-tests-"))
    session.callback(shutil.rmtree, home, ignore_errors=True)
    os.environ["PACKHOUSE_HOME"] = str(home)
    os.environ["PACKHOUSE_SECRET_KEY"] = "a-secret-of-the-tests" * 3
    os.environ["PACKHOUSE_DATABASE"] = f"sqlite:///{home}/packhouse.db"
    if config.getoption("--database") == "postgresql":
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        os.environ["PACKHOUSE_DATABASE"] = _shared_cluster().url(f"packhouse_{worker}")
    catalogues.compile_all()
    _load_settings()
    sys.addaudithook(_stay_on_this_machine)


def pytest_sessionstart(session: pytest.Session) -> None:
    plugins = session.config.pluginmanager
    if processes.in_ci() and (reporter := plugins.get_plugin("terminalreporter")):
        plugins.register(Told(reporter))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """pytest-timeout raises an error where the test is, which a clean-up that waits for ever does not let out."""
    given = item.get_closest_marker("timeout")
    seconds = given.args[0] if given else float(item.config.getini("timeout"))
    faulthandler.dump_traceback_later(seconds + SECONDS_TO_FAIL, exit=True, file=item.config.stash[told_to])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_unconfigure() -> None:
    session.close()


def _shared_cluster() -> postgresql.Cluster:
    """The cluster of this run: the first process starts it, and tells pytest-xdist's workers by the environment."""
    if "TESTS_POSTGRESQL_PORT" not in os.environ:
        try:
            cluster = session.enter_context(postgresql.running())
        except pytest.skip.Exception as missing:
            pytest.exit(f"SKIPPED everything on PostgreSQL: {missing}", returncode=0)
        except pytest.fail.Exception as missing:
            pytest.exit(str(missing), returncode=1)
        os.environ["TESTS_POSTGRESQL_PORT"] = str(cluster.port)
        session.callback(os.environ.pop, "TESTS_POSTGRESQL_PORT")
    return postgresql.Cluster(int(os.environ["TESTS_POSTGRESQL_PORT"]))


def _load_settings() -> None:
    """Load the settings, with the very database that ``Config`` names as Django's test database.

    Half of the house reads that database without asking Django.  The variable that names the settings does not stay:
    pytest-xdist's workers would inherit it, and pytest-django load their settings before they have a home.
    """
    from django.conf import settings

    if settings.configured or "DJANGO_SETTINGS_MODULE" in os.environ:
        raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: the tests choose their settings")
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    database = settings.DATABASES["default"]
    del os.environ["DJANGO_SETTINGS_MODULE"]
    database["TEST"] = {"NAME": database["NAME"]}
    if "sqlite" in database["ENGINE"]:
        database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"  # tests survive no power cut


@pytest.fixture(autouse=True)
def _nobody_stays_banned() -> Iterator[None]:
    """What a test bans is forgotten with it: its transaction, which would tell of that, is rolled back."""
    yield
    if "packhouse.accounts.bans" in sys.modules:
        sys.modules["packhouse.accounts.bans"].forget()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """pytest-django would rename the database for each worker; each has its own already."""


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Databases go with their home or cluster; dropping them first would fail where a thread still has a connection."""
    return True


@pytest.fixture(scope="session")
def django_db_use_migrations() -> bool:
    """Tables come from migrations as soon as every room with models has them."""
    rooms = Path(__file__).parents[1] / "src" / "packhouse"
    return all((models.parent / "migrations" / "__init__.py").exists() for models in rooms.glob("*/models.py"))


def _stay_on_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: a test that opens a connection to another machine fails."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not _is_loopback(str(address[0])):
        pytest.fail(f"a test tried to connect to {address[0]}, which is not this machine")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgresql.Cluster]:
    """A PostgreSQL cluster: that of the run on PostgreSQL, else one of this worker's own."""
    if port := os.environ.get("TESTS_POSTGRESQL_PORT"):
        yield postgresql.Cluster(int(port))
        return
    with postgresql.running() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a Redis, one for each worker; whoever uses it chooses keys of their own."""
    with redis.running() as url:
        yield url


@pytest.fixture
def nginx_server() -> Iterator[Callable[..., str]]:
    """``nginx_server(server_block, http="")`` starts an nginx for this test and returns its URL."""
    with ExitStack() as servers:
        yield lambda server_block, http="": servers.enter_context(nginx.running(server_block, http=http))


@pytest.fixture
def live_database(request: pytest.FixtureRequest) -> str | None:
    """The database for a live server of this test: fresh on PostgreSQL, None (its home's) on SQLite."""
    if request.config.getoption("--database") == "sqlite":
        return None
    cluster: postgresql.Cluster = request.getfixturevalue("postgres_server")
    return cluster.create_database("live")


@pytest.fixture
def live_server_process(tmp_path: Path, live_database: str | None) -> Iterator[packhouse.Running]:
    """A whole index for one test: ``packhouse serve`` on an empty home, on the database of this run."""
    with packhouse.running(tmp_path / "home", database=live_database) as index:
        yield index
