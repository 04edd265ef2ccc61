"""A project gets another status from another process (``python -m tests.protocol.status NAME STATUS``)."""

import os
import sys


def main(name: str, status: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    import django

    django.setup()
    from tests.index import world

    from packhouse.projects.models import Project

    world.set_status(Project.objects.get(normalized_name=name), status)


if __name__ == "__main__":
    main(*sys.argv[1:])
