"""Links in core metadata: which are taken, and which of them point at what the index knows to be the project's own.

Browsers and libraries disagree about odd URLs (backslashes, encoded dots, user names before the host).  Links that
could be read in two ways may be stored and shown, but are never called verified.
"""

import re
from urllib.parse import urlsplit

from packhouse.specs.names import normalize

_URI = re.compile(
    r"https?:(?://[\w.~!$&'()*+,;=:@%\[\]-]*+)?+[\w.~!$&'()*+,;=:@%/-]*+"
    r"(?:\?[\w.~!$&'()*+,;=:@%/?-]*+)?+(?:#[\w.~!$&'()*+,;=:@%/?#-]*+)?+",
    re.ASCII | re.IGNORECASE,
)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-f]{2})", re.IGNORECASE)
_AMBIGUOUS = re.compile(r"[\\\x00-\x20\x7f]|%2e|%5c|[^\x00-\x7f]", re.IGNORECASE)


def is_valid_uri(text: str) -> bool:
    """Tell whether ``text`` is an http or https URI as RFC 3986 writes it.  An authority is not required."""
    return _URI.fullmatch(text) is not None and _BAD_ESCAPE.search(text) is None


def is_unambiguous(url: str) -> bool:
    """Tell whether every reader takes ``url`` to the same place: only then may it be called verified."""
    if _AMBIGUOUS.search(url) or not is_valid_uri(url):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(host) and "@" not in parts.netloc and not {".", ".."} & set(parts.path.split("/"))


def is_self_link(url: str, public_url: str, name: str) -> bool:
    """Tell whether ``url`` is the page of the project ``name`` on the index whose own address is ``public_url``.

    The pages are ``/project/{name}`` and ``/p/{name}``, with the name as displayed or normalised, with or without a
    slash at the end.
    """
    base = public_url.rstrip("/")
    pages = {f"{base}/{page}/{spelling}" for page in ("project", "p") for spelling in (name, normalize(name))}
    return is_unambiguous(url) and url.removesuffix("/") in pages


def is_at_or_below(url: str, base: str, *, ignore_case: bool = False) -> bool:
    """Tell whether ``url`` has scheme and authority of ``base`` and its path, or one below; both unambiguous.

    ``ignore_case`` is for paths of hosts that ignore it; scheme and host never mind.
    """
    if not (is_unambiguous(url) and is_unambiguous(base)):
        return False
    ours, theirs = urlsplit(url), urlsplit(base)
    path, top = ours.path.rstrip("/"), theirs.path.rstrip("/")
    if ignore_case:
        path, top = path.lower(), top.lower()
    same_origin = (ours.scheme.lower(), ours.netloc.lower()) == (theirs.scheme.lower(), theirs.netloc.lower())
    return same_origin and (path == top or path.startswith(f"{top}/"))
