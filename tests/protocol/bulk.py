"""A project of thousands of files, and thousands of projects without any, as a mirror would be filled.

``python -m tests.protocol.bulk NAME FILES PROJECTS``
"""

import os
import sys


def main(name: str, files: int, projects: int) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    import django

    django.setup()
    from django.db import transaction
    from tests.index import world

    from packhouse.documents.actions import serial_lock
    from packhouse.index.bulk import rebuild_projects
    from packhouse.index.loading import load
    from packhouse.projects.bulk import NewProject

    project = world.create(name)
    world.fill(project, [(f"{i // 100}.{i % 100}", f"{name}-{i // 100}.{i % 100}.tar.gz") for i in range(files)])
    with transaction.atomic():
        serial_lock()
        rebuild_projects([project.pk])
    load([NewProject(f"filler-{number}") for number in range(projects)])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
