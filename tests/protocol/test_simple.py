"""What installers see below ``/simple/``: PEP 503, 592, 658, 691, 700, 714, 792, 833."""

import gzip
import hashlib
import json
import re

import pytest
import zstandard
from tests.protocol import wire
from tests.protocol.shelf import REASON

HTML = "text/html; charset=UTF-8"
V1_HTML = "application/vnd.pypi.simple.v1+html"
V1_JSON = "application/vnd.pypi.simple.v1+json"
PIP = f"{V1_JSON}, {V1_HTML}; q=0.1, text/html; q=0.01"
WHEEL = "demo_pkg-1.0-py3-none-any.whl"
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since",
    "access-control-allow-methods": "GET",
    "access-control-max-age": "86400",
    "access-control-expose-headers": "X-PyPI-Last-Serial",
}
SECURITY = {
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-permitted-cross-domain-policies": "none",
}


def without_what_varies(answer):
    changing = {"date", "server", "connection", "x-request-id", "etag", "content-length", "x-pypi-last-serial"}
    return {name: value for name, value in answer.headers if name not in changing}


def test_the_index_lists_projects_by_display_name_but_not_those_in_quarantine(get):
    page = get("/simple/", Accept=V1_JSON)
    found = json.loads(page.body)
    assert page["Content-Type"] == V1_JSON
    assert found["meta"] == {"api-version": "1.4", "_last-serial": int(page["X-PyPI-Last-Serial"])}
    names = [project["name"] for project in found["projects"]]
    assert {"Demo.Pkg", "old-tool", "held", "regret"} <= set(names)
    assert "bad-thing" not in names
    assert names == sorted(names, key=lambda name: re.sub("[-_.]+", "-", name).lower())
    assert page.body == json.dumps(found, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode() + b"\n"


def test_the_index_in_html_is_a_list_of_links(get):
    page = get("/simple/").body.decode()
    assert page.startswith(
        '<!DOCTYPE html>\n<html lang="en">\n  <head>\n'
        '    <meta name="pypi:repository-version" content="1.4">\n    <title>Simple index</title>\n'
        '  </head>\n  <body>\n<a href="/simple/demo-pkg/">Demo.Pkg</a>\n<a href="/simple/held/">held</a>\n'
    )
    assert page.endswith("</a>\n</body>\n</html>")


def files_of(filled, url, *names):
    """For each file: its URL, sha256, and the sha256 of its metadata as the server tells it."""
    found = {}
    for name in names:
        blake = hashlib.blake2b(filled.files[name], digest_size=32).hexdigest()
        found[name] = (
            f"{url}/packages/{blake[:2]}/{blake[2:4]}/{blake[4:]}/{name}",
            hashlib.sha256(filled.files[name]).hexdigest(),
        )
    return found


def metadata_digest(filled, name):
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(filled.files[name])) as wheel:
        path = next(path for path in wheel.namelist() if path.endswith(".dist-info/METADATA"))
        return hashlib.sha256(wheel.read(path)).hexdigest()


def test_the_html_of_a_project_byte_for_byte(get, index, filled):
    yanked, candidate, sdist = (
        "demo_pkg-1.5-py3-none-any.whl",
        "demo_pkg-2.0.0rc1-py3-none-any.whl",
        "demo_pkg-1.0.tar.gz",
    )
    at = files_of(filled, index.url, WHEEL, sdist, yanked, candidate)
    told = {name: metadata_digest(filled, name) for name in (WHEEL, yanked, candidate)}

    def core(name):
        return f'data-dist-info-metadata="sha256={told[name]}" data-core-metadata="sha256={told[name]}"'

    page = get("/simple/demo-pkg/")
    assert page.body.decode() == (
        f"""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta name="pypi:repository-version" content="1.4">
<meta name="pypi:project-status" content="active">    <title>Links for demo-pkg</title>
  </head>
  <body>
    <h1>Links for demo-pkg</h1>
<a href="{at[WHEEL][0]}#sha256={at[WHEEL][1]}" data-requires-python="&gt;=3.9" {core(WHEEL)}>{WHEEL}</a><br />
<a href="{at[sdist][0]}#sha256={at[sdist][1]}" data-requires-python="&gt;=3.9" >{sdist}</a><br />
<a href="{at[yanked][0]}#sha256={at[yanked][1]}" """
        f"""data-yanked="it &lt;b&gt;breaks&lt;/b&gt; &amp; &#34;burns&#34; (désolé)" {core(yanked)}>{yanked}</a><br />
<a href="{at[candidate][0]}#sha256={at[candidate][1]}" {core(candidate)}>{candidate}</a><br />
</body>
</html>
<!--SERIAL {page["X-PyPI-Last-Serial"]}-->"""
    )


