"""Downloads what ``distributions.txt`` or ``popular.txt`` lists; a program for the environment of the client ``fetch``.

It asks the registry that pip is set up for, by the library that is pdm's finder: pip itself would build every sdist.
"""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pip._internal.models.index import PyPI
from unearth import PackageFinder
from unearth.collector import collect_links_from_location
from unearth.link import Link


def main(wanted: str, target: str) -> None:
    """Read lines ``name==version filename sha256`` from the file *wanted*, fill the folder *target*."""
    index, session = _index(), PackageFinder(index_urls=[_index()]).session
    rows = [line.split() for line in Path(wanted).read_text().splitlines() if not line.startswith("#")]
    lacking = [(row[0].partition("==")[0], *row[1:]) for row in rows if not Path(target, row[1]).exists()]

    def listed(project: str) -> dict[str, Link]:
        return {link.filename: link for link in collect_links_from_location(session, Link(f"{index}/{project}/"))}

    def fetch(row: tuple[str, str, str]) -> None:
        project, filename, digest = row
        content = session.get(links[project][filename].url_without_fragment).content
        if hashlib.sha256(content).hexdigest() != digest:
            sys.exit(f"{filename} is not what {wanted} says")
        part = Path(target, filename + ".part")
        part.write_bytes(content)
        part.rename(Path(target, filename))

    with ThreadPoolExecutor(6) as pool:
        projects = sorted({project for project, *_ in lacking})
        links = dict(zip(projects, pool.map(listed, projects), strict=True))
        list(pool.map(fetch, lacking))


def _index() -> str:
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return (configured or PyPI.simple_url).rstrip("/")


if __name__ == "__main__":
    main(*sys.argv[1:])
