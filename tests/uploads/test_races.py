"""Uploads at the same moment, to two server processes: one wins, the others hear the right thing, nothing breaks."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.builders import make_sdist, make_wheel
from tests.servers import packhouse
from tests.uploads.publishing import BOUNDARY, body_of, fields_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[packhouse.Running]:
    database = None
    if request.config.getoption("--database") == "postgresql":
        database = request.getfixturevalue("postgres_server").create_database("races")
    with packhouse.running(tmp_path_factory.mktemp("races"), database=database, workers=2) as index:
        password = index.home / "password"
        password.write_text("correct horse battery staple")
        index.run_cli("user", "create", "ada", "--email", "a@b.example", "--password-file", str(password), "--verified")
        yield index


@pytest.fixture
def token(index: packhouse.Running, request: pytest.FixtureRequest) -> str:
    return index.run_cli("token", "create", "--user", "ada", "--description", request.node.name).stdout.strip()


def a_file(file: tuple[str, bytes], name: str, version: str = "1.0") -> bytes:
    return body_of({**fields_for(*file, name, version), "content": (*file, "")}.items())


def together(index: packhouse.Running, token: str, bodies: list[bytes]) -> Counter[tuple[int, str | None]]:
    """Post all *bodies* at once; how often each status and reason was answered."""
    answers: list[tuple[int, str | None]] = []
    start = threading.Barrier(len(bodies))

    def post(body: bytes) -> None:
        connection = http.client.HTTPConnection(urlsplit(index.url).netloc, timeout=60)
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Authorization": f"Bearer {token}"}
        start.wait()
        connection.request("POST", "/legacy/", body, headers)
        answer = connection.getresponse()
        answer.read()
        answers.append((answer.status, answer.getheader("X-Packhouse-Reason")))
        connection.close()

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(answers)


def test_the_same_file_sixty_four_times_is_welcome_each_time(index: packhouse.Running, token: str) -> None:
    body = a_file(make_wheel("same"), "same")
    assert together(index, token, [body] * 64) == {(200, None): 64}


def test_of_sixty_four_files_of_one_name_one_is_published(index: packhouse.Running, token: str) -> None:
    files = [make_wheel("other", files={f"x{number}.py": b""}) for number in range(64)]
    answers = together(index, token, [a_file(file, "other") for file in files])
    assert answers == {(200, None): 1, (400, "file-exists"): 63}


def test_of_names_that_look_alike_one_is_taken(index: packhouse.Running, token: str) -> None:
    names = ["look-lll", "look-ill", "look-lil", "look-lli", "look-iil", "look-1ll", "look-l1l", "l00k-lll"]
    answers = together(index, token, [a_file(make_wheel(name), name) for name in names])
    assert answers == {(200, None): 1, (400, "project-name-too-similar"): 7}


def test_a_new_projects_first_files_may_come_at_once(index: packhouse.Running, token: str) -> None:
    bodies = [a_file(make_wheel("busy", f"{number}.0"), "busy", f"{number}.0") for number in range(15)]
    assert together(index, token, [*bodies, a_file(make_sdist("busy"), "busy")]) == {(200, None): 16}


def test_parallel_files_never_outgrow_their_project(tmp_path: Path) -> None:
    with packhouse.running(
        tmp_path / "home",
        workers=2,
        env={"PACKHOUSE_FILE_SIZE_LIMIT": "10KiB", "PACKHOUSE_PROJECT_SIZE_LIMIT": "10KiB"},
    ) as index:
        password = index.home / "password"
        password.write_text("correct horse battery staple")
        index.run_cli("user", "create", "ada", "--email", "a@b.example", "--password-file", str(password), "--verified")
        token = index.run_cli("token", "create", "--user", "ada", "--description", "x").stdout.strip()
        files = [make_wheel("full", f"{number}.0") for number in range(50)]
        answers = together(index, token, [a_file(f, "full", f"{n}.0") for n, f in enumerate(files)])
        room = 10 * 1024 // max(len(content) for _, content in files)
        assert answers == {(200, None): room, (400, "project-too-large"): 50 - room}
