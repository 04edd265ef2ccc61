"""What to write where, for each client, with the address of this very index and a token."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Snippet:
    """*text* to be copied: the content of the file *place*, or commands where that is empty."""

    client: str
    place: str
    text: str


def snippets(site: str, token: str) -> Iterator[Snippet]:
    """For pip, uv, twine, Poetry, PDM and Hatch.  *site* is the public URL, without a slash at its end."""
    host = urlsplit(site).hostname or ""
    simple, legacy = f"{site}/simple/", f"{site}/legacy/"
    trusted = "" if site.startswith("https:") or _is_loopback(host) else f"trusted-host = {host}\n"
    yield Snippet("pip", "~/.config/pip/pip.conf", f"[global]\nindex-url = {simple}\n{trusted}")
    yield Snippet(
        "uv",
        "uv.toml",
        f'[[index]]\nname = "packhouse"\nurl = "{simple}"\npublish-url = "{legacy}"\ndefault = true\n',
    )
    yield Snippet("uv", "", f"export UV_PUBLISH_TOKEN={token}\nuv publish --index packhouse\n")
    yield Snippet(
        "twine",
        "~/.pypirc",
        "[distutils]\nindex-servers = packhouse\n\n"
        f"[packhouse]\nrepository = {legacy}\nusername = __token__\npassword = {token}\n",
    )
    yield Snippet("twine", "", "twine upload --repository packhouse dist/*\n")
    yield Snippet(
        "Poetry",
        "",
        f"poetry source add --priority=primary packhouse {simple}\n"
        f"poetry config repositories.packhouse {legacy}\n"
        f"poetry config pypi-token.packhouse {token}\n"
        "poetry publish --build --repository packhouse\n",
    )
    yield Snippet(
        "PDM",
        "",
        f"pdm config pypi.url {simple}\n"
        f"pdm config repository.packhouse.url {legacy}\n"
        "pdm config repository.packhouse.username __token__\n"
        f"pdm config repository.packhouse.password {token}\n"
        "pdm publish --repository packhouse\n",
    )
    yield Snippet(
        "Hatch",
        "",
        f"export HATCH_INDEX_REPO={legacy}\nexport HATCH_INDEX_USER=__token__\nexport HATCH_INDEX_AUTH={token}\n"
        "hatch publish\n",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
