"""Wheel tags in words (PEP 425, 600, 656, 730, 738)."""

import re
from dataclasses import dataclass
from typing import Final

IMPLEMENTATIONS: Final = {"cp": "CPython", "pp": "PyPy", "gp": "GraalPy", "py": "Python", "jy": "Jython"}
MACHINES: Final = {
    "x86_64": "x86-64",
    "amd64": "x86-64",
    "i686": "x86-32",
    "win32": "x86-32",
    "aarch64": "ARM64",
    "arm64": "ARM64",
    "arm64_v8a": "ARM64",
    "armv7l": "ARMv7",
    "armv6l": "ARMv6",
    "armeabi_v7a": "ARMv7",
    "ppc64le": "POWER (little-endian)",
    "ppc64": "POWER",
    "s390x": "s390x",
    "riscv64": "RISC-V",
    "universal2": "x86-64 and ARM64",
    "intel": "x86",
}
_PYTHON: Final = re.compile(r"([a-z]+?)_?(\d)_?(\d*)")
_LINUX: Final = re.compile(r"(many|musl)linux_(\d+)_(\d+)_(\w+)")
_OLD_LINUX: Final = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}
_APPLE: Final = re.compile(r"(macosx|ios)_(\d+)_(\d+)_(\w+)")
_ANDROID: Final = re.compile(r"android_(\d+)_(\w+)")


@dataclass(frozen=True, slots=True)
class Tags:
    """The three tag sets of a wheel's file name, as written."""

    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]


def tags_of(filename: str) -> Tags | None:
    """The tags in a wheel's file name; None for any other file."""
    parts = filename.removesuffix(".whl").split("-") if filename.endswith(".whl") else []
    if len(parts) < 5:
        return None
    return Tags(*(tuple(part.split(".")) for part in parts[-3:]))


def python_words(tag: str) -> str:
    """``cp312`` → ``CPython 3.12``."""
    found = _PYTHON.fullmatch(tag)
    if found is None or found[1] not in IMPLEMENTATIONS:
        return tag
    return f"{IMPLEMENTATIONS[found[1]]} {found[2]}" + (f".{found[3]}" if found[3] else "")


def abi_words(tag: str) -> str:
    """``abi3`` → ``stable ABI``; others are names already."""
    if tag in {"abi3", "none"}:
        return {"abi3": "abi3 (stable)", "none": ""}[tag]
    return f"{tag} (free-threaded)" if re.fullmatch(r"cp\d+t", tag) else tag


def platform_words(tag: str) -> str:
    """``manylinux_2_28_x86_64`` → ``Linux (glibc 2.28+) x86-64``; nothing where it runs everywhere."""
    return "" if tag == "any" else _linux_words(tag) or _other_words(tag)


def _linux_words(tag: str) -> str:
    if found := _LINUX.fullmatch(tag):
        library = "glibc" if found[1] == "many" else "musl"
        return f"Linux ({library} {found[2]}.{found[3]}+) {_machine(found[4])}"
    head, _, rest = tag.partition("_")
    if head in _OLD_LINUX:
        return f"Linux (glibc {_OLD_LINUX[head]}+) {_machine(rest)}"
    if head == "linux":
        return f"Linux {_machine(rest)}"
    return ""


def _other_words(tag: str) -> str:
    head, _, rest = tag.partition("_")
    if found := _APPLE.fullmatch(tag):
        system = "macOS" if found[1] == "macosx" else "iOS"
        return f"{system} {found[2]}.{found[3]}+ {_machine(found[4])}"
    if found := _ANDROID.fullmatch(tag):
        return f"Android API {found[1]}+ {_machine(found[2])}"
    if tag == "win32" or head == "win":
        return f"Windows {_machine('win32' if tag == 'win32' else rest)}"
    return tag


def _machine(name: str) -> str:
    return MACHINES.get(name, name.replace("_", " "))
