"""Background work of attestations."""

from django.conf import settings

from packhouse.attestations.actions import keep_root
from packhouse.queue import background


@background("default", attempts=6, unique=True, time_limit=300, backoff=60)
def update_root() -> None:
    """Fetch the trusted root of the public Sigstore, where the operator wants that.  Safe to run twice."""
    config = settings.PACKHOUSE
    if config.attestation_root or not config.attestation_updates:
        return
    from packhouse.attestations.updates import fetch  # noqa: PLC0415 - large, and few want it

    keep_root(fetch(config.home / "cache" / "sigstore"))