def test_the_json_of_a_project_byte_for_byte(get, index, filled):
    page = get("/simple/demo-pkg/", Accept=V1_JSON)
    found = json.loads(page.body)
    assert page.body == json.dumps(found, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode() + b"\n"
    times = [file.pop("upload-time") for file in found["files"]]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", time) for time in times)
    names = [file["filename"] for file in found["files"]]
    at = files_of(filled, index.url, *names)
    assert names == [
        WHEEL,
        "demo_pkg-1.0.tar.gz",
        "demo_pkg-1.5-py3-none-any.whl",
        "demo_pkg-2.0.0rc1-py3-none-any.whl",
    ]
    for file in found["files"]:
        name = file["filename"]
        told = {"sha256": metadata_digest(filled, name)} if name.endswith(".whl") else False
        assert file == {
            "filename": name,
            "url": at[name][0],
            "hashes": {"sha256": at[name][1]},
            "requires-python": ">=3.9" if "-1.0" in name else None,
            "size": len(filled.files[name]),
            "yanked": REASON if "-1.5-" in name else False,
            "core-metadata": told,
            "data-dist-info-metadata": told,
            "provenance": None,
        }
    del found["files"]
    assert found == {
        "meta": {"api-version": "1.4", "_last-serial": int(page["X-PyPI-Last-Serial"])},
        "name": "demo-pkg",
        "project-status": {"status": "active"},
        "versions": ["1.0", "1.5", "2.0.0rc1"],
    }


def test_each_state_of_a_project_shows(get):
    def page(name):
        return json.loads(get(f"/simple/{name}/", Accept=V1_JSON).body)

    archived, quarantined, held, regret = page("old-tool"), page("bad-thing"), page("held"), page("regret")
    assert (archived["project-status"], len(archived["files"])) == ({"status": "archived"}, 1)
    assert quarantined["project-status"] == {"status": "quarantined"}
    assert (quarantined["files"], quarantined["versions"]) == ([], [])
    assert (held["project-status"], held["versions"]) == ({"status": "active"}, ["1.0"])
    assert [file["filename"] for file in held["files"]] == ["held-1.0-py3-none-any.whl"]
    assert regret["files"][0]["yanked"] is True
    assert b'data-yanked="" data-dist' in get("/simple/regret/").body
    assert b'<meta name="pypi:project-status" content="archived">    <title>' in get("/simple/old-tool/").body


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        ("text/*", HTML),
        ("application/json", HTML),
        ("nonsense", HTML),
        ("application/*", V1_HTML),
        (V1_HTML, V1_HTML),
        (V1_JSON, V1_JSON),
        (V1_JSON.upper(), V1_JSON),
        (PIP, V1_JSON),
        (PIP.replace("0.1", "0.2"), V1_JSON),
        (f"text/html, {V1_JSON}", HTML),
        (f"{V1_JSON};q=0, */*;q=0.1", HTML),
        (f"{V1_JSON}; charset=utf-8", HTML),
        ("application/vnd.pypi.simple.latest+json", V1_JSON),
        ("application/vnd.pypi.simple.latest+html", V1_HTML),
        ("text/html;q=0.1\xff", HTML),
    ],
)
@pytest.mark.parametrize("path", ["/simple/", "/simple/demo-pkg/"])
def test_the_representation_follows_accept_and_is_never_a_406(get, path, accept, expected):
    page = get(path, Accept=accept)
    assert (page.status, page["Content-Type"]) == (200, expected)
    assert page["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text/html", HTML),
        (V1_HTML, V1_HTML),
        (V1_JSON, V1_JSON),
        (V1_JSON.replace("+", "%2B"), V1_JSON),
        ("application/vnd.pypi.simple.latest+json", V1_JSON),
        ("application/vnd.pypi.simple.latest+html", V1_HTML),
        ("json", V1_HTML),
        ("", V1_HTML),
    ],
)
def test_the_format_in_the_query_wins_over_accept(get, value, expected):
    assert get(f"/simple/demo-pkg/?format={value}", Accept=V1_HTML)["Content-Type"] == expected


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/simple", "/simple/"),
        ("/simple?format=x", "/simple/?format=x"),
        ("/simple/demo-pkg", "/simple/demo-pkg/"),
        ("/simple/Demo.Pkg", "/simple/demo-pkg/"),
        ("/simple/Demo.Pkg/", "/simple/demo-pkg/"),
        ("/simple/demo_pkg/?a=b%20c&d", "/simple/demo-pkg/?a=b%20c&d"),
        ("/simple/DEMO--..__pkg/", "/simple/demo-pkg/"),
        ("/simple/nobody-has-this", "/simple/nobody-has-this/"),
    ],
)
def test_other_spellings_are_redirected(get, target, location):
    moved = get(target)
    assert (moved.status, moved["Location"]) == (301, location)
    assert "x-pypi-last-serial" not in moved
    if target.rstrip("/") != target or "?a=b" in target:
        assert moved["Cache-Control"] == "max-age=0, public"
        assert CORS.items() <= dict(moved.headers).items()


