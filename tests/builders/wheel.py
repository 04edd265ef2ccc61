"""A wheel in memory (PEP 427, 491, 639, 770)."""

import base64
import csv
import hashlib
import io
from collections.abc import Collection, Mapping

from .names import metadata_text, name_part
from .zipbytes import Member, zip_bytes

DEFLATED = 8


def make_wheel(
    name: str = "demo",
    version: str = "1.0",
    *,
    metadata: str | bytes | None = None,
    files: Mapping[str, bytes] | None = None,
    tag: str = "py3-none-any",
    build: str | None = None,
    record: str | bytes | None = None,
    entry_points: str | bytes | None = None,
    licenses: Mapping[str, bytes] | None = None,
    sboms: Mapping[str, bytes] | None = None,
    dist_info: str | None = None,
    without: Collection[str] = (),
    metadata_version: str = "2.4",
) -> tuple[str, bytes]:
    """The file name and the bytes of a good wheel.

    ``files`` are the members beside the dist-info (default: one module); ``licenses`` and ``sboms`` map paths below
    ``.dist-info/licenses/`` and ``.dist-info/sboms/`` to contents. ``record`` replaces the right RECORD; ``without``
    names members of the dist-info (such as ``"WHEEL"``) to leave out; ``dist_info`` renames the folder.
    """
    part = name_part(name)
    info = dist_info or f"{part}-{version}.dist-info"
    text = metadata or metadata_text(name, version, licenses=tuple(licenses or ()), metadata_version=metadata_version)
    inside: dict[str, bytes] = {"METADATA": encoded(text), "WHEEL": wheel_text(tag, build).encode()}
    if entry_points is not None:
        inside["entry_points.txt"] = encoded(entry_points)
    inside |= {f"licenses/{path}": data for path, data in (licenses or {}).items()}
    inside |= {f"sboms/{path}": data for path, data in (sboms or {}).items()}
    contents = dict(files) if files is not None else {f"{part}/__init__.py": b'"""A demonstration."""\n'}
    contents |= {f"{info}/{path}": data for path, data in inside.items() if path not in without}
    if "RECORD" not in without:
        contents[f"{info}/RECORD"] = encoded(record) if record is not None else record_for(contents, info).encode()
    filename = "-".join([part, version, *([build] if build else []), tag]) + ".whl"
    return filename, zip_bytes([Member(path, data, method=DEFLATED) for path, data in contents.items()])


def record_for(contents: Mapping[str, bytes], dist_info: str) -> str:
    """The RECORD text of these members; its own row has neither hash nor size."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    for path, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(data)])
    rows.writerow([f"{dist_info}/RECORD", "", ""])
    return out.getvalue()


def wheel_text(tag: str, build: str | None = None) -> str:
    """The WHEEL file; a compressed tag set is expanded into one line each."""
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    tags = [f"Tag: {python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms]
    pure = "true" if tag.endswith("-none-any") else "false"
    lines = ["Wheel-Version: 1.0", "Generator: packhouse-tests", f"Root-Is-Purelib: {pure}", *tags]
    return "\n".join([*lines, *([f"Build: {build}"] if build else [])]) + "\n"


def encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
