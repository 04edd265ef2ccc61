"""Bringing the trusted root of Sigstore's public installation up to date, where the operator wants that.

TUF makes sure that what comes is Sigstore's and not older than what came before, whoever serves it: the chain begins
with the root metadata that the library carries.  See https://theupdateframework.github.io/specification/latest/
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.updater import Updater

from packhouse.attestations import trust

PUBLIC: Final = "https://tuf-repo-cdn.sigstore.dev"
TARGET: Final = "trusted_root.json"
LARGEST: Final = 1024**2


def bootstrap() -> bytes:
    """The root metadata of the public repository as the library carries it."""
    return (files("sigstore") / "_store" / trust.PUBLIC / "root.json").read_bytes()


def fetch(folder: Path, *, url: str = PUBLIC, root: bytes = b"") -> bytes:
    """The trusted root that the TUF repository at *url* names now; *folder* keeps what must not be forgotten between.

    *root* is the root metadata to begin with.  Raises what ``tuf`` raises, and ``TrustUnavailable`` for a file that
    nothing could be verified by.
    """
    metadata, targets = folder / "metadata", folder / "targets"
    for place in (metadata, targets):
        place.mkdir(parents=True, exist_ok=True)
    updater = Updater(
        metadata_dir=str(metadata),
        metadata_base_url=url,
        target_dir=str(targets),
        target_base_url=f"{url}/targets/",
        config=UpdaterConfig(app_user_agent="packhouse"),
        bootstrap=root or bootstrap(),
    )
    updater.refresh()
    found = updater.get_targetinfo(TARGET)
    if found is None or found.length > LARGEST:
        raise trust.TrustUnavailable(f"{url} has no {TARGET}, or one that is too large")
    content = Path(updater.find_cached_target(found) or updater.download_target(found)).read_bytes()
    trust.verifier(content)
    return content
