"""The configuration of a Varnish in front, as text."""

from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from packhouse.base.values import purge_target
from packhouse.purge.ports import NOBODY


def written(backend: tuple[str, int], purgers: Sequence[str]) -> str:
    """VCL for a Varnish that asks the index at *backend* (host, port) and is purged from the networks *purgers*.

    The secret is that of the setting ``purge``; without one, the network alone counts.
    """
    config = settings.PACKHOUSE
    networks = [ip_network(purger, strict=False) for purger in purgers]
    text = Path(__file__).with_name("varnish.vcl").read_text(encoding="utf-8")
    for name, value in {
        "BACKEND_HOST": backend[0],
        "BACKEND_PORT": str(backend[1]),
        "PURGERS": "\n".join(f'    "{network.network_address}"/{network.prefixlen};' for network in networks),
        "HOST": urlsplit(config.public_url).netloc,
        "SECRET": "" if config.purge == NOBODY else purge_target(config.purge).secret,
        "LANGUAGES": "|".join(code for code, _ in settings.LANGUAGES),
    }.items():
        text = text.replace(f"@{name}@", value)
    return text
