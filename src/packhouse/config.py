"""The configuration: ``packhouse.toml``, environment and flags, read here and nowhere else."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Config:
    """Everything an operator can set, validated.  Sizes are bytes, times are seconds unless the name says otherwise."""

    home: Path
    database: str
    files: str
    secret_key: str = field(repr=False)
    cache: str = "database"
    public_url: str = "http://127.0.0.1:8080"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    trusted_proxies: tuple[str, ...] = ()
    index_max_age: int = 0
    token_prefix: str = "packhouse"
    debug: bool = False
    release_open_days: int = 14
    allow_local_versions: bool = False
    file_size_limit: int = 100 * 1024**2
    project_size_limit: int = 10 * 1024**3
    upload_creates_projects: bool = True
    record_mismatch: str = "reject"
    require_two_factor: str = "publishers"


def load() -> Config:
    """The configuration of this process, read from the home that ``PACKHOUSE_HOME`` names."""
    home = Path(os.environ.get("PACKHOUSE_HOME", "packhouse-data")).resolve()
    return Config(
        home=home,
        database=os.environ.get("PACKHOUSE_DATABASE", f"sqlite:///{home}/packhouse.db"),
        files=os.environ.get("PACKHOUSE_FILES", f"file://{home}/files"),
        cache=os.environ.get("PACKHOUSE_CACHE", "database"),
        secret_key=os.environ.get("PACKHOUSE_SECRET_KEY", secrets.token_hex(32)),
    )


def django_database(url: str) -> dict[str, Any]:
    """What Django's ``DATABASES`` needs for the database *url* (``sqlite:///path`` or ``postgresql://…``)."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path.removeprefix("/") if parts.path.startswith("//") else parts.path,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-16000;",
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
