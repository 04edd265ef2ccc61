"""Clients that publish over HTTP and remember what they were told."""

import hashlib
import http.client
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.builders import make_sdist, make_wheel
from tests.servers.packhouse import Running, environment
from tests.uploads.publishing import BOUNDARY, body_of, fields_for

TREE = Path(__file__).parents[2]
SECRETS = "secrets-of-the-tests"
"""The folder in a home where the tests keep what is to be found nowhere else."""
DOOMED = 900_000_000
"""Uploads of this number and above are there to be deleted: their versions say so."""
PROJECTS = 12
"""As many as one user may start within an hour, and some room."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to publish."""

    project: str
    version: str
    filename: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def body(self) -> bytes:
        file = (self.filename, self.content)
        return body_of({**fields_for(*file, self.project, self.version), "content": (*file, "")}.items())


def new_upload(number: int, *, size: int = 0, projects: int = PROJECTS, prefix: str = "fault") -> Upload:
    """The file of that *number*: three wheels, then an sdist; wheels have *size* bytes of padding."""
    project, version = f"{prefix}-{number % projects}", f"{number}.0"
    padding = {f"data_{number}.bin": random.Random(number).randbytes(size)} if size else {}
    if number % 4 == 3:
        return Upload(project, version, *make_sdist(project, version))
    part = project.replace("-", "_")
    return Upload(project, version, *make_wheel(project, version, files={f"{part}.py": b"", **padding}))


def send(url: str, token: str, body: bytes, *, timeout: float = 180) -> tuple[int, str | None]:
    """POST one upload; its status and reason.  Raises ``OSError`` or ``HTTPException`` when no answer comes."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Authorization": f"Bearer {token}"}
    try:
        connection.request("POST", "/legacy/", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("X-Packhouse-Reason")
    finally:
        connection.close()


@dataclass(slots=True)
class Told:
    """What publishers were told: ``acknowledged`` files were answered 200, ``unknown`` ones not, or not at all."""

    acknowledged: dict[str, Upload] = field(default_factory=dict)
    unknown: dict[str, Upload] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, upload: Upload, answer: str) -> None:
        with self.lock:
            self.answers[answer] += 1
            if answer == "200":
                self.acknowledged[upload.filename] = upload
                self.unknown.pop(upload.filename, None)
            elif upload.filename not in self.acknowledged:
                self.unknown[upload.filename] = upload


def slowly(body: bytes, seconds: float, begun: threading.Event, pieces: int = 20) -> Iterator[bytes]:
    """*body* in pieces that take *seconds* together: an upload over a thin line."""
    size = len(body) // pieces + 1
    for start in range(0, len(body), size):
        time.sleep(seconds / pieces)
        yield body[start : start + size]
        begun.set()


def send_slowly(url: str, token: str, body: bytes, seconds: float, *, begun: threading.Event | None = None) -> int:
    """Like ``send``, over a thin line; the status alone.  *begun* is set when some of it has been sent."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=seconds + 180)
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    headers = {"Content-Type": kind, "Authorization": f"Bearer {token}", "Content-Length": str(len(body))}
    try:
        connection.request("POST", "/legacy/", slowly(body, seconds, begun or threading.Event()), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def publish(url: str, token: str, upload: Upload, told: Told, *, timeout: float = 180) -> str:
    """Send *upload* and note what came back: a status, or ``lost`` for no answer."""
    answer = "lost"
    with suppress(OSError, http.client.HTTPException):
        status, reason = send(url, token, upload.body(), timeout=timeout)
        answer = f"{status} {reason}" if reason else str(status)
    told.note(upload, answer)
    return answer


class Load:
    """Publishers who go on until told to stop: new files, and in three of ten cases one that was sent before.

    What is not answered with 200 is sent again until it is.
    """

    def __init__(
        self, urls: list[str], token: str, *, clients: int = 8, largest: int = 200_000, first: int = 0
    ) -> None:
        self.urls = urls  # may be changed while publishers are at work, as a load balancer does
        self.token = token
        self.largest = largest
        self.told = Told()
        self._next = first
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._publish, args=(number,)) for number in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _publish(self, client: int) -> None:
        chance = random.Random(client)
        while not self._stopping.is_set():
            upload = self._choose(chance)
            while publish(chance.choice(self.urls), self.token, upload, self.told) != "200":
                if self._stopping.wait(0.05):  # else it is sent again, until it has arrived
                    return

    def _choose(self, chance: random.Random) -> Upload:
        with self.told.lock:
            before = list(self.told.unknown.values())[-20:] or list(self.told.acknowledged.values())[-50:]
            if before and chance.random() < 0.3:
                return chance.choice(before)
            number, self._next = self._next, self._next + 1
        return new_upload(number, size=1000 + round((self.largest - 1000) * chance.random() ** 3))  # most are small


def new_token(index: Running) -> str:
    """A user's token, the user being new."""
    new_user(index, "ada")
    token = index.run_cli("token", "create", "--user", "ada", "--description", "faults").stdout.strip()
    (index.home / SECRETS / "token").write_text(token)
    return token


def new_user(index: Running, name: str) -> str:
    """Somebody with a verified address; returns *name*."""
    password = index.home / SECRETS / "password"
    password.parent.mkdir(exist_ok=True)
    password.write_text("correct horse battery staple")
    command = ("user", "create", name, "--email", f"{name}@b.example", "--verified")
    index.run_cli(*command, "--password-file", str(password))
    return name


@contextmanager
def changes(
    index: Running, prefix: str, *, seed: str = "changes", env: Mapping[str, str] | None = None, pause: float = 0
) -> Iterator[Counter[str]]:
    """Roles, tokens and yanks of the projects named *prefix*… change all the while; how many of each were committed.

    With a *pause* there are fewer of their letters, all to the same two addresses and so one after the other.
    """
    env = environment(index.home, index.database) | {
        **(env or {}),
        "DJANGO_SETTINGS_MODULE": "packhouse.settings",
        "PACKHOUSE_PUBLIC_URL": index.url,
    }
    command = [sys.executable, "-m", "tests.faults.changing", seed, prefix, str(pause)]
    made: Counter[str] = Counter()
    with subprocess.Popen(command, env=env, cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:

        def count() -> None:
            assert one.stdout is not None
            made.update(line.strip() for line in one.stdout)

        counting = threading.Thread(target=count)
        counting.start()
        try:
            yield made
        finally:
            assert one.stdin is not None
            one.stdin.close()
            counting.join()


def retry_all(url: str, token: str, told: Told) -> list[str]:
    """Send what was not acknowledged once more; those that are still refused (I4)."""
    left = list(told.unknown.values())
    return [f"{upload.filename}: {answer}" for upload in left if (answer := publish(url, token, upload, told)) != "200"]


def soon(ask: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether *ask* becomes true within *seconds*."""
    waited = threading.Event()
    for _ in range(int(seconds * 20)):
        if ask():
            return True
        waited.wait(0.05)
    return False
