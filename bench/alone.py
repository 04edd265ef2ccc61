"""``python -m bench.alone HOME``: what an upload costs by itself, without what other processes do because of it.

Django takes it in this process; nobody serves the index meanwhile.  Run it on a filled home and on an empty one.
"""

import base64
import json
import os
import statistics
import sys
import time
from pathlib import Path

from bench import load, servers, uploads

WARM = 10
UPLOADS = 40


def main() -> None:
    home, database = Path(sys.argv[1]), os.environ.get("PACKHOUSE_DATABASE")
    servers.user(home, database)
    token = servers.token(home, database)
    load.connect(home)
    from django.test import Client

    client = Client(HTTP_AUTHORIZATION="Basic " + base64.b64encode(f"__token__:{token}".encode()).decode())
    host, found = load.public_host(), []
    for content_type, body in uploads.forms(uploads.wheels("bench-alone", WARM + UPLOADS, int(time.time()))):
        before = time.process_time()
        answer = client.generic("POST", "/legacy/", body, content_type=content_type, HTTP_HOST=host)
        found.append(1000 * (time.process_time() - before))
        if answer.status_code != 200:
            sys.exit(f"refused: {answer.content[:200]!r}")
    print(json.dumps({"upload alone, ms of CPU": statistics.median(found[WARM:])}))


if __name__ == "__main__":
    main()
