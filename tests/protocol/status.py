"""Another process gives a project another status, or deletes it (``python -m tests.protocol.status NAME STATUS``)."""

import os
import sys


def main(name: str, status: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    import django

    django.setup()
    from tests.index import world

    from packhouse.projects.models import Project

    project = Project.objects.get(normalized_name=name)
    if status == "deleted":
        world.delete_project(project)
    else:
        world.set_status(project, status)


if __name__ == "__main__":
    main(*sys.argv[1:])
