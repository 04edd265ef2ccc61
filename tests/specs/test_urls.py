"""Links: which are taken, and which are surely the project's own."""

import pytest

from packhouse.specs import urls


@pytest.mark.parametrize(
    "url",
    [
        "http:foo",
        "https://example.com",
        "HTTP://user@example.com:80/a%20b?c=d#e",
        "https://[::1]/",
        "http://",
        "https://chat.example/#/#room:x.org",
    ],
)
def test_an_http_address_is_a_valid_uri(url):
    assert urls.is_valid_uri(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "foo", "ftp://example.com", "javascript:alert(1)", " https://example.com", "https://example.com\n"),
        *("https://example.com/a b", "https://example.com/%zz", "https://example.com/\\a", "https://example.com/é"),
        *("https://example.com/a\r\nSet-Cookie: a=b", "data:text/html,x", "//example.com", 'https://example.com/"'),
    ],
)
def test_anything_else_is_not(url):
    assert not urls.is_valid_uri(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://index.example/project/Zope.Interface",
        "https://index.example/project/zope-interface/",
        "https://index.example/p/Zope.Interface/",
        "https://index.example/p/zope-interface",
    ],
)
def test_the_pages_of_a_project_are_its_own_links(url):
    assert urls.is_self_link(url, "https://index.example/", "Zope.Interface")


@pytest.mark.parametrize(
    "url",
    [
        "http://index.example/project/zope-interface",
        "https://index.example/project/other",
        "https://index.example/project/zope-interface//",
        "https://index.example/project/zope-interface/1.0",
        "https://index.example/project/zope-interface?a",
        "https://index.example/project/zope-interface#a",
        "https://index.example\\@evil.example/project/zope-interface",
        "https://index.example@evil.example/project/zope-interface",
        "https://index.example.evil.example/project/zope-interface",
        "https://index.example/simple/zope-interface",
    ],
)
def test_any_other_address_is_not(url):
    assert not urls.is_self_link(url, "https://index.example", "Zope.Interface")


BASE = "https://forge.example/Owner/repo"


@pytest.mark.parametrize("path", ["", "/", "/issues", "/tree/main?x#y", "#readme", "?tab=x"])
def test_a_page_below_a_repository_is_part_of_it(path):
    assert urls.is_at_or_below(BASE + path, BASE)


@pytest.mark.parametrize(
    "url",
    [
        "https://forge.example/Owner/repository",
        "https://forge.example/Owner",
        "https://forge.example/owner/repo",
        "http://forge.example/Owner/repo",
        "https://forge.example:8443/Owner/repo",
        "https://user@forge.example/Owner/repo",
        "https://forge.example/Owner/repo/../../evil",
        "https://forge.example/Owner/repo/%2e%2e/%2E%2e/evil",
        "https://forge.example/Owner/repo/..\\..\\evil",
        "https://forge.example/Owner/repo/\t../evil",
        "https://forge.example/Owner/repo/a\u202eb",
        "https://forge.example/Owner/repo/%5c..",
        "https:/forge.example/Owner/repo",
        "https:///forge.example/Owner/repo",
    ],
)
def test_a_link_that_a_browser_may_take_elsewhere_is_not(url):
    assert not urls.is_at_or_below(url, BASE)


def test_case_of_the_path_is_ignored_where_the_host_ignores_it():
    assert urls.is_at_or_below("https://FORGE.example/owner/REPO/issues", BASE, ignore_case=True)
