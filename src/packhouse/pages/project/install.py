"""The commands that install a release from this very index."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from packhouse.pages.project.place import Place


@dataclass(frozen=True, slots=True)
class Command:
    """A tool, and what to type."""

    tool: str
    text: str


INDEX_NAME: Final = "packhouse"


def commands(place: Place, public_url: str) -> tuple[Command, ...]:
    """One for each tool, with the version where the page is of one or where tools would not choose it by themselves."""
    index = f"{public_url.rstrip('/')}/simple/"
    name = place.project.name
    wanted = f"{name}=={place.release.version}" if place.pinned or place.release.is_prerelease else name
    trusted = f" --trusted-host {urlsplit(index).netloc}" if _needs_trust(index) else ""
    at = f"{name}@{place.release.version}" if wanted != name else name
    return (
        Command("pip", f"pip install --index-url {index}{trusted} {wanted}"),
        Command("uv", f"uv add --index {INDEX_NAME}={index} {wanted}"),
        Command("poetry", f"poetry source add {INDEX_NAME} {index} && poetry add --source {INDEX_NAME} {at}"),
        Command("pdm", f"PDM_PYPI_URL={index} pdm add {wanted}"),
    )


def _needs_trust(index: str) -> bool:
    """pip refuses plain http but from this machine."""
    parts = urlsplit(index)
    return parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}