@pytest.mark.parametrize(
    "target",
    [
        "/simple/nobody/",
        "/simple/No.Body/",
        "/simple/-/",
        "/simple/demo-pkg-/",
        "/simple/demo-pkg//",
        "/simple//",
        "/simple/demo-pkg/1.0/",
        "/simple/..%2fsimple/",
        "/simple/index/",
        "/simple/%00/",
        "/simple/%ff%fe/",
        "/simple/d%C3%A9mo/",
        "/simple/" + "a" * 201 + "/",
        "/simple/" + "a." * 10_000 + "a/",
    ],
)
def test_what_is_not_there_is_a_short_404_that_scripts_may_read(get, target):
    missing = get(target, Accept=V1_JSON)
    assert (missing.status, missing.body) == (404, b"404 Not Found")
    assert missing["Content-Type"].startswith("text/plain")
    assert (CORS | SECURITY).items() <= dict(missing.headers).items()


def test_a_query_full_of_anything_is_no_obstacle(get):
    for query in ("a&" * 200, "format=%ff", "&&&=;=", "format", "format=" + "a" * 20_000, "=" * 400):
        assert get(f"/simple/demo-pkg/?{query}", Accept=V1_HTML)["Content-Type"] == V1_HTML


def test_percent_encoding_is_undone_once(get):
    assert get("/simple/d%65mo%2Dpkg/").status == 200
    assert get("/simple/d%2565mo-pkg/").status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PURGE", "TRACE"])
@pytest.mark.parametrize("path", ["/simple/", "/simple/demo-pkg/", "/simple/nobody/"])
def test_only_reading_is_allowed(get, method, path):
    refused = get(path, method=method)
    assert (refused.status, refused["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert SECURITY.items() <= dict(refused.headers).items()


@pytest.mark.parametrize("path", ["/simple/", "/simple/demo-pkg/", "/simple/nobody/"])
def test_head_and_options_answer_as_get_does(get, path):
    full, head, options = get(path), get(path, method="HEAD"), get(path, method="OPTIONS")
    assert head.status == options.status == full.status
    assert head.body == b""
    assert options.body == full.body
    assert without_what_varies(head) == without_what_varies(full) == without_what_varies(options)
    if full.status == 200:
        assert head["Content-Length"] == full["Content-Length"] == str(len(full.body))
        assert head["ETag"] == full["ETag"]


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/simple/", "all-html simple-index"),
        ("/simple/demo-pkg/", "project/demo-pkg all-html simple-detail"),
    ],
)
def test_all_headers_of_a_page(get, path, keys):
    assert without_what_varies(get(path)) == {
        "content-type": HTML,
        "vary": "Accept, Accept-Encoding",
        "cache-control": "max-age=0, public",
        "surrogate-key": keys,
        "accept-ranges": "bytes",
        "content-security-policy": "default-src 'none'; sandbox allow-top-navigation",
        **CORS,
        **SECURITY,
    }


def test_behind_a_purging_cache_pages_may_be_kept(in_process):
    door = in_process(index_max_age=600, purge="varnish://cache")
    stale = "stale-while-revalidate=300, stale-if-error=86400"
    for path, accept, age in (
        ("/simple/", V1_JSON, 1800),
        ("/simple/", "text/html", 86400),
        ("/simple/demo-pkg/", V1_JSON, 86400),
    ):
        page = door.get(path, Accept=accept)
        assert page["Cache-Control"] == "max-age=600, public"
        assert page["Surrogate-Control"] == f"max-age={age}, {stale}"
    assert door.get("/simple/Demo.Pkg/")["Cache-Control"] == "max-age=600, public"
    assert door.get("/pypi/demo-pkg/json")["Cache-Control"] == "max-age=900, public"
    assert door.get("/pypi/demo-pkg/json")["Surrogate-Control"] == f"max-age=86400, {stale}"


