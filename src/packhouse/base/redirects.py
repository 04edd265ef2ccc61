"""Where a visitor may be sent on to after a form: a path of this site, nothing else."""

import re
from typing import Final

from django.http import HttpRequest

LONGEST: Final = 2000
_CHARACTERS: Final = r"A-Za-z0-9\-._~%!$&'()*+,;=:@"
PATH: Final = re.compile(
    rf"(?:/(?!/)[{_CHARACTERS}]*)+"  # segments, none of them empty but the last: no "//", where a host could begin
    rf"(?:\?[{_CHARACTERS}/?]*)?"
    rf"(?:#[{_CHARACTERS}/?]*)?",
)
_ENCODED_TRICKS: Final = re.compile(r"%(?:[01][0-9a-f]|7f|2f|5c)", re.IGNORECASE)


def is_own_path(text: str) -> bool:
    """Whether *text* is a path of this site: absolute, of RFC 3986's characters, without an empty segment.

    Nothing is decoded, repaired or trimmed, because that is where browsers and servers come to differ: backslashes,
    tabs and other control characters, spaces, hosts and schemes are refused, and so is a path that hides a slash, a
    backslash or a control character behind a percent sign.
    """
    if len(text) > LONGEST or not PATH.fullmatch(text):
        return False
    return not _ENCODED_TRICKS.search(re.split(r"[?#]", text, maxsplit=1)[0])


def safe_next(request: HttpRequest, default: str = "/", *, name: str = "next") -> str:
    """The path that the request's field *name* asks to be sent on to, where it is one of ours; else *default*."""
    wanted = request.POST.get(name) or request.GET.get(name) or ""
    return wanted if is_own_path(wanted) else default
