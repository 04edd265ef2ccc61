"""Uploads of small wheels, several at a time, by a client on the other core."""

import base64
import hashlib
import http.client
import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.builders import make_wheel


@dataclass(slots=True)
class Uploads:
    """How many uploads a second, their median and 99th percentile in milliseconds, and answers other than 200."""

    rate: float
    p50: float
    p99: float
    refused: list[tuple[int, bytes]] = field(default_factory=list)


def wheels(project: str, count: int, start: int = 0) -> Iterator[tuple[str, str, str, bytes]]:
    """(name, version, file name, bytes) of *count* wheels of some 10 kB, one version each."""
    for number in range(start, start + count):
        version = f"999.{number}"
        filler = {f"{project}/data.bin": hashlib.sha512(str(number).encode()).digest() * 140}
        filename, content = make_wheel(project, version, files=filler)
        yield project, version, filename, content


def forms(items: Iterable[tuple[str, str, str, bytes]]) -> list[tuple[str, bytes]]:
    """Ready requests: (content type, body)."""
    return [_form(*item) for item in items]


def _form(name: str, version: str, filename: str, content: bytes) -> tuple[str, bytes]:
    boundary = "boundary" + hashlib.md5(content).hexdigest()
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": name,
        "version": version,
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
    }
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
    parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode()


def run(url: str, token: str, ready: list[tuple[str, bytes]], parallel: int) -> Uploads:
    """Send all forms, *parallel* at a time."""
    authorization = "Basic " + base64.b64encode(f"__token__:{token}".encode()).decode()
    waiting = list(reversed(ready))
    times: list[float] = []
    refused: list[tuple[int, bytes]] = []

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        while True:
            try:
                content_type, body = waiting.pop()
            except IndexError:
                return
            began = time.perf_counter()
            headers = {"Content-Type": content_type, "Authorization": authorization}
            connection.request("POST", "/legacy/", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            times.append(1000 * (time.perf_counter() - began))
            if answer.status != 200:
                refused.append((answer.status, text[:200]))

    began = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(parallel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return Uploads(len(times) / seconds, statistics.median(times), sorted(times)[int(len(times) * 0.99) - 1], refused)
