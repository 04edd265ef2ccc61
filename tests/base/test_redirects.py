"""Nobody is sent away from this site by what stands in a link."""

from itertools import product
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import RequestFactory

from packhouse.base.redirects import LONGEST, is_own_path, safe_next

HOSTS = ["evil.example", "evil.example/path", "127.0.0.1", "[::1]", "user@evil.example", "evil.example:80"]
BEGINNINGS = [
    *["//", "///", "////", "/\\", "\\\\", "\\/", "\\", "/\\/", "/\t/", "/\n/", "/\r/", "/ /", "/\x00/", "\t//", " //"],
    *[
        "http://",
        "https://",
        "http:",
        "https:/",
        "HTTP://",
        "ftp://",
        "javascript:",
        "data:text/html,",
        "//\t",
        "/./\\",
    ],
    *["/%2f%2f", "/%5c%5c", "/%09/", "/%0a//", "/..//", "/.//", "/a//", "/a/\\", "?//", "#//", "", ".", "..", "@"],
]
ATTACKS = [beginning + host for beginning, host in product(BEGINNINGS, HOSTS)]
OURS = [
    *[
        "/",
        "/search/",
        "/project/sampleproject/1.0.post1+local/",
        "/search/?q=a%20b&page=2",
        "/manage/account/#e-mails",
    ],
    *["/a/?next=/b/", "/project/x/?a=1#files", "/%D7%90/", "/a@b/", "/search/?q=//", "/~user/", "/a;b=c/"],
]


def test_the_corpus_is_large_enough():
    assert len(set(ATTACKS)) >= 200


@pytest.mark.parametrize("text", ATTACKS)
def test_an_address_elsewhere_is_refused(text):
    assert not is_own_path(text)


@pytest.mark.parametrize(
    "text", ["", "search/", "/ä/", "/a b/", "/a\u2028b", "/" + "a" * LONGEST, "/a%00/", "/a<b>/", '/"']
)
def test_what_is_not_plainly_a_path_is_refused(text):
    assert not is_own_path(text)


@pytest.mark.parametrize("text", OURS)
def test_a_path_of_this_site_is_taken_and_stays_here(text):
    assert is_own_path(text)
    assert urlsplit(urljoin("https://index.example/account/login/", text)).netloc == "index.example"


@pytest.mark.parametrize(
    ("method", "wanted", "expected"),
    [("get", "/a/", "/a/"), ("post", "/a/", "/a/"), ("get", "//evil.example", "/home/"), ("post", "", "/home/")],
)
def test_the_visitor_goes_where_it_is_safe(method, wanted, expected):
    request = getattr(RequestFactory(), method)("/", {"next": wanted})
    assert safe_next(request, "/home/") == expected
