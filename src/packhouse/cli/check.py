"""``packhouse check``: what is plugged in, and whether it answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from packhouse import config
from packhouse.cli import session

PORTS = ("database", "files", "cache", "tasks", "mail", "search", "purge")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.  ``problem`` is empty when the part answers."""

    part: str
    plugged_in: str
    problem: str
    note: str = ""
    essential: bool = True


@click.command()
@session.home_option
def check(home: Path | None) -> None:
    """Print what is plugged in and whether it answers.  Status 1 when something essential does not."""
    reading = session.begin({"home": home})
    session.start_django(reading.config)
    lines = list(examine(reading.config))
    first, width = max(len(line.part) for line in lines), max(len(line.plugged_in) for line in lines)
    for line in lines:
        state = f"FAILS: {line.problem}" if line.problem else "ok"
        click.echo(
            f"{line.part:<{first}}  {line.plugged_in:<{width}}  {state}{f'  ({line.note})' if line.note else ''}"
        )
    raise SystemExit(1 if any(line.problem and line.essential for line in lines) else 0)


def examine(settings: config.Config) -> list[Line]:
    """Asks every port.  A port that is the database is asked with it."""
    shown = {name: config.without_secrets(config.declared()[name], getattr(settings, name)) for name in PORTS}
    lines = [_asked("database", shown["database"], _database)]
    if not lines[0].problem:
        lines.append(_asked("migrations", "", _migrations))
    lines.append(_asked("files", shown["files"], _files))
    lines += [Line(name, shown[name], lines[0].problem) for name in ("cache", "search") if shown[name] == "database"]
    if shown["cache"] != "database":
        lines.append(_asked("cache", shown["cache"], _redis, essential=False))
    if not lines[0].problem:
        lines.append(_asked("tasks", shown["tasks"], _queue, essential=False))
    lines.append(_asked("mail", shown["mail"], _mail, essential=False))
    lines.append(_asked("purge", shown["purge"], _purge, essential=False))
    return lines + _services(settings)


def _services(settings: config.Config) -> list[Line]:
    """Asks what is somebody else's, and set up."""
    from packhouse.accounts.services import PROBES, in_use  # noqa: PLC0415
    from packhouse.attestations import queries as attestations  # noqa: PLC0415
    from packhouse.integrations import signatures  # noqa: PLC0415
    from packhouse.publishers import issuers, keys, owners  # noqa: PLC0415

    declared = config.declared()
    probes = {name: PROBES[name] for name in in_use()}
    if owners.is_set_up():
        probes["github_api"] = owners.probe
    if issuers.own_issuers():
        probes["oidc_issuers"] = keys.probe
    if attestations.is_set_up():
        probes["attestation_root" if settings.attestation_root else "attestation_updates"] = attestations.probe
    if signatures.is_set_up():
        probes["vulnerability_keys"] = signatures.probe
    return [
        _asked(
            name,
            config.without_secrets(declared[name], declared[name].kind.show(getattr(settings, name))),
            probe,
            essential=False,
        )
        for name, probe in probes.items()
    ]


def _asked(part: str, plugged_in: str, ask: Callable[[], str], *, essential: bool = True) -> Line:
    started = time.perf_counter()
    try:
        note = ask()
    except Exception as error:  # noqa: BLE001 (whatever a part raises is what the operator asked for)
        return Line(part, plugged_in, " ".join(str(error).split()) or type(error).__name__, essential=essential)
    return Line(part, plugged_in, "", note or f"{(time.perf_counter() - started) * 1000:.0f} ms", essential=essential)


def _database() -> str:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        version = "sqlite_version()" if connection.vendor == "sqlite" else "current_setting('server_version')"
        cursor.execute(f"SELECT {version}")
        return f"{connection.vendor} {cursor.fetchone()[0]}"


def _migrations() -> str:
    from packhouse.pages.health import pending_migrations  # noqa: PLC0415

    if pending := pending_migrations():
        raise RuntimeError(
            f"{len(pending)} to run, first {pending[0]}: `packhouse manage migrate` or `packhouse serve`"
        )
    return "up to date"


def _files() -> str:
    from packhouse.files import default_store  # noqa: PLC0415

    default_store().probe()
    return ""


def _redis() -> str:
    from packhouse.throttle.counting import probe_redis  # noqa: PLC0415

    return probe_redis()


def _queue() -> str:
    from packhouse.queue.queries import queue_ages  # noqa: PLC0415

    busy = [
        f"{age.queue}: {age.waiting} wait, oldest {age.oldest_seconds:.0f} s, {age.dead} dead"
        for age in queue_ages()
        if age.waiting or age.dead
    ]
    return "; ".join(busy) or "nothing waits"


def _mail() -> str:
    from packhouse.mail.ports import plugged_in  # noqa: PLC0415

    return plugged_in().probe()


def _purge() -> str:
    from packhouse.purge.ports import plugged_in  # noqa: PLC0415

    return plugged_in().probe()
