"""``/packages/``: files, their metadata, and the addresses that packagers guess."""

import gzip
import hashlib
import io
import json
import re
import zipfile

import pytest
from tests.protocol.test_simple import SECURITY, V1_JSON, without_what_varies

WHEEL = "demo_pkg-1.0-py3-none-any.whl"
SDIST = "demo_pkg-1.0.tar.gz"
LARGE = "large-1.0-py3-none-any.whl"
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, OPTIONS",
    "access-control-allow-headers": "Range",
    "access-control-expose-headers": "Content-Length, Content-Range, Accept-Ranges",
}


@pytest.fixture
def at(filled):
    """``at(filename)`` is the path of that file."""

    def path(name):
        blake = hashlib.blake2b(filled.files[name], digest_size=32).hexdigest()
        return f"/packages/{blake[:2]}/{blake[2:4]}/{blake[4:]}/{name}"

    return path


@pytest.mark.parametrize(
    ("name", "kind", "package", "python"),
    [(WHEEL, "application/zip", "bdist_wheel", "py3"), (SDIST, "application/gzip", "sdist", "source")],
)
def test_a_file_and_all_its_headers(get, at, filled, name, kind, package, python):
    file = get(at(name), Accept_Encoding="gzip, zstd")
    assert (file.status, file.body) == (200, filled.files[name])
    assert file["Content-Length"] == str(len(file.body))
    assert without_what_varies(file) == {
        "content-type": kind,
        "content-disposition": f'attachment; filename="{name}"',
        "x-robots-tag": "noindex",
        "x-pypi-file-project": "demo-pkg",
        "x-pypi-file-version": "1.0",
        "x-pypi-file-package-type": package,
        "x-pypi-file-python-version": python,
        "surrogate-key": "project/demo-pkg",
        "cache-control": "max-age=365000000, immutable, public",
        "accept-ranges": "bytes",
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        **CORS,
        **SECURITY,
    }


