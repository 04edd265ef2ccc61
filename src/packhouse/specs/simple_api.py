"""Rendering of the simple repository API, HTML and JSON: from plain values to bytes, nothing else.

PEP 503 (HTML), 592 (yank), 629 (version), 658 and 714 (metadata), 691 (JSON), 700 (sizes, versions), 740 (provenance),
792 (status), 833 (the shape of the HTML is frozen).  Clients read the HTML with regular expressions, so its white space
and the order of its attributes are part of the interface.  A document is a head, items, and a tail; JSON items are
joined by commas, HTML items follow each other.  JSON is compact, with sorted keys and unescaped UTF-8.
"""

import html
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

API_VERSION = "1.4"

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.\-~/+]*", re.ASCII)
_SAFE_IN_PATH = "/~!$&'()*+,;=:@"
_FILES_HEAD = b'{"files":['


class ListedFile(NamedTuple):
    """One file as installers see it.  Empty strings stand for "none", except that a yank may have an empty reason.

    ``url`` is absolute and without fragment, digests are lower-case hex, ``size`` is in bytes.  ``metadata_sha256`` is
    the digest of the ``.metadata`` file beside it, ``provenance`` the URL of its provenance object.
    """

    filename: str
    url: str
    sha256: str
    size: int
    uploaded: datetime
    requires_python: str = ""
    yanked: bool = False
    yanked_reason: str = ""
    metadata_sha256: str = ""
    provenance: str = ""


class Frame(NamedTuple):
    """What stands around the items of a document, in each format."""

    html_head: bytes
    html_tail: bytes
    json_head: bytes
    json_tail: bytes


dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
"""*value* as compact JSON text with sorted keys; encode it with `json_bytes`."""
quoted = json.encoder.encode_basestring
"""The same for text alone, without looking what it is."""


def json_bytes(text: str) -> bytes:
    """UTF-8 of JSON *text*; a lone surrogate, which UTF-8 cannot hold, becomes its JSON escape."""
    return text.encode("utf-8", "backslashreplace")


def file_url(public_url: str, path: str) -> str:
    """The absolute URL of the file stored under *path*.  *public_url* has no slash at its end."""
    if _PLAIN_PATH.fullmatch(path) is None:
        path = quote(path, safe=_SAFE_IN_PATH, errors="surrogatepass")
    return f"{public_url}/packages/{path}"


def provenance_url(public_url: str, normalized_name: str, version: str, filename: str) -> str:
    """The absolute URL of a file's provenance object (PEP 740).  *public_url* has no slash at its end."""
    place = "/".join(quote(part, safe="~!$&'()*+,;=:@") for part in (normalized_name, version, filename))
    return f"{public_url}/integrity/{place}/provenance"


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC, without zone; microseconds are left out when they are zero."""
    if moment.tzinfo is UTC:
        return moment.isoformat()[:-6]
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def html_item(file: ListedFile) -> bytes:
    """The line of *file* in the HTML of its project."""
    attributes = ""
    if file.requires_python:
        attributes = f'data-requires-python="{_escape(file.requires_python)}" '
    if file.yanked:
        attributes += f'data-yanked="{_escape(file.yanked_reason)}" '
    if file.metadata_sha256:
        digest = f'"sha256={_escape(file.metadata_sha256)}"'
        attributes += f"data-dist-info-metadata={digest} data-core-metadata={digest}"
    if file.provenance:
        attributes += f' data-provenance="{_escape(file.provenance)}"'
    href = f"{_escape(file.url)}#sha256={_escape(file.sha256)}"
    return _html_bytes(f'<a href="{href}" {attributes}>{_escape(file.filename)}</a><br />\n')


def json_item(file: ListedFile) -> bytes:
    """The object of *file* in the JSON of its project.  Written by hand: a project may have thousands."""
    core = f'{{"sha256":{quoted(file.metadata_sha256)}}}' if file.metadata_sha256 else "false"
    yanked = (quoted(file.yanked_reason) if file.yanked_reason else "true") if file.yanked else "false"
    return json_bytes(
        f'{{"core-metadata":{core},"data-dist-info-metadata":{core},"filename":{quoted(file.filename)}'
        f',"hashes":{{"sha256":{quoted(file.sha256)}}}'
        f',"provenance":{quoted(file.provenance) if file.provenance else "null"}'
        f',"requires-python":{quoted(file.requires_python) if file.requires_python else "null"}'
        f',"size":{file.size},"upload-time":"{utc_text(file.uploaded)}Z","url":{quoted(file.url)},"yanked":{yanked}}}'
    )


def detail_frame(name: str, *, status: str, serial: int, versions: Sequence[str]) -> Frame:
    """What stands around a project's files.  *name* is normalised; *versions* ascend (PEP 440)."""
    title = _escape(name)
    meta = f'{{"_last-serial":{serial},"api-version":"{API_VERSION}"}}'
    return Frame(
        html_head=_html_bytes(
            "<!DOCTYPE html>\n"
            '<html lang="en">\n'
            "  <head>\n"
            f'    <meta name="pypi:repository-version" content="{API_VERSION}">\n'
            f'<meta name="pypi:project-status" content="{_escape(status)}">    <title>Links for {title}</title>\n'
            "  </head>\n"
            "  <body>\n"
            f"    <h1>Links for {title}</h1>\n"
        ),
        html_tail=f"</body>\n</html>\n<!--SERIAL {serial}-->".encode(),
        json_head=_FILES_HEAD,
        json_tail=json_bytes(
            f'],"meta":{meta},"name":{quoted(name)},"project-status":{{"status":{dump(status)}}}'
            f',"versions":{dump(list(versions))}}}\n'
        ),
    )


def versions_in(json_tail: bytes) -> list[str]:
    """The versions listed at the end of a project's JSON, see `detail_frame`; ``ValueError`` for any other bytes."""
    versions = json.loads(_FILES_HEAD + json_tail).get("versions")
    if not isinstance(versions, list):
        raise ValueError("the end of a project's JSON lists no versions")  # noqa: TRY004 - bytes, not an argument
    return versions


def index_html_item(name: str, normalized_name: str) -> bytes:
    """The line of a project in the HTML of the index; *name* is the display spelling."""
    return _html_bytes(f'<a href="/simple/{_escape(quote(normalized_name))}/">{_escape(name)}</a>\n')


def index_json_item(name: str, serial: int) -> bytes:
    """The object of a project in the JSON of the index; *name* is the display spelling."""
    return json_bytes(f'{{"_last-serial":{serial},"name":{quoted(name)}}}')


def index_frame(serial: int) -> Frame:
    """What stands around the projects of the index; *serial* is the newest of all."""
    return Frame(
        html_head=(
            "<!DOCTYPE html>\n"
            '<html lang="en">\n'
            "  <head>\n"
            f'    <meta name="pypi:repository-version" content="{API_VERSION}">\n'
            "    <title>Simple index</title>\n"
            "  </head>\n"
            "  <body>\n"
        ).encode(),
        html_tail=b"</body>\n</html>",
        json_head=f'{{"meta":{{"_last-serial":{serial},"api-version":"{API_VERSION}"}},"projects":['.encode(),
        json_tail=b"]}\n",
    )


def _escape(text: str) -> str:
    """For text and for attributes in double quotes.  Quotes become numbers, as the frozen HTML has them."""
    return html.escape(text, quote=False).replace('"', "&#34;").replace("'", "&#39;")


def _html_bytes(text: str) -> bytes:
    return text.encode("utf-8", "xmlcharrefreplace")
