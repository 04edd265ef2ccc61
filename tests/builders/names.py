"""What both kinds of distribution share: file name parts and a minimal core metadata text."""

import re


def name_part(name: str) -> str:
    """The name as it stands in a file name: normalised, with ``_`` (PEP 427, PEP 625)."""
    return re.sub(r"[-_.]+", "-", name).lower().replace("-", "_")


def metadata_text(name: str, version: str, *, licenses: tuple[str, ...] = (), metadata_version: str = "2.4") -> str:
    """The least core metadata that an index accepts, with a ``License-File`` for each given path."""
    lines = [
        f"Metadata-Version: {metadata_version}",
        f"Name: {name}",
        f"Version: {version}",
        "Summary: A demonstration",
    ]
    return "\n".join([*lines, *(f"License-File: {path}" for path in licenses)]) + "\n"
