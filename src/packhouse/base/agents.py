"""Who asks: the ``User-Agent`` of installers, publishing tools, mirrors and browsers.

pip and uv send ``name/version`` and a JSON object that describes the system (pip's ``user_agent()``); the others send
product tokens (RFC 9110, 10.1.5).
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

LONGEST: Final = 2048
INSTALLERS: Final = frozenset(
    {"pip", "uv", "poetry", "pdm", "unearth", "hatch", "pipenv", "pex", "conda", "mamba", "pixi"}
)
INSTALLERS_TOO: Final = frozenset(
    {"setuptools", "distribute", "buildout", "zc.buildout", "rye", "micropipenv", "rules_python"}
)
PUBLISHERS: Final = frozenset({"twine", "flit", "maturin", "hatchling", "devpi-client"})
MIRRORS: Final = frozenset(
    {"bandersnatch", "devpi-server", "devpi", "artifactory", "nexus", "pypicloud", "z3c.pypimirror"}
)
ROBOT: Final = re.compile(r"bot\b|crawl|spider|slurp", re.IGNORECASE)
PRODUCT: Final = re.compile(r"([A-Za-z][A-Za-z0-9._+-]*)/([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Version", "Safari"),
)
SAFE: Final = re.compile(r"[^A-Za-z0-9.+!_ -]")


@dataclass(frozen=True, slots=True)
class Agent:
    """``kind``: installer, publisher, mirror, browser, robot or other.  Unknown parts are empty."""

    kind: str
    name: str = ""
    version: str = ""
    python: str = ""
    implementation: str = ""
    system: str = ""
    ci: bool = False

    @property
    def label(self) -> str:
        """``name/version``, safe for a log."""
        return f"{self.name}/{self.version}" if self.version else self.name or "-"


@lru_cache(maxsize=2048)
def parse(header: str) -> Agent:
    """What the header says; never raises, whatever stands in it."""
    text = header[:LONGEST].strip()
    if not text:
        return Agent("other")
    head, brace, rest = text.partition(" {")
    if brace and (found := _described(head, "{" + rest)):
        return found
    products = dict(PRODUCT.findall(text))
    if "Mozilla" in products:
        return _browser(text, products)
    name, version = next(iter(products.items()), (SAFE.sub("", text.split()[0])[:40], ""))
    if name == "Python-urllib" and "setuptools" in products:
        name, version = "setuptools", products["setuptools"]
    return Agent(
        "robot" if ROBOT.search(text) else _kind(name),
        name.lower(),
        version,
        python=products.get("CPython") or products.get("PyPy") or products.get("Python", ""),
        implementation=next((known for known in ("CPython", "PyPy") if known in products), ""),
        system=next((known for known in ("Linux", "Darwin", "Windows") if known in text), ""),
        ci=False,
    )


def _described(head: str, document: str) -> Agent | None:
    match = PRODUCT.match(head)
    try:
        data = json.loads(document)
    except (ValueError, RecursionError):
        return None
    if not match or not isinstance(data, dict):
        return None
    installer = _table(data, "installer")
    name = _word(installer.get("name")) or match[1]
    return Agent(
        _kind(name),
        name.lower(),
        _word(installer.get("version")) or match[2],
        python=_word(data.get("python")),
        implementation=_word(_table(data, "implementation").get("name")),
        system=_word(_table(data, "system").get("name")),
        ci=data.get("ci") is True,
    )


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str:
    return SAFE.sub("", value)[:40] if isinstance(value, str) else ""


def _browser(text: str, products: dict[str, str]) -> Agent:
    if ROBOT.search(text):
        name = next((product for product in products if ROBOT.search(product)), "robot")
        return Agent("robot", name.lower(), products.get(name, ""))
    for product, name in BROWSERS:
        if product in products:
            return Agent("browser", name, products[product].partition(".")[0])
    return Agent("browser", "Mozilla")


def _kind(name: str) -> str:
    lowered = name.lower()
    if lowered in INSTALLERS | INSTALLERS_TOO:
        return "installer"
    if lowered in PUBLISHERS:
        return "publisher"
    return "mirror" if lowered in MIRRORS else "other"
