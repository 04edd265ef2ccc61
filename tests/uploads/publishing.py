"""Uploading as a client does: one multipart POST to ``/legacy/``."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpResponse
from django.test import Client
from tests.builders import make_sdist, make_wheel

BOUNDARY = "a-boundary-of-the-tests"
Part = tuple[str, str | bytes | tuple[str, bytes, str]]


def credentials(text: str, username: str = "__token__") -> str:
    """The ``Authorization`` header that twine sends."""
    return "Basic " + base64.b64encode(f"{username}:{text}".encode()).decode()


def body_of(parts: Iterable[Part]) -> bytes:
    """The parts as multipart/form-data; a value is a text, or (file name, content, content type)."""
    out = b""
    for name, value in parts:
        filename, content, kind = value if isinstance(value, tuple) else (None, value, "")
        disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
        head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n" + (f"Content-Type: {kind}\r\n" if kind else "")
        out += head.encode() + b"\r\n" + (content.encode() if isinstance(content, str) else content) + b"\r\n"
    return out + f"--{BOUNDARY}--\r\n".encode()


def fields_for(filename: str, content: bytes, name: str = "demo", version: str = "1.0") -> dict[str, Any]:
    """What a client says of a file beside sending it."""
    is_wheel = filename.endswith(".whl")
    return {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.4",
        "name": name,
        "version": version,
        "summary": "A demonstration",
        "filetype": "bdist_wheel" if is_wheel else "sdist",
        "pyversion": "py3" if is_wheel else "source",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
    }


def post(body: bytes, *, token: str = "", kind: str = "", path: str = "/legacy/", **headers: str) -> HttpResponse:
    """POST *body* with the token in the header."""
    if token:
        headers.setdefault("Authorization", credentials(token))
    kind = kind or f"multipart/form-data; boundary={BOUNDARY}"
    return Client().generic("POST", path, body, content_type=kind, headers=headers)  # type: ignore[return-value]


def upload(
    file: tuple[str, bytes] | None = None,
    *,
    token: str = "",
    change: Mapping[str, Any] | None = None,
    more: Iterable[Part] = (),
    content_type: str = "application/octet-stream",
    headers: Mapping[str, str] | None = None,
    path: str = "/legacy/",
    **about: str,
) -> HttpResponse:
    """Upload *file* (a good wheel unless told otherwise); ``change`` sets fields, None leaves them out."""
    filename, content = file or make_wheel(**about)  # type: ignore[arg-type]
    fields = (
        fields_for(filename, content, **about) | {"content": (filename, content, content_type)} | dict(change or {})
    )
    parts = [(name, value) for name, value in fields.items() if value is not None]
    return post(body_of([*parts, *more]), token=token, path=path, **dict(headers or {}))


wheel, sdist = make_wheel, make_sdist