def test_a_large_file_comes_whole_in_parts_and_for_head(get, at, filled):
    content = filled.files[LARGE]
    size = len(content)
    assert get(at(LARGE)).body == content
    head = get(at(LARGE), method="HEAD")
    assert (head.status, head["Content-Length"]) == (200, str(size))
    for asked, start, end in (("0-999999", 0, 10**6), ("-8000", size - 8000, size), ("2000000-", 2 * 10**6, size)):
        part = get(at(LARGE), Range=f"bytes={asked}")
        assert (part.status, part.body) == (206, content[start:end])
        assert part["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert part["Content-Length"] == str(end - start)


def test_parts_of_a_small_file(get, at, filled):
    content = filled.files[WHEEL]
    size = len(content)
    for asked, start, end in (("0-0", 0, 1), ("-10", size - 10, size), ("-99999", 0, size), ("7-99999", 7, size)):
        part = get(at(WHEEL), Range=f"bytes={asked}")
        assert (part.status, part.body) == (206, content[start:end])
    for asked in (f"{size}-", "-0", "99999-999999"):
        beyond = get(at(WHEEL), Range=f"bytes={asked}")
        assert (beyond.status, beyond["Content-Range"], beyond.body) == (416, f"bytes */{size}", b"")
    for ignored in ("bytes=0-1,4-5", "bytes=3-1", "items=0-1", "bytes 0-1"):
        assert get(at(WHEEL), Range=ignored).body == content
    assert get(at(WHEEL), Range="bytes=0-1", If_Range='"other"').status == 200
    assert get(at(WHEEL), Range="bytes=0-1", If_Range=get(at(WHEEL))["ETag"]).status == 206
    assert get(at(WHEEL), Range="bytes=0-1", method="HEAD").status == 200


def test_whoever_has_the_file_gets_a_304(get, at):
    for path in (at(WHEEL), f"{at(WHEEL)}.metadata"):
        etag = get(path)["ETag"]
        unchanged = get(path, If_None_Match=etag)
        assert (unchanged.status, unchanged["Surrogate-Key"]) == (304, "project/demo-pkg")
        assert get(path, If_None_Match='"other"').status == 200


def test_the_metadata_is_that_in_the_wheel_and_has_the_digest_that_the_index_tells(get, at, filled):
    page = json.loads(get("/simple/demo-pkg/", Accept=V1_JSON).body)
    told = {file["filename"]: file["core-metadata"] for file in page["files"]}
    metadata = get(f"{at(WHEEL)}.metadata")
    assert hashlib.sha256(metadata.body).hexdigest() == told[WHEEL]["sha256"]
    with zipfile.ZipFile(io.BytesIO(filled.files[WHEEL])) as wheel:
        assert metadata.body == wheel.read("demo_pkg-1.0.dist-info/METADATA")
    packed = get(f"{at(WHEEL)}.metadata", Accept_Encoding="gzip")
    assert (packed["Content-Encoding"], packed["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(packed.body) == metadata.body
    assert packed["ETag"] != metadata["ETag"]
    assert metadata["Content-Type"] == "application/octet-stream"
    assert metadata["Cache-Control"] == "max-age=365000000, immutable, public"
    assert metadata["Surrogate-Key"] == "project/demo-pkg"
    assert get(f"{at(WHEEL)}.metadata", Range="bytes=0-3", Accept_Encoding="gzip").body == metadata.body[:4]
    assert get(f"{at(SDIST)}.metadata").status == 404


def test_files_stay_reachable_when_their_release_is_yanked_or_their_project_archived(get, at):
    for name in ("demo_pkg-1.5-py3-none-any.whl", "regret-1.0-py3-none-any.whl", "old_tool-1.0-py3-none-any.whl"):
        assert get(at(name)).status == 200


def test_queries_are_ignored(get, at):
    assert get(f"{at(WHEEL)}?download=1#x").status == 200


def test_the_preflight_of_a_browser(get, at):
    answer = get(at(WHEEL), method="OPTIONS", Origin="https://tool.example", Access_Control_Request_Method="GET")
    assert (answer.status, answer.body) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert answer["Access-Control-Allow-Headers"] == "Range, Accept-Encoding"
    assert answer["Access-Control-Max-Age"] == "86400"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_reading_is_allowed(get, at, method):
    refused = get(at(WHEEL), method=method)
    assert (refused.status, refused["Allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    "path",
    [
        f"/packages/py3/d/demo-pkg/{WHEEL}",
        f"/packages/py3/D/Demo.Pkg/{WHEEL}",
        f"/packages/py3/d/demo_pkg/{WHEEL}",
    ],
)
def test_the_address_that_packagers_guess_leads_to_the_file(get, at, path):
    for method in ("GET", "HEAD"):
        moved = get(path, method=method)
        assert (moved.status, moved["Location"]) == (302, at(WHEEL))
        assert moved["Cache-Control"] == "max-age=604800, public"
        assert moved["Surrogate-Key"] == "project/demo-pkg"
    assert get("/packages/source/d/demo-pkg/" + SDIST)["Location"] == at(SDIST)


def test_a_file_is_found_by_its_name_whatever_its_uploader_says_beside_it(get, at):
    assert get("/packages/py3/r/regret/regret-1.0-py3-none-any.whl")["Location"] == at("regret-1.0-py3-none-any.whl")
    assert get("/packages/py3/r/regret/held-1.0-py3-none-any.whl").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/packages/",
        f"/packages/source/d/demo-pkg/{WHEEL}",
        f"/packages/py3/x/demo-pkg/{WHEEL}",
        "/packages/py3/d/demo-pkg/other-1.0.tar.gz",
        f"/packages/py3/n/nobody/{WHEEL}",
        "/packages/py3/b/bad-thing/bad_thing-1.0-py3-none-any.whl",
        "/packages/00/00/" + "0" * 60 + "/x-1.0.tar.gz",
        "/packages/00/00/" + "0" * 60 + "/" + "a" * 255,
        "/packages/00/00/" + "0" * 60 + "/" + "a" * 30_000,
        "/packages/source/a/" + "a" * 20_000 + "/x.tar.gz",
    ],
)
def test_what_is_not_there_is_a_404(get, path):
    missing = get(path)
    assert (missing.status, missing.body) == (404, b"404 Not Found")
    assert (CORS | SECURITY).items() <= dict(missing.headers).items()


UP = ["..", "%2e%2e", "%2E.", "..%2f", "..%5c", "%252e%252e", "....//", "%c0%ae%c0%ae", "..;", "\\..", ".%00."]


@pytest.mark.parametrize("climb", UP)
def test_nobody_climbs_out_of_the_files(get, at, climb):
    folder = at(WHEEL).rsplit("/", 1)[0]
    for base in ("/packages", folder, "/simple", "/static/0", "/packages/00/00/" + "0" * 60):
        for target in (f"{base}/{'/'.join([climb] * 6)}/packhouse.db", f"{base}/{climb}/{climb}/secrets/secret-key"):
            answer = get(target)
            assert answer.status in {400, 404}
            assert not re.search(rb"SQLite|root:", answer.body)


def test_another_file_name_under_the_same_digest_is_not_there(get, at):
    path = at(WHEEL).rsplit("/", 1)[0]
    for name in ("other.whl", WHEEL + ".asc", WHEEL + "/", "%2e", "."):
        assert get(f"{path}/{name}").status == 404


@pytest.mark.parametrize("name", ["bad_thing-1.0-py3-none-any.whl", "held-2.0-py3-none-any.whl"])
@pytest.mark.parametrize("end", ["", ".metadata"])
def test_a_file_in_quarantine_is_given_to_nobody_who_knows_its_address(get, at, filled, name, end):
    """PEP 792: a project in quarantine offers no files; its bytes stay for those who look into it."""
    etag = '"' + hashlib.blake2b(filled.files[name], digest_size=32).hexdigest() + ("-metadata" if end else "") + '"'
    for more in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": etag}, {"method": "HEAD"}):
        answer = get(at(name) + end, **more)
        assert (answer.status, answer["Cache-Control"]) == (403, "no-store")
        assert answer.body == b"" or b"quarantine" in answer.body
        assert answer["Access-Control-Allow-Origin"] == "*"


def test_other_releases_of_a_project_with_one_in_quarantine_are_given(get, at):
    assert get(at("held-1.0-py3-none-any.whl")).status == 200
