"""``python -m bench.alone HOME``: what an upload costs by itself, without what other processes do because of it.

Django takes it in this process; nobody serves the index meanwhile.  Run it on a filled home and on an empty one,
in turn.  On PostgreSQL, what its backend took is told beside it.
"""

import base64
import json
import os
import statistics
import sys
import time
from pathlib import Path

from bench import load, servers, uploads
from bench.million import processor_time

WARM = 10
UPLOADS = 40


def main() -> None:
    home, database = Path(sys.argv[1]), os.environ.get("PACKHOUSE_DATABASE")
    servers.user(home, database)
    token = servers.token(home, database)
    load.connect(home)
    from django.test import Client

    client = Client(HTTP_AUTHORIZATION="Basic " + base64.b64encode(f"__token__:{token}".encode()).decode())
    host, found, backend = load.public_host(), [], []
    fresh = uploads.wheels(f"bench-alone-{int(time.time())}", WARM + UPLOADS)
    for content_type, body in uploads.forms(fresh):
        before, of_backend = time.process_time(), _backend_time()
        answer = client.generic("POST", "/legacy/", body, content_type=content_type, HTTP_HOST=host)
        found.append(1000 * (time.process_time() - before))
        backend.append(1000 * (_backend_time() - of_backend))
        if answer.status_code != 200:
            sys.exit(f"refused: {answer.content[:200]!r}")
    figures = {"upload alone, ms of CPU": statistics.median(found[WARM:])}
    if any(backend):
        figures["of PostgreSQL's backend"] = statistics.mean(backend[WARM:])
    print(json.dumps(figures))


def _backend_time() -> float:
    """Processor time, in seconds and steps of 10 ms, of the process of PostgreSQL that works for this one."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return processor_time(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
