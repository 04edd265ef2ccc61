"""What the database was asked."""

from collections.abc import Iterable, Mapping


def statements(queries: Iterable[Mapping[str, str]]) -> list[str]:
    """Each statement that Django noted: one that was put off is noted without words, then with others in one text."""
    return [text for query in queries if query["sql"] for text in query["sql"].split(";\n")]
