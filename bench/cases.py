"""What is asked of both servers, and the files that nginx serves for it."""

import gzip
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the report: a path on ours, the path of the same bytes on nginx, headers, and the least ratio."""

    name: str
    path: str
    mirror: str
    target: float
    headers: dict[str, str] = field(default_factory=dict)
    script: Path | None = None


def fetch(base: str, path: str, headers: dict[str, str]) -> bytes:
    """The bytes of a page as they travel (not decoded)."""
    return urllib.request.urlopen(urllib.request.Request(base + path, headers=headers), timeout=120).read()


def mirror(base: str, path: str, headers: dict[str, str], target: Path) -> None:
    """Put what ours answers under *target*, for nginx: plain and, when ours comes packed, packed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    body = fetch(base, path, headers)
    if headers.get("Accept-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
        target.with_name(target.name + ".gz").write_bytes(body)
        body = gzip.decompress(body)
    target.write_bytes(body)


def etag_of(base: str, path: str, headers: dict[str, str]) -> str:
    answer = urllib.request.urlopen(urllib.request.Request(base + path, headers=headers), timeout=60)
    return answer.headers["etag"]


def random_paths(folder: Path, name: str, template: str, names: list[str]) -> Path:
    """A wrk script that asks for a random one of *names* each time, always in the same order."""
    listed = folder / f"{name}.txt"
    listed.write_text("\n".join(names))
    script = folder / f"{name}.lua"
    script.write_text(
        f"""
local paths = {{}}
for line in io.lines("{listed}") do paths[#paths + 1] = string.format("{template}", line) end
math.randomseed(7)
request = function() return wrk.format("GET", paths[math.random(#paths)]) end
"""
    )
    return script
