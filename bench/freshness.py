"""How long after its upload was answered a release is seen through Varnish: ``python -m bench.freshness``.

A real Varnish with the configuration of ``packhouse vcl`` keeps each page before the upload.  What it shows is asked
for again and again until the release is there.  Each page is waited for in turn, so a later one's time begins with the
answer to the upload too.
"""

import argparse
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.builders import make_wheel
from tests.protocol import shelf
from tests.servers import packhouse, processes, varnish

SECRET = "a-secret-of-the-cache"
PAGES = ("/simple/demo-pkg/", "/project/Demo.Pkg/", "/pypi/demo-pkg/json", "/rss/updates.xml", "/")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.freshness", description=__doc__)
    parser.add_argument("--uploads", type=int, default=50, help="how many releases are published (50)")
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {path: [] for path in PAGES}
    with tempfile.TemporaryDirectory(prefix="packhouse-bench-") as folder:
        home, port = Path(folder) / "home", processes.free_port()
        home.mkdir()
        (home / "packhouse.toml").write_text(
            f'purge = "varnish://:{SECRET}@127.0.0.1:{port}"\ntrusted_proxies = "127.0.0.1"\n'
        )
        url = f"http://127.0.0.1:{port}"
        with packhouse.running(home, env={"PACKHOUSE_PUBLIC_URL": url}) as behind:
            vcl = behind.run_cli("vcl", "--backend", behind.url.removeprefix("http://")).stdout
            with varnish.running(vcl, port=port):
                token = shelf.fill(behind).token
                for number in range(options.uploads):
                    publish(url, token, f"8.{number}.0", seconds)
    print(f"seconds from the answer to an upload until Varnish shows the release, {options.uploads} uploads")
    print(f"{'page':<24}{'median':>8}{'p95':>8}{'most':>8}")
    for path, found in seconds.items():
        most = sorted(found)
        print(f"{path:<24}{statistics.median(most):8.2f}{most[int(0.95 * len(most))]:8.2f}{most[-1]:8.2f}")


def publish(url: str, token: str, version: str, seconds: dict[str, list[float]]) -> None:
    for path in PAGES:
        read(url + path)  # so that the cache holds it
    shelf.send(url, token, make_wheel("Demo.Pkg", version), name="Demo.Pkg", version=version)
    began = time.perf_counter()
    for path in PAGES:
        while version.encode() not in read(url + path):
            time.sleep(0.01)
        seconds[path].append(time.perf_counter() - began)


def read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


if __name__ == "__main__":
    main()
