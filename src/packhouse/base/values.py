"""Kinds of values an operator writes: sizes, durations, addresses, choices.

A ``Kind`` turns what stands in an environment variable, a flag (always text) or a TOML file (text, numbers, booleans,
lists) into a Python value or raises ``ValueError``, says in words what it expects, and writes the value back as text
that it would read again.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
SPANS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of value is described (``expected`` completes "expected …"), read and written."""

    expected: str
    parse: Callable[[Any], Any]
    show: Callable[[Any], str] = str


def _measure(value: Any, units: dict[str, int]) -> int:
    """A number with an optional unit, as a whole number of the smallest unit."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)", str(value).strip())
    if not match or match[2].lower() not in units:
        raise ValueError(value)
    number, unit = match[1], match[2].lower()
    whole = float(number) * units[unit] if "." in number else int(number) * units[unit]
    if whole != int(whole) or whole < 0:
        raise ValueError(value)
    return int(whole)


def show_size(size: int) -> str:
    """*size* bytes in the largest binary unit that needs no fraction: ``100MiB``."""
    for unit, factor in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def _size(value: Any) -> int:
    return _measure(value, UNITS)


def _duration(value: Any) -> int:
    return _measure(value, SPANS)


def _boolean(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in TRUE | FALSE:
        raise ValueError(value)
    return text in TRUE


def _items(value: Any) -> list[str]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return [text for part in parts if (text := str(part).strip())]


def _networks(value: Any) -> tuple[str, ...]:
    return tuple(str(ip_network(item, strict=False)) for item in _items(value))


def _origin(value: Any) -> str:
    text = str(value).strip()
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(value)
    _ = parts.port  # raises when it is no number
    return text.rstrip("/")


MAIL_OPTIONS: dict[str, frozenset[str]] = {
    "file": frozenset(),
    "smtp": frozenset({"insecure"}),
    "smtps": frozenset(),
    "ses": frozenset({"topic", "configuration_set", "endpoint"}),
}


def _mail(value: Any) -> str:
    text = _text(value)
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme not in MAIL_OPTIONS or options.keys() - MAIL_OPTIONS[parts.scheme] or parts.fragment:
        raise ValueError(value)
    if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
        raise ValueError(value)
    if parts.scheme != "file" and (not parts.hostname or parts.path not in {"", "/"}):
        raise ValueError(value)
    if options.get("insecure", "1") != "1":
        raise ValueError(value)
    if "topic" in options and not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\w-]+", options["topic"]):
        raise ValueError(value)
    _ = parts.port  # raises when it is no number
    return text


def _name_server(value: Any) -> str:
    text = _text(value)
    if text not in {"none://", "dns://"}:
        name_server(text)
    return text


def name_server(text: str) -> tuple[str, int] | None:
    """Address and port of ``dns://10.0.0.1:53``; None for ``dns://``, which means those that the machine is set up for.

    Raises ``ValueError``.
    """
    parts = urlsplit(text)
    if parts.scheme != "dns" or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(text)
    return (str(ip_address(parts.hostname or "")), parts.port or 53) if parts.netloc else None


@dataclass(frozen=True, slots=True)
class CaptchaSite:
    """The vendor of a captcha, this site's public key there, and where tokens are verified if not at the vendor's."""

    vendor: str
    key: str
    endpoint: str = ""


CAPTCHA_VENDORS = ("hcaptcha", "recaptcha", "turnstile")


def captcha_site(text: str) -> CaptchaSite | None:
    """What ``hcaptcha://site-key`` names; None for ``none://``.  Raises ``ValueError``."""
    if text == "none://":
        return None
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme not in CAPTCHA_VENDORS or options.keys() - {"endpoint"} or parts.path or parts.fragment:
        raise ValueError(text)
    if not re.fullmatch(r"[\w-]+", parts.netloc, re.ASCII):
        raise ValueError(text)
    return CaptchaSite(parts.scheme, parts.netloc, _origin(options["endpoint"]) if "endpoint" in options else "")


def _captcha(value: Any) -> str:
    text = _text(value)
    captcha_site(text)
    return text


@dataclass(frozen=True, slots=True)
class PurgeTarget:
    """The cache in front that is told of changes: where it listens (host and port), with which secret, and how.

    Of Fastly the one host is the service's id; *endpoint* is another address of its API.  *soft* purges make pages
    stale instead of removing them, so that they can still be shown while nothing else can.
    """

    scheme: str
    hosts: tuple[tuple[str, int], ...]
    secret: str
    soft: bool = True
    endpoint: str = ""


PURGE_OPTIONS: dict[str, frozenset[str]] = {"varnish": frozenset({"soft"}), "fastly": frozenset({"soft", "endpoint"})}
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")


def purge_target(text: str) -> PurgeTarget:
    """What *text* (``varnish://…`` or ``fastly://…``) names; raises ``ValueError``."""
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme not in PURGE_OPTIONS or options.keys() - PURGE_OPTIONS[parts.scheme]:
        raise ValueError(text)
    if parts.fragment or parts.path not in {"", "/"}:
        raise ValueError(text)
    user, _, places = parts.netloc.rpartition("@")
    secret = unquote(user.removeprefix(":"))
    if not secret.isprintable() or not secret.isascii() or ('"' in secret or " " in secret):
        raise ValueError(text)
    hosts = tuple(_host_and_port(place) for place in places.split(","))
    if parts.scheme == "fastly" and (len(hosts) != 1 or not secret):
        raise ValueError(text)
    endpoint = _origin(options["endpoint"]) if "endpoint" in options else ""
    return PurgeTarget(parts.scheme, hosts, secret, _boolean(options.get("soft", "1")), endpoint)


