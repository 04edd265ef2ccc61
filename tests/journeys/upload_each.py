"""Uploads each file on its own and says what came of it; a program for the environment of the client ``twine-4``.

That twine still sends what it finds, as clients of its time did; later ones refuse much by themselves.
"""

import sys

from twine.package import PackageFile
from twine.settings import Settings


def main(url: str, token: str, *paths: str) -> None:
    """Print for each of *paths*: its name, the status, and the reason that the index gave (``-`` for none)."""
    settings = Settings(repository_url=url, username="__token__", password=token, non_interactive=True)
    repository = settings.create_repository()
    for path in paths:
        response = repository.upload(PackageFile.from_filename(path, comment=None))
        reason = response.headers.get("X-Packhouse-Reason", "-")
        sys.stdout.write(f"{path.rpartition('/')[2]} {response.status_code} {reason}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
