"""Request lines and headers, read."""

import pytest

from packhouse.server.request import Headers, Target, read_target


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"/", Target("/", "")),
        (b"/a%20b/%C3%BC?q=%20#f", Target("/a b/ü", "q=%20")),
        (b"/a%ff", Target("/a\ufffd", "")),
        (b"/a?", Target("/a", "")),
        (b"//evil.example/a", Target("//evil.example/a", "")),
        (b"http://h:80/a?b", Target("/a", "b", "h:80")),
        (b"HTTPS://h", Target("/", "", "h")),
        (b"*", Target("*", "")),
        (b"h:80", None),
        (b"ftp://h/", None),
        (b"http://h?a/", None),
        (b"/\xff", None),
        (b"", None),
    ],
)
def test_targets(sent, expected):
    assert read_target(sent) == expected


def test_headers_keep_what_is_sent_again():
    headers = Headers()
    for name, value in ((b"Accept", b" a\t"), (b"ACCEPT", b"b"), (b"X-Odd", b"\xe9"), (b"accept", b"c")):
        headers.add(name, value)
    assert headers.get("accept") == "a"
    assert headers.get_all("accept") == ["a", "b", "c"]
    assert headers.get_all("x-odd") == ["\xe9"]
    assert headers.get_all("cookie") == []
    assert headers.items() == [("accept", "a"), ("x-odd", "\xe9"), ("accept", "b"), ("accept", "c")]
