"""ada and bob, signed in to a live index: ``python -m tests.purge.people`` on its home prints their cookies as JSON."""

import json
import os
import sys

THEMES = {"ada": "dark", "bob": "light"}


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    import django

    django.setup()
    from tests.factories.accounts import make_user, signed_in

    made = {}
    for name, theme in THEMES.items():
        jar = signed_in(make_user(f"marker-of-{name}")).cookies
        jar.load({"personal": "1", "theme": theme})
        made[name] = "; ".join(f"{key}={morsel.value}" for key, morsel in jar.items())
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
