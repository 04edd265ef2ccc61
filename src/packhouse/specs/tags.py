"""Platform tags that the index takes in file names of wheels.

https://packaging.python.org/specifications/platform-compatibility-tags/ (PEP 425, 513, 571, 599, 600, 656, 730, 738,
783).  A tag of any other kind does not tell where the wheel runs: ``linux_x86_64`` means "where it was built".
"""

import re
from collections.abc import Collection

_MANY_LINUX = "x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x|riscv64"
_MAC = "ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2"
_NUMBER = "(?:0|[1-9][0-9]{0,3})"

PLATFORM_TABLE: tuple[tuple[str, str], ...] = (
    ("generic", "any"),
    ("Windows", "win32|win_(?:amd64|arm64|ia64)"),
    ("Linux on early ARM, for which no other tag exists", "linux_armv[67]l"),
    ("manylinux1, manylinux2010", "manylinux(?:1|2010)_(?:x86_64|i686)"),
    ("manylinux2014", "manylinux2014_(?:x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)"),
    ("manylinux", f"manylinux_{_NUMBER}_{_NUMBER}_(?:{_MANY_LINUX})"),
    ("musllinux", f"musllinux_{_NUMBER}_{_NUMBER}_(?:x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64)"),
    ("Mac OS X 10", f"macosx_10_{_NUMBER}_(?:{_MAC})"),
    # Since macOS 11 installers look for minor version 0 only: another one would never be found.
    ("macOS 11 and later", f"macosx_(?:1[1-5]|26)_0_(?:{_MAC})"),
    ("iOS", f"ios_{_NUMBER}_{_NUMBER}_(?:arm64|x86_64)_(?:iphoneos|iphonesimulator)"),
    ("Android", f"android_{_NUMBER}_(?:armeabi_v7a|arm64_v8a|x86|x86_64)"),
    ("Emscripten", f"pyemscripten_{_NUMBER}_{_NUMBER}_wasm32"),
)
"""Each family with the regular expression that its tags match as a whole."""

_ALLOWED = re.compile("|".join(f"(?:{pattern})" for _, pattern in PLATFORM_TABLE), re.ASCII)


def is_allowed_platform(tag: str, *, also_allowed: Collection[str] = ()) -> bool:
    """Tell whether a wheel for the single platform ``tag`` is taken; ``also_allowed`` are this index's own tags."""
    return _ALLOWED.fullmatch(tag) is not None or tag in also_allowed
