"""Archives for tests, built in code: the same arguments always give the same bytes.

``make_wheel`` and ``make_sdist`` give good distributions (or ones whose *contents* are wrong); ``zipbytes`` and
``tarbytes`` write archives field by field, for those whose *framing* is wrong.
"""

from .sdist import make_sdist
from .tarbytes import TarMember, gz, gz_repeated, tar_bytes
from .wheel import make_wheel, record_for
from .zipbytes import Member, zip_bytes

__all__ = [
    "Member",
    "TarMember",
    "gz",
    "gz_repeated",
    "make_sdist",
    "make_wheel",
    "record_for",
    "tar_bytes",
    "zip_bytes",
]
