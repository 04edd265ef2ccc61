"""Thousands of uploads into one project: ``python -m bench.history sqlite|postgresql [COUNT]``.

What an upload costs when the project has hundreds of files and when it has thousands, beside one into a small project,
and by how much the database grows with each: by the rows of that file, not by another copy of all before it.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import servers, uploads, wrk

STEPS = 12
BESIDE = 20


def main() -> None:
    name, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 6000
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="packhouse-history-")))
        database = stack.enter_context(servers.postgresql(folder)) if name == "postgresql" else None
        home, port = folder / "home", servers.free_port()
        home.mkdir()
        servers.load(home, database, port, 1000, 600, None)
        ours = stack.enter_context(servers.packhouse(home, database, port))
        servers.user(home, database)
        run(ours, home, database, servers.token(home, database), count // STEPS)


def run(ours: servers.Server, home: Path, database: str | None, token: str, step: int) -> None:
    """Print a line a step: the processor's ms for an upload into the growing project and into small ones, and bytes."""
    _send(ours, token, "bench-warm", 0, BESIDE)
    before = size(home, database)
    print("files in it | ms, growing | ms, small | ratio | bytes of the database a file")
    for number in range(STEPS):
        small = _send(ours, token, f"bench-beside-{number}", 0, BESIDE)
        growing = _send(ours, token, "bench-growing", number * step, step)
        now = size(home, database)
        grown = (now - before) / (step + BESIDE)
        print(f"{(number + 1) * step} | {growing:.1f} | {small:.1f} | {growing / small:.2f} | {grown:,.0f}", flush=True)
        before = now


def _send(ours: servers.Server, token: str, project: str, start: int, count: int) -> float:
    """Upload *count* small wheels one after the other; returns the ms of the server's processors for each."""
    forms = uploads.forms(uploads.wheels(project, count, start))
    before = _ran(ours)
    found = uploads.run(ours.url, token, forms, 1)
    if found.refused:
        raise SystemExit(f"refused: {found.refused[:3]}")
    return (_ran(ours) - before) / count


def _ran(ours: servers.Server) -> float:
    return wrk.processor_time(ours.process.pid) / 1000


def size(home: Path, database: str | None) -> int:
    """Bytes of the database, with what SQLite still has in its log."""
    if database is None:
        return sum(path.stat().st_size for path in home.glob("packhouse.db*"))
    import psycopg

    with psycopg.connect(database) as connection:
        [(found,)] = connection.execute("SELECT pg_database_size(current_database())").fetchall()
    return int(found)


if __name__ == "__main__":
    main()
