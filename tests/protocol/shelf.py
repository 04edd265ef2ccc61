"""An index with something of everything, made by real uploads to a live server and by the actions of a maintainer.

Runs as a process of its own (``python -m tests.protocol.shelf URL``) on the home of that server, since Django's test
database is another; prints what was made as JSON.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.packhouse import Running, environment

ROOT = Path(__file__).parents[2]
REASON = 'it <b>breaks</b> & "burns" (désolé)'
HOSTILE = '{"comment_text":"","filename":"held-1.0-py3-none-any.whl","url":"https://elsewhere.example/"}'
METADATA = """\
Metadata-Version: 2.4
Name: Demo.Pkg
Version: 1.0
Summary: A demonstration
Requires-Python: >=3.9
"""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The token of the owner of everything, and the files by their names."""

    token: str
    files: dict[str, bytes]


def fill(index: Running) -> Shelf:
    """Fill the index; about two seconds."""
    made = json.loads(run(index, "tests.protocol.shelf", index.url))
    return Shelf(made["token"], {name: bytes.fromhex(content) for name, content in made["files"].items()})


def run(index: Running, module: str, *arguments: str) -> str:
    """Run *module* of the tests as a program on the index's home; returns what it printed."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "src")))
    env = environment(index.home, index.database) | {"PYTHONPATH": paths, "PACKHOUSE_PUBLIC_URL": index.url}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def form_for(filename: str, content: bytes, **about: str) -> bytes:
    """The body of an upload of that file."""
    from tests.uploads.publishing import body_of, fields_for

    fields: dict[str, Any] = fields_for(filename, content, about.pop("name", "demo"), about.pop("version", "1.0"))
    fields |= about
    return body_of([*fields.items(), ("content", (filename, content, "application/octet-stream"))])


def headers_for(token: str) -> dict[str, str]:
    """The headers of an upload."""
    from tests.uploads.publishing import BOUNDARY, credentials

    return {"Authorization": credentials(token), "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def send(url: str, token: str, file: tuple[str, bytes], **about: str) -> None:
    """Upload *file*; AssertionError with the answer when it is refused."""
    request = urllib.request.Request(f"{url}/legacy/", form_for(*file, **about), headers_for(token), method="POST")
    try:
        urllib.request.urlopen(request, timeout=120).close()
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error


def attest(file: Any) -> None:
    """Give a file provenance, as if it had come with attestations."""
    from django.db import transaction
    from tests.factories.provenance import verified

    from packhouse.attestations.actions import keep_provenance
    from packhouse.documents.actions import serial_lock
    from packhouse.index.bulk import rebuild_projects
    from packhouse.projects.ledger import journalled

    with journalled(None) as book:
        keep_provenance(file=file, verified=verified(file.filename), ledger=book)
    with transaction.atomic():
        serial_lock()
        rebuild_projects([file.project_id])


def main(url: str) -> None:
    from packhouse import config
    from packhouse.documents import generation

    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    import django

    django.setup()
    from tests.builders import make_sdist, make_wheel
    from tests.factories.accounts import make_token, make_user
    from tests.index import world

    from packhouse.projects.models import File, Project, Release

    _, token = make_token(make_user("ada"))
    files = {}
    for file, about in (
        (make_wheel("Demo.Pkg", "1.0", metadata=METADATA), {"name": "Demo.Pkg", "requires_python": ">=3.9"}),
        (make_sdist("Demo.Pkg", "1.0", metadata=METADATA), {"name": "Demo.Pkg", "requires_python": ">=3.9"}),
        (make_wheel("Demo.Pkg", "2.0.0rc1"), {"name": "demo-pkg", "version": "2.0.0rc1"}),
        (make_wheel("Demo.Pkg", "1.5"), {"name": "demo_pkg", "version": "1.5"}),
        (make_wheel("old-tool", "1.0"), {"name": "old-tool"}),
        (make_wheel("bad-thing", "1.0"), {"name": "bad-thing"}),
        (make_wheel("held", "1.0"), {"name": "held"}),
        (make_wheel("held", "2.0"), {"name": "held", "version": "2.0"}),
        (make_wheel("signed", "1.0"), {"name": "signed"}),
        (make_sdist("signed", "1.0"), {"name": "signed"}),
        (make_wheel("regret", "1.0"), {"name": "regret", "comment": HOSTILE}),
        (make_wheel("large", "1.0", files={"large.bin": os.urandom(3 * 1024**2)}), {"name": "large"}),
    ):
        send(url, token, file, **about)
        files[file[0]] = file[1].hex()
    world.yank(Release.objects.get(project__normalized_name="demo-pkg", version="1.5"), REASON)
    world.yank(Release.objects.get(project__normalized_name="regret"))
    world.set_status(Project.objects.get(normalized_name="old-tool"), "archived")
    world.set_status(Project.objects.get(normalized_name="bad-thing"), "quarantined")
    world.quarantine_release(Release.objects.get(project__normalized_name="held", version="2.0"))
    attest(File.objects.get(filename="signed-1.0-py3-none-any.whl"))
    generation.of(config.load().home).bump()
    sys.stdout.write(json.dumps({"token": token, "files": files}))


if __name__ == "__main__":
    main(sys.argv[1])
