"""``/pypi/{name}/json`` and ``/pypi/{name}/{version}/json``."""

import json

import pytest
from tests.protocol.test_simple import CORS, SECURITY, without_what_varies


def test_the_project_document_is_of_the_latest_release_and_lists_all(get):
    page = get("/pypi/demo-pkg/json")
    found = json.loads(page.body)
    assert page["Content-Type"] == "application/json"
    assert page.body == json.dumps(found, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode() + b"\n"
    assert list(found) == ["info", "last_serial", "ownership", "releases", "urls", "vulnerabilities"]
    assert found["last_serial"] == int(page["X-PyPI-Last-Serial"])
    assert (found["info"]["name"], found["info"]["version"]) == ("Demo.Pkg", "1.0")
    assert list(found["releases"]) == ["1.0", "1.5", "2.0.0rc1"]
    assert found["ownership"] == {"organization": None, "roles": [{"role": "Owner", "user": "ada"}]}
    assert found["urls"] == found["releases"]["1.0"]
    assert [file["packagetype"] for file in found["urls"]] == ["bdist_wheel", "sdist"]


def test_all_headers_of_the_documents(get):
    for path, kind in (("/pypi/demo-pkg/json", "project"), ("/pypi/demo-pkg/1.0/json", "release")):
        assert without_what_varies(get(path)) == {
            "content-type": "application/json",
            "vary": "Accept-Encoding",
            "cache-control": "max-age=0, public",
            "surrogate-key": f"project/demo-pkg all-legacy-json {kind}-legacy-json",
            "accept-ranges": "bytes",
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
            **CORS,
            **SECURITY,
        }


@pytest.mark.parametrize("spelling", ["1.0", "1", "1.0.0", "v1.0", "01.0"])
def test_a_version_is_found_however_it_is_spelled(get, spelling):
    page = get(f"/pypi/demo-pkg/{spelling}/json")
    found = json.loads(page.body)
    assert (page.status, found["info"]["version"]) == (200, "1.0")
    assert "releases" not in found


def test_a_pre_release_and_a_yanked_release_have_documents_of_their_own(get):
    assert json.loads(get("/pypi/demo-pkg/2.0.0-RC.1/json").body)["info"]["version"] == "2.0.0rc1"
    yanked = json.loads(get("/pypi/demo-pkg/1.5/json").body)
    assert yanked["info"]["yanked"] is True
    assert yanked["urls"][0]["yanked_reason"] == yanked["info"]["yanked_reason"] != ""


def test_each_state_of_a_project_shows(get):
    assert json.loads(get("/pypi/old-tool/json").body)["info"]["version"] == "1.0"
    assert get("/pypi/bad-thing/json").status == 404
    assert get("/pypi/bad-thing/1.0/json").status == 404
    held = json.loads(get("/pypi/held/json").body)
    assert (held["info"]["version"], list(held["releases"])) == ("1.0", ["1.0"])
    assert get("/pypi/held/2.0/json").status == 404
    assert json.loads(get("/pypi/regret/json").body)["info"]["yanked"] is True


def test_a_slash_at_the_end_makes_no_difference(get):
    for path in ("/pypi/demo-pkg/json", "/pypi/demo-pkg/1.0/json"):
        assert get(f"{path}/").body == get(path).body


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/pypi/Demo.Pkg/json", "/pypi/demo-pkg/json"),
        ("/pypi/demo_pkg/1.0/json?a=b", "/pypi/demo-pkg/1.0/json?a=b"),
        ("/pypi/Demo.Pkg/1.0%0d%0a/json", "/pypi/demo-pkg/1.0%0D%0A/json"),
    ],
)
def test_another_spelling_of_the_name_is_redirected(get, target, location):
    moved = get(target)
    assert (moved.status, moved["Location"]) == (301, location)
    assert (CORS | SECURITY).items() <= dict(moved.headers).items()


@pytest.mark.parametrize(
    "target",
    [
        "/pypi/nobody/json",
        "/pypi/demo-pkg/9.9/json",
        "/pypi/demo-pkg/not-a-version/json",
        "/pypi/demo-pkg/1.0/2.0/json",
        "/pypi//json",
        "/pypi/-/json",
        "/pypi/%00/json",
        "/pypi/" + "a" * 201 + "/json",
        "/pypi/demo-pkg/" + "1" * 5000 + "/json",
        "/pypi/demo-pkg/%ff/json",
    ],
)
def test_what_is_not_there_is_a_404_in_json(get, target):
    missing = get(target)
    assert (missing.status, missing["Content-Type"], missing.body) == (
        404,
        "application/json",
        b'{"message": "Not Found"}',
    )
    assert (CORS | SECURITY).items() <= dict(missing.headers).items()


def test_only_reading_is_allowed(get):
    refused = get("/pypi/demo-pkg/json", method="POST")
    assert (refused.status, refused["Allow"]) == (405, "GET, HEAD, OPTIONS")
    head = get("/pypi/demo-pkg/json", method="HEAD")
    assert (head.status, head["Content-Length"]) == (200, str(len(get("/pypi/demo-pkg/json").body)))
