"""The configuration: ``packhouse.toml``, environment and flags, read here and nowhere else."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """Everything an operator can set, validated.  Sizes are bytes, times are seconds unless the name says otherwise."""

    home: Path
    database: str
    files: str
    secret_key: str = field(repr=False)
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
