"""A publisher who remembers what was promised: which uploads were acknowledged, and which were not."""

import base64
import hashlib
import http.client
import json
import random
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.builders import make_wheel
from tests.servers.packhouse import Running
from tests.uploads.publishing import BOUNDARY, body_of, fields_for

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


def make_publisher(index: Running) -> str:
    """Ada, who may start as many projects as the index lets her; returns her token."""
    password = index.home / "password"
    password.write_text("a long password of the faults")
    index.run_cli("user", "create", "ada", "--email", "a@b.example", "--password-file", str(password), "--verified")
    return index.run_cli("token", "create", "--user", "ada", "--description", "faults").stdout.strip()


def upload(url: str, token: str, file: tuple[str, bytes], name: str, version: str) -> int:
    """POST over a connection of its own; the status, or 0 when no answer came."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    basic = base64.b64encode(f"__token__:{token}".encode()).decode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Authorization": f"Basic {basic}"}
    body = body_of({**fields_for(*file, name, version), "content": (*file, "application/octet-stream")}.items())
    try:
        connection.request("POST", "/legacy/", body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return answer.status


def read(url: str, path: str) -> bytes:
    """GET over a connection of its own.  AssertionError unless it is a 200."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", path, headers=JSON)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, (path, answer.status, body[:300])
    return body


def listed(url: str, name: str) -> dict[str, tuple[str, str]]:
    """The files of a project's simple page: name → (path, sha256)."""
    files = json.loads(read(url, f"/simple/{name}/"))["files"]
    return {file["filename"]: (urlsplit(file["url"]).path, file["hashes"]["sha256"]) for file in files}


@dataclass
class Ledger:
    """Uploads of one project, and what the index said: the version leads to the file."""

    name: str
    random: random.Random
    acknowledged: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    unanswered: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    odd: list[int] = field(default_factory=list)

    def publish_until(self, stop: threading.Event, url: str, token: str, part: int) -> None:
        """Upload one version after another."""
        number = 0
        while not stop.is_set():
            number += 1
            version = f"{part}.{len(self.acknowledged) + len(self.unanswered)}.{number}"
            files = {f"{self.name}/data.bin": self.random.randbytes(self.random.randrange(1, 400_000))}
            file = make_wheel(name=self.name, version=version, files=files)
            status = upload(url, token, file, self.name, version)
            (self.acknowledged if status == 200 else self.unanswered)[version] = file
            if status not in {0, 200}:
                self.odd.append(status)
            if status == 0:
                stop.wait(0.05)

    def check(self, url: str, token: str) -> None:
        """What was acknowledged is there, byte for byte; what was not can be sent again; then all of it is there."""
        self._is_there(url)
        for version, file in self.unanswered.items():
            assert upload(url, token, file, self.name, version) == 200, version
        self.acknowledged |= self.unanswered
        self.unanswered = {}
        self._is_there(url)

    def _is_there(self, url: str) -> None:
        files = listed(url, self.name) if self.acknowledged else {}
        for filename, content in self.acknowledged.values():
            path, sha256 = files[filename]
            assert sha256 == hashlib.sha256(content).hexdigest()
            assert read(url, path) == content
