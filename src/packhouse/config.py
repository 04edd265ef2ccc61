"""The configuration: ``packhouse.toml``, environment and flags, read here and nowhere else.

A flag wins over the environment, the environment over the file, the file over the default.  What can be set stands in
``options``.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from packhouse.base import values
from packhouse.base.declaring import Setting, without_secrets
from packhouse.base.home import replace_file
from packhouse.options import DEFAULT_HOME, Config, ConfigError, declared, default_text

__all__ = ["Config", "ConfigError", "Setting", "declared", "default_text", "without_secrets"]

PREFIX: Final = "PACKHOUSE_"
FILE_NAME: Final = "packhouse.toml"
PATIENCE: Final = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}
"""How long a PostgreSQL connection waits for a server that is gone without a word; libpq's own names."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A configuration and how it came about: each setting's origin, and what looked odd on the way."""

    config: Config
    origins: Mapping[str, str]
    warnings: tuple[str, ...]


def load() -> Config:
    """The configuration of this process, from environment and file.

    Writes nothing: where the home has no key yet, the key lives as long as the process.
    Raises ``ConfigError``.
    """
    return read().config


def read(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Reading:
    """Reads all sources.  *flags* with the value None count as not given.  Raises ``ConfigError``."""
    environ = os.environ if environ is None else environ
    given: dict[str, tuple[Any, str]] = {}
    warnings: list[str] = []
    from_flags = {
        name: (value, f"--{name.replace('_', '-')}") for name, value in (flags or {}).items() if value is not None
    }
    from_environment = _from_environment(environ, warnings)
    home_value, home_origin = from_flags.get("home") or from_environment.get("home") or (DEFAULT_HOME, "default")
    home = _parsed("home", home_value, home_origin)
    given = _from_file(home / FILE_NAME, warnings) | from_environment | from_flags | {"home": (home_value, home_origin)}
    key_file = secret_file(home, "secret-key")
    if "secret_key" not in given and key_file.exists():
        given["secret_key"] = (_contents("secret_key", key_file), str(key_file))
    config = Config(**{name: _parsed(name, value, origin) for name, (value, origin) in given.items()})
    origins = {name: given[name][1] if name in given else "default" for name in declared()}
    _refuse_unsafe(config, origins)
    if not _is_loopback(config.host) and origins["public_url"] == "default":
        warnings.append(f"public_url is not set: links will begin with {config.public_url}")
    return Reading(config, origins, tuple(warnings))


def environment(reading: Reading) -> dict[str, str]:
    """*reading* as environment variables, so that child processes see exactly this configuration.

    The key in the home's own file stays there.
    """
    return {
        PREFIX + name.upper(): setting.kind.show(getattr(reading.config, name))
        for name, setting in declared().items()
        if getattr(reading.config, name) != "" and not (name == "secret_key" and _is_kept(reading))
    }


def save(home: Path, changes: Mapping[str, str]) -> None:
    """Write *changes*, settings by name, into the home's ``packhouse.toml``; the rest of the file stays as it is.

    An empty text takes a setting out of the file.  The file appears whole or not at all; a new one is the owner's
    alone.  What runs goes on with what it has read: changes take effect with the next start, and where neither flag
    nor environment says otherwise.  Raises ``ConfigError`` for a value that cannot be used, and writes nothing then.
    """
    import tomlkit  # noqa: PLC0415 (no other command needs it)

    path = home / FILE_NAME
    parsed = {name: _parsed(name, text, str(path)) for name, text in changes.items() if text}
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    for name in changes:
        if name in parsed:
            document[name] = declared()[name].kind.show(parsed[name])
        else:
            document.pop(name, None)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    replace_file(path, tomlkit.dumps(document), mode)


def secret_file(home: Path, name: str) -> Path:
    """Where the home keeps the secret *name*."""
    return home / "secrets" / name


def _is_kept(reading: Reading) -> bool:
    return reading.origins["secret_key"] == str(secret_file(reading.config.home, "secret-key"))


def _parsed(name: str, value: Any, origin: str) -> Any:
    setting = declared()[name]
    try:
        return setting.kind.parse(value)
    except (ValueError, TypeError, OverflowError) as error:
        got = without_secrets(setting, str(value))
        raise ConfigError(name, origin, f"expected {setting.kind.expected}, got {got!r}") from error


def _from_environment(environ: Mapping[str, str], warnings: list[str]) -> dict[str, tuple[Any, str]]:
    given = {
        variable.removeprefix(PREFIX).lower(): (value, variable)
        for variable, value in environ.items()
        if variable.startswith(PREFIX) and value != ""
    }
    return _known(given, warnings, lambda name: PREFIX + name.upper())


def _from_file(path: Path, warnings: list[str]) -> dict[str, tuple[Any, str]]:
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(FILE_NAME, str(path), f"expected a readable TOML file: {error}") from error
    known = _known({name: (value, str(path)) for name, value in table.items()}, warnings, str)
    if "home" in known:
        raise ConfigError(
            "home", str(path), "the file lies in the home and cannot name it; use --home or PACKHOUSE_HOME"
        )
    return known


def _known(
    given: dict[str, tuple[Any, str]], warnings: list[str], spell: Callable[[str], str]
) -> dict[str, tuple[Any, str]]:
    """Those of *given* that are settings; the value of ``NAME_FILE`` is what the file of that name holds."""
    found: dict[str, tuple[Any, str]] = {}
    files = {f"{name}_file": name for name, setting in declared().items() if setting.secret}
    for name, (value, origin) in given.items():
        target = files.get(name, name)
        if target not in declared():
            near = values.nearest(name, list(declared()))
            hint = f"; did you mean {spell(near)}?" if near else ""
            warnings.append(f"{spell(name)} ({origin}) is not a setting{hint}")
        elif target in found:
            raise ConfigError(target, origin, f"is also given as {found[target][1]}")
        else:
            found[target] = (
                (_contents(name, Path(str(value))), f"{origin}={value}") if name in files else (value, origin)
            )
    return found


def _contents(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(name, str(path), f"expected a readable file: {error}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_unsafe(config: Config, origins: Mapping[str, str]) -> None:
    """Settings that are right alone and wrong together."""
    public = urlsplit(config.public_url).hostname or ""
    if config.debug and not (_is_loopback(config.host) and _is_loopback(public) and not config.trusted_proxies):
        raise ConfigError(
            "debug", origins["debug"], "only allowed when host and public_url are loopback, without proxies"
        )
    if config.metrics_port == config.port:
        raise ConfigError(
            "metrics_port", origins["metrics_port"], f"expected another port than {config.port}, the server's"
        )
    if config.max_body_size < config.file_size_limit:
        raise ConfigError("max_body_size", origins["max_body_size"], "expected at least file_size_limit")
    if config.project_size_limit < config.file_size_limit:
        raise ConfigError("project_size_limit", origins["project_size_limit"], "expected at least file_size_limit")


def sqlite_path(url: str) -> str:
    """The file that ``sqlite:///path`` names; the path is absolute, however many slashes begin it."""
    return "/" + unquote(urlsplit(url).path).lstrip("/")


def django_database(url: str) -> dict[str, Any]:
    """What Django's ``DATABASES`` needs for the database *url* (``sqlite:///path`` or ``postgresql://…``)."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "packhouse.base.sqlite_in_turn",
            "NAME": sqlite_path(url),
            "CONN_MAX_AGE": None,
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
        "OPTIONS": {**PATIENCE, **dict(parse_qsl(parts.query))},
    }
