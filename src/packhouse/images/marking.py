"""Pictures instead of links to them, in descriptions that the renderer has made safe.

The renderer writes one of two marks for a picture: a link to it, or, within another link, a span that names it.  The
marks are in the form in which its cleaner writes attributes, so a pattern reads them.
"""

import re
from html import escape, unescape
from typing import Final

from django.conf import settings

from packhouse.images.addresses import address_of

MARK: Final = re.compile(
    r'<(?:a href|(span) data-src)="(?P<url>https?://[^"]*)"(?P<rest>[^>]*)>(?P<words>[^<]*)</(?(1)span|a)>'
)
SIZE: Final = re.compile(r' data-size="(\d{0,5})x(\d{0,5})"')
MOST: Final = 300
"""Pictures of one description; the others stay links."""


def with_pictures(html: str) -> str:
    """*html* with its pictures where the proxy is on; unchanged where it is off."""
    return MARK.sub(_picture, html, count=0) if settings.PACKHOUSE.image_proxy and 'class="image"' in html else html


def _picture(mark: "re.Match[str]") -> str:
    rest = mark["rest"]
    if ' class="image"' not in rest:
        return mark[0]
    url, words = unescape(mark["url"]), mark["words"].replace('"', "&quot;")
    size = SIZE.search(rest)
    sizes = (
        "".join(
            f' {name}="{number}"' for name, number in zip(("width", "height"), size.groups(), strict=True) if number
        )
        if size
        else ""
    )
    return f'<img src="{escape(address_of(url))}" alt="{words}"{sizes} loading="lazy" decoding="async">'