def _host_and_port(place: str) -> tuple[str, int]:
    found = _HOST_AND_PORT.fullmatch(place)
    if found is None or not 0 < (port := int(found["port"] or 6081)) < 65_536:
        raise ValueError(place)
    return found["host"].strip("[]"), port


def _purge(value: Any) -> str:
    text = _text(value)
    if text != "none://":
        purge_target(text)
    return text


ISSUER_KINDS = ("github", "gitlab")


def _issuers(value: Any) -> tuple[str, ...]:
    for item in _items(value):
        issuer_of(item)
    return tuple(_items(value))


def issuer_of(text: str) -> tuple[str, str]:
    """Kind and URL of ``gitlab=https://gitlab.example.org``; without TLS on loopback alone.  Raises ``ValueError``."""
    kind, _, url = text.partition("=")
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"})
    if kind not in ISSUER_KINDS or not secure or not parts.hostname or "@" in parts.netloc:
        raise ValueError(text)
    if parts.query or parts.fragment or url.endswith("/") or len(url) > 400 or not url.isprintable() or " " in url:
        raise ValueError(text)
    _ = parts.port  # raises when it is no number
    return kind, url


def _words(value: Any) -> tuple[str, ...]:
    words = tuple(_items(value))
    if not words or not all(re.fullmatch(r"[a-z_]+", word) for word in words):
        raise ValueError(value)
    return words


_ONE_RATE = r"[1-9]\d{0,8} per (?:[1-9]\d{0,5} )?(?:second|minute|hour|day)s?"


def _matching(regex: str, value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(regex, text):
        raise ValueError(value)
    return text


def _text(value: Any) -> str:
    if isinstance(value, bool | list | dict) or not str(value).strip():
        raise ValueError(value)
    return str(value).strip()


SIZE = Kind("a size in bytes or with a unit, such as 100MiB", _size, show_size)
DURATION = Kind("a time in seconds or with a unit, such as 90s, 15m or 14d", _duration)
BOOLEAN = Kind("true or false", _boolean, lambda value: "true" if value else "false")
NETWORKS = Kind("addresses or networks separated by commas, such as 10.0.0.0/8,::1", _networks, ",".join)
ORIGIN = Kind("an http or https address without query, such as https://packages.example.org", _origin)
MAIL = Kind("file:///path, smtp://user:password@host:587, smtps://… or ses://region", _mail)
NAME_SERVER = Kind("none://, dns:// or dns://address:port", _name_server)
CAPTCHA = Kind("none://, hcaptcha://site-key, recaptcha://site-key or turnstile://site-key", _captcha)
ISSUERS = Kind(
    "issuers separated by commas, such as gitlab=https://gitlab.example.org,github=https://github.example.org/_services/token",
    _issuers,
    ",".join,
)
WORDS = Kind("words of lower-case letters and underscores, separated by commas", _words, ",".join)
PURGE = Kind("none://, varnish://:secret@host:port or fastly://token@service", _purge)
RATE = Kind(
    "how often in what time, such as 10 per 5 minutes; several are separated by semicolons",
    lambda value: _matching(rf"{_ONE_RATE}(?:\s*;\s*{_ONE_RATE})*", value),
)
TEXT = Kind("a text that is not empty", _text)


def _json_file(value: Any) -> str:
    """The absolute path; an index that looks for it later may run elsewhere."""
    path = Path(str(value).strip())
    if path == Path():
        return ""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(value) from error
    if not isinstance(found, dict):
        raise ValueError(value)  # noqa: TRY004 - one error for all that is wrong
    return str(path.absolute())


JSON_FILE = Kind("the path of a readable file with a JSON object, or nothing", _json_file)
PATH = Kind("a folder", lambda value: Path(_text(value)).expanduser().resolve())


def whole_number(least: int, most: int) -> Kind:
    """Whole numbers from *least* to *most*."""

    def parse(value: Any) -> int:
        number = int(_text(value), 10)
        if not least <= number <= most:
            raise ValueError(value)
        return number

    return Kind(f"a whole number from {least} to {most}", parse)


def sizes(least: int, most: int) -> Kind:
    """Sizes from *least* to *most* bytes."""

    def parse(value: Any) -> int:
        size = _size(value)
        if not least <= size <= most:
            raise ValueError(value)
        return size

    return Kind(f"a size from {show_size(least)} to {show_size(most)}", parse, show_size)


def choice(*allowed: str) -> Kind:
    """One of the words *allowed*."""

    def parse(value: Any) -> str:
        text = _text(value).lower()
        if text not in allowed:
            raise ValueError(value)
        return text

    return Kind(" or ".join(allowed), parse)


def pattern(regex: str, expected: str) -> Kind:
    """Text that matches *regex* as a whole."""
    return Kind(expected, lambda value: _matching(regex, value))


def service(*forms: str) -> Kind:
    """What is plugged into a port: a bare word or an address whose scheme is one of *forms*.

    ``service("database", "redis://host")`` accepts ``database`` and any ``redis://…`` address; the forms are also the
    text that tells the operator what this version supports.
    """
    schemes = {form.partition("://")[0] for form in forms if "://" in form}
    words = {form for form in forms if "://" not in form}

    def parse(value: Any) -> str:
        text = _text(value)
        if text not in words and urlsplit(text).scheme not in schemes:
            raise ValueError(value)
        return text

    return Kind("one of " + " or ".join(forms) if len(forms) > 1 else f"only {forms[0]}", parse)


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name most like *name*, or None when none is alike."""
    from difflib import get_close_matches  # noqa: PLC0415 (needed for mistakes only)

    return next(iter(get_close_matches(name, known, n=1)), None)
