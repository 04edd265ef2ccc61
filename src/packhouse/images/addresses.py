"""The addresses of pictures: each is signed, so that nobody can have anything fetched that no description shows."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Final

from django.utils.crypto import constant_time_compare, salted_hmac

PREFIX: Final = "/_images/"
SALT: Final = "packhouse.images.address"
LONGEST: Final = 2000


def address_of(url: str) -> str:
    """Where the picture at *url* is found on this index."""
    named = urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return f"{PREFIX}{_signature(url)}/{named}"


def url_of(signature: str, named: str) -> str | None:
    """The picture's own address; None where this index has not signed it."""
    try:
        url = urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()
    except (NotBase64, ValueError):
        return None
    is_ours = constant_time_compare(signature, _signature(url))
    return url if is_ours and len(url) <= LONGEST else None


def _signature(url: str) -> str:
    return salted_hmac(SALT, url, algorithm="sha256").hexdigest()[:40]
