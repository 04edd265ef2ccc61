"""A few projects to search in, for the pages of results."""

from datetime import timedelta

from tests.factories.projects import make_project, release_of

from packhouse.base import clock
from packhouse.search import actions

TOPIC = "Topic :: Internet :: WWW/HTTP"
FACTS = (
    ("requests", "2.34.2", "Python HTTP for Humans.", 990_000_000),
    ("httpx", "0.28.1", "The next generation HTTP client.", 400_000_000),
    ("aiohttp", "3.13.2", "Async http client/server framework (asyncio)", 300_000_000),
    ("urllib3", "2.8.0", "HTTP library with thread-safe connection pooling, file post, and more.", 900_000_000),
    ("requests-toolbelt", "1.0.0", "A utility belt for advanced users of python-requests", 60_000_000),
    ("httpie", "3.2.4", "HTTPie: modern, user-friendly command-line HTTP client for the API era.", 900_000),
    ("PyYAML", "6.0.3", "YAML parser and emitter for Python, for HTTP people too", 800_000_000),
)


def _fill() -> None:
    ids = []
    for number, (name, version, summary, downloads) in enumerate([*FACTS, *_many()]):
        moment = clock.now() - timedelta(days=number**2)
        project = make_project(name, created=moment)
        metadata = {
            "classifier": [TOPIC, "Framework :: AsyncIO", "Development Status :: 5 - Production/Stable"][
                : 1 + number % 3
            ],
            "license_expression": ("MIT", "Apache-2.0")[number % 2],
            "import_name": ["yaml"] if name == "PyYAML" else [],
        }
        python = (">=3.9", ">=3.11")[number % 2]
        release_of(project, version, summary=summary, metadata=metadata, requires_python=python, created=moment).save()
        actions.set_downloads({project.pk: downloads})
        ids.append(project.pk)
    actions.index_projects(ids)


def _many() -> list[tuple[str, str, str, int]]:
    return [(f"http-client-{number}", "1.0", "Another HTTP client with retries.", number) for number in range(40)]


def start() -> str:
    """Nothing asked for."""
    _fill()
    return "/search/"


def results() -> str:
    """Several pages of results."""
    _fill()
    return "/search/?q=http&page=2"


def narrowed() -> str:
    """Filters in use."""
    _fill()
    return f"/search/?q=http+client&c={TOPIC.replace(' ', '+')}&python=3.12&o=-updated"


def meant() -> str:
    """A misspelt name."""
    _fill()
    return "/search/?q=requets"
