"""What scripts of other sites may read (Fetch standard, CORS protocol); both planes say it in the same words."""

from typing import Final

CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Max-Age": "86400",
    "Access-Control-Expose-Headers": "X-PyPI-Last-Serial",
}
"""For what is the same for everybody: ``*`` means that the visitor's cookies are not sent."""
