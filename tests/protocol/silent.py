"""A writer that dies between its commit and the mark that tells readers (``python -m tests.protocol.silent NAME``)."""

import os
import signal
import sys


def main(name: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    import django

    django.setup()
    from tests.index import world

    from packhouse.documents.generation import Generation
    from packhouse.projects.models import Release

    Generation.bump = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
    world.yank(Release.objects.filter(project__normalized_name=name).latest("pk"), "silently")


if __name__ == "__main__":
    main(sys.argv[1])