def test_under_https_every_answer_says_to_stay_there(in_process):
    door = in_process(public_url="https://packages.example")
    for path in ("/simple/", "/simple/nobody/", "/pypi/nobody/json", "/packages/x", "/_health/"):
        assert door.get(path)["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def decoded(page):
    coding = dict(page.headers).get("content-encoding", "identity")
    if coding == "gzip":
        return gzip.decompress(page.body)
    return zstandard.ZstdDecompressor().decompress(page.body, 10**7) if coding == "zstd" else page.body


@pytest.mark.parametrize("path", ["/simple/demo-pkg/", "/pypi/demo-pkg/json"])
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("identity", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0, gzip", "gzip"),
        ("gzip;q=0", None),
        ("*", "zstd"),
        ("br", None),
    ],
)
def test_every_coding_carries_the_same_bytes_under_its_own_etag(get, path, accepted, coding):
    plain = get(path)
    page = get(path, Accept_Encoding=accepted)
    assert dict(page.headers).get("content-encoding") == coding
    assert decoded(page) == plain.body
    assert page["Content-Length"] == str(len(page.body))
    assert (page["ETag"] == plain["ETag"]) == (coding is None)


@pytest.mark.parametrize("path", ["/simple/", "/simple/demo-pkg/", "/pypi/demo-pkg/json", "/pypi/demo-pkg/1.0/json"])
@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_whoever_has_the_page_gets_a_304(get, path, coding):
    page = get(path, Accept_Encoding=coding)
    etag = page["ETag"]
    for value in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        unmodified = get(path, Accept_Encoding=coding, If_None_Match=value)
        assert (unmodified.status, unmodified.body) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "X-PyPI-Last-Serial", "Access-Control-Allow-Origin"):
            assert unmodified[name] == page[name]
        assert "content-type" not in unmodified
    assert get(path, Accept_Encoding=coding, If_None_Match='"other"').status == 200
    assert get(path, Accept_Encoding=coding, If_None_Match=etag, method="HEAD").status == 304


def lines_of(*pairs):
    return b"GET /simple/demo-pkg/ HTTP/1.1\r\nHost: packages.example\r\n" + b"".join(
        f"{name}: {value}\r\n".encode() for name, value in pairs
    )


def test_a_list_may_come_in_several_lines(get, index):
    etag = get("/simple/demo-pkg/", Accept=V1_JSON)["ETag"]
    accept = ("Accept", "text/html;q=0.1"), ("Accept", V1_JSON)
    with wire.Connection(index.url) as connection:
        connection.send(lines_of(*accept, ("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")) + b"\r\n")
        page = connection.answer()
        assert (page["Content-Type"], page["Content-Encoding"]) == (V1_JSON, "gzip")
        connection.send(lines_of(*accept, ("If-None-Match", '"other"'), ("If-None-Match", etag)) + b"\r\n")
        assert connection.answer().status == 304
        connection.send(lines_of(("Range", "bytes=0-1"), ("Range", "bytes=4-5")) + b"\r\n")
        assert connection.answer().status == 200


def test_html_and_json_have_different_etags(get):
    assert get("/simple/demo-pkg/")["ETag"] != get("/simple/demo-pkg/", Accept=V1_JSON)["ETag"]


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_parts_of_a_page(get, coding):
    whole = get("/simple/demo-pkg/", Accept_Encoding=coding)
    size = len(whole.body)
    for asked, start, end in (("0-9", 0, 10), ("-9", size - 9, size), ("5-", 5, size), ("5-99999", 5, size)):
        part = get("/simple/demo-pkg/", Accept_Encoding=coding, Range=f"bytes={asked}")
        assert (part.status, part.body) == (206, whole.body[start:end])
        assert part["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert part["ETag"] == whole["ETag"]
    beyond = get("/simple/demo-pkg/", Accept_Encoding=coding, Range=f"bytes={size}-")
    assert (beyond.status, beyond["Content-Range"], beyond.body) == (416, f"bytes */{size}", b"")
    for header in ("bytes=0-1,3-4", "bytes=5-2", "lines=0-1", "bytes=a-b", "bytes=-"):
        assert get("/simple/demo-pkg/", Accept_Encoding=coding, Range=header).body == whole.body
    changed = get("/simple/demo-pkg/", Accept_Encoding=coding, Range="bytes=0-9", If_Range='"other"')
    assert (changed.status, changed.body) == (200, whole.body)
    same = get("/simple/demo-pkg/", Accept_Encoding=coding, Range="bytes=0-9", If_Range=whole["ETag"])
    assert same.status == 206
