"""Makes the project ``attested`` on an index, and prints a token of the publisher that it trusts.

Runs as a process of its own (``python -m tests.journeys.trusting``) on that index's home, as a job would ask by the
network.
"""

import os
import sys


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    import django

    django.setup()
    from tests.factories.accounts import make_user
    from tests.factories.publishers import make_minted_token, make_publisher

    from packhouse.projects.actions import create_project

    project = create_project(name="attested", by=make_user("ada"))
    sys.stdout.write(make_minted_token(make_publisher(project, owner="octo", repository="demo")))


if __name__ == "__main__":
    main()
