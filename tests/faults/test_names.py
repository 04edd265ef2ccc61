"""Sixty-four uploads of one name at once, to two servers; a third of the clients hang up before they are answered.

And the same while the file of that name is deleted.
"""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests.builders import make_wheel
from tests.faults.conftest import Figures
from tests.faults.invariants import check
from tests.faults.publishing import Upload, new_token, send
from tests.faults.test_steps import Operator
from tests.servers import packhouse
from tests.uploads.publishing import BOUNDARY

AT_ONCE = 64
WHILE_DELETING, MOST_SENT = 8, 2000
COUNTING = threading.Lock()


def hang_up(url: str, token: str, body: bytes) -> None:
    """Send an upload and leave before the answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=180)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Authorization": f"Bearer {token}"}
    connection.request("POST", "/legacy/", body, headers)
    connection.close()


def together(urls: list[str], token: str, uploads: list[Upload], chance: random.Random) -> Counter[str]:
    answers: Counter[str] = Counter()
    start, lock = threading.Barrier(len(uploads)), threading.Lock()

    def post(url: str, upload: Upload, stays: bool) -> None:
        start.wait()
        if not stays:
            hang_up(url, token, upload.body())
            return
        status, reason = send(url, token, upload.body())
        with lock:
            answers[f"{status} {reason}" if reason else str(status)] += 1

    threads = [
        threading.Thread(target=post, args=(chance.choice(urls), upload, chance.random() > 0.33)) for upload in uploads
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_many_uploads_of_one_name_one_is_published_and_its_bytes_never_change(
    tmp_path: Path, live_database: str | None, rounds: Callable[[int, int], Iterator[int]], figures: Figures
) -> None:
    home, chance = tmp_path / "home", random.Random("names")
    counted: Counter[str] = Counter()
    with packhouse.running(home, database=live_database, workers=2) as index:
        token = new_token(index)
        for number in rounds(1, 100):  # each is two: the same bytes, and different ones
            project, version = f"name-{number % 5}", f"{number}.0"
            same = Upload(project, version, *make_wheel(project, version))
            answers = together([index.url], token, [same] * AT_ONCE, chance)
            assert set(answers) == {"200"}
            other = [
                Upload(project, f"{version}.1", *make_wheel(project, f"{version}.1", files={f"x{which}.py": b""}))
                for which in range(AT_ONCE)
            ]
            different = together([index.url], token, other, chance)
            assert set(different) <= {"200", "400 file-exists"}
            assert different["200"] <= 1
            counted += answers + different
            if number == 0:
                before = check(index.url, home, database=index.database).listed
        found = check(index.url, home, database=index.database, before=before)
        assert found.violations == []
        assert before.items() <= found.listed.items()
        figures(rounds=2 * (number + 1), answers=counted, files=len(found.listed))


def wheel_of(version: str, *files: str) -> Upload:
    return Upload("fault-0", version, *make_wheel("fault-0", version, files=dict.fromkeys(files, b"")))


def delete_soon(operator: Operator, version: str, seconds: float, deleted: list[bool]) -> None:
    time.sleep(seconds)
    deleted.append(operator.run("delete", version))


def insist(url: str, token: str, upload: Upload, answers: Counter[str]) -> None:
    """Send *upload* again and again, until told that its name was used before."""
    for _ in range(MOST_SENT):
        status, reason = send(url, token, upload.body())
        with COUNTING:
            answers[f"{status} {reason}" if reason else str(status)] += 1
        if reason == "filename-reused":
            return


def test_a_file_that_is_deleted_while_many_send_it_again_stays_deleted(
    tmp_path: Path, live_database: str | None, rounds: Callable[[int, int], Iterator[int]], figures: Figures
) -> None:
    """Half of them send its bytes and half others; all are told in the end that the name was used before."""
    home, chance, counted, deleted = tmp_path / "home", random.Random("deleted"), Counter[str](), list[bool]()
    with packhouse.running(home, database=live_database, workers=2) as index:
        token, operator = new_token(index), Operator(index, tmp_path / "trace")
        try:
            assert operator.run("write-back", "-")  # it has started, and nobody waits for that below
            for number in rounds(2, 100):
                file = wheel_of(f"{number}.0")
                assert send(index.url, token, file.body())[0] == 200
                sent = [wheel_of(file.version, *[f"x{which}.py"] * (which % 2)) for which in range(WHILE_DELETING)]
                threads = [threading.Thread(target=insist, args=(index.url, token, one, counted)) for one in sent]
                moment = (operator, file.version, chance.uniform(0, 0.2), deleted)
                threads.append(threading.Thread(target=delete_soon, args=moment))
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
        finally:
            operator.close()
        found = check(index.url, home, database=index.database)
    assert set(deleted) == {True}
    assert set(counted) <= {"200", "400 file-exists", "400 filename-reused"}
    assert counted["400 filename-reused"] == WHILE_DELETING * len(deleted)
    assert found.violations == []
    assert found.listed == {}
    figures(rounds=number + 1, answers=counted)
