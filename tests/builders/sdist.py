"""A source distribution in memory (PEP 517, 625, 639)."""

from collections.abc import Mapping

from .names import metadata_text, name_part
from .tarbytes import TarMember, gz, tar_bytes
from .wheel import encoded


def make_sdist(
    name: str = "demo",
    version: str = "1.0",
    *,
    metadata: str | bytes | None = None,
    files: Mapping[str, bytes] | None = None,
    licenses: Mapping[str, bytes] | None = None,
    top: str | None = None,
    without: tuple[str, ...] = (),
    extra: tuple[TarMember, ...] = (),
    metadata_version: str = "2.4",
) -> tuple[str, bytes]:
    """The file name and the bytes of a good sdist.

    ``files`` and ``licenses`` map paths below the top folder to contents (default: two small files);
    ``extra`` appends members as they are (links, devices, odd names); ``without`` leaves members out (``"PKG-INFO"``).
    """
    part = name_part(name)
    folder = top or f"{part}-{version}"
    text = metadata or metadata_text(name, version, licenses=tuple(licenses or ()), metadata_version=metadata_version)
    default = {"pyproject.toml": b"[build-system]\nrequires = []\n", f"{part}.py": b'"""A demonstration."""\n'}
    contents = {"PKG-INFO": encoded(text), **(default if files is None else files), **(licenses or {})}
    members = [TarMember(f"{folder}/{path}", data) for path, data in contents.items() if path not in without]
    return f"{part}-{version}.tar.gz", gz(tar_bytes([*members, *extra]))
