"""``/integrity/{project}/{version}/{file name}/provenance``."""

import json
import urllib.request

import pytest
from tests.protocol.test_simple import CORS, SECURITY, without_what_varies
from tests.servers import packhouse

WHEEL = "signed-1.0-py3-none-any.whl"
ADDRESS = f"/integrity/signed/1.0/{WHEEL}/provenance"
VENDOR = "application/vnd.pypi.integrity.v1+json"


def test_the_simple_page_leads_to_the_object(get):
    files = json.loads(get("/simple/signed/", Accept="application/vnd.pypi.simple.v1+json").body)["files"]
    (url,) = [file["provenance"] for file in files if file["provenance"]]
    assert url.endswith(ADDRESS)
    with urllib.request.urlopen(url) as answer:
        body = answer.read()
    found = json.loads(body)
    assert (found["version"], found["attestation_bundles"][0]["publisher"]["repository"]) == (1, "octo/demo")
    assert body == json.dumps(found, separators=(",", ":"), sort_keys=True).encode()


def test_all_headers_of_the_object(get):
    answer = get(ADDRESS)
    assert answer.status == 200
    assert without_what_varies(answer) == {
        "content-type": VENDOR,
        "vary": "Accept, Accept-Encoding",
        "cache-control": "max-age=0, public",
        "surrogate-key": "project/signed integrity",
        "accept-ranges": "bytes",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        **CORS,
        **SECURITY,
    }
    assert "x-pypi-last-serial" not in dict(answer.headers)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, VENDOR),
        ("*/*", VENDOR),
        ("application/*", VENDOR),
        (VENDOR, VENDOR),
        (VENDOR.upper(), VENDOR),
        (f"{VENDOR}, application/json", VENDOR),
        ("application/json", "application/json"),
        (f"application/json, {VENDOR};q=0.5", "application/json"),
        ("text/html, application/json;q=0.1", "application/json"),
        ("text/html", ""),
        ("", ""),
        ("nonsense", ""),
        ("text/*, application/xml", ""),
        (f"{VENDOR};q=0, application/json;q=0", ""),
        ("a" * 2000, ""),
    ],
)
def test_it_comes_as_one_of_two_types_or_not_at_all(get, accept, kind):
    answer = get(ADDRESS, **({} if accept is None else {"Accept": accept}))
    if kind:
        assert (answer.status, answer["Content-Type"]) == (200, kind)
    else:
        assert (answer.status, answer["Content-Type"]) == (406, "application/json")
        assert json.loads(answer.body) == {"message": "Request not acceptable"}
        assert not any(name.lower().startswith("access-control") for name, _ in answer.headers)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_only_getting_is_allowed(get, method):
    answer = get(ADDRESS, method=method)
    assert (answer.status, answer["Allow"]) == (405, "GET")


@pytest.mark.parametrize("project", ["signed", "Signed", "SIGNED"])
@pytest.mark.parametrize("version", ["1.0", "1", "1.0.0", "v1.0"])
def test_project_and_version_may_be_spelled_otherwise(get, project, version):
    answer = get(f"/integrity/{project}/{version}/{WHEEL}/provenance")
    assert (answer.status, answer.body) == (200, get(ADDRESS).body)
    assert answer["Surrogate-Key"] == "project/signed integrity"


@pytest.mark.parametrize("path", ["signed/1.0/signed-1.0.tar.gz", "demo-pkg/1.0/demo_pkg-1.0-py3-none-any.whl"])
def test_a_file_without_provenance_is_told_apart(get, path):
    answer = get(f"/integrity/{path}/provenance")
    assert (answer.status, answer["Content-Type"]) == (404, "application/json")
    assert json.loads(answer.body) == {"message": f"No provenance available for {path.rpartition('/')[2]}"}
    assert not any(name.lower().startswith("access-control") for name, _ in answer.headers)


@pytest.mark.parametrize(
    "path",
    [
        f"demo-pkg/1.0/{WHEEL}/provenance",
        f"signed/1.1/{WHEEL}/provenance",
        f"signed/latest/{WHEEL}/provenance",
        "signed/1.0/signed-1.0-py2-none-any.whl/provenance",
        "signed/1.0/SIGNED-1.0-py3-none-any.whl/provenance",
        "nobody/1.0/nobody-1.0.tar.gz/provenance",
        f"signed/1.0/{WHEEL}",
        f"signed/1.0/{WHEEL}/provenance/",
        f"signed/{WHEEL}/provenance",
        f"signed/1.0/{WHEEL}%00/provenance",
        f"signed/1.0/../{WHEEL}/provenance",
        "",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(get, path):
    answer = get(f"/integrity/{path}")
    assert answer.status == 404
    assert answer["Content-Type"].startswith("text/html")


def test_it_is_negotiated_compressed_and_remembered_like_every_document(get):
    plain, packed = get(ADDRESS), get(ADDRESS, **{"Accept-Encoding": "gzip"})
    assert (packed["Content-Encoding"], plain["ETag"] != packed["ETag"]) == ("gzip", True)
    again = get(ADDRESS, **{"If-None-Match": plain["ETag"]})
    assert (again.status, again.body) == (304, b"")
    part = get(ADDRESS, Range="bytes=0-9")
    assert (part.status, part.body) == (206, plain.body[:10])


def test_a_cache_in_front_is_told_how_long(in_process):
    answer = in_process(index_max_age=600, purge="varnish://:secret@127.0.0.1:1").get(ADDRESS)
    assert answer["Cache-Control"] == "max-age=600, public"
    assert answer["Surrogate-Control"] == "max-age=86400, stale-while-revalidate=300, stale-if-error=86400"


def test_the_flag_closes_the_door_for_all(index: packhouse.Running, get):
    flag = "from packhouse.flags.actions import set_flag; set_flag(name='disable-pep740', enabled={})"
    index.run_cli("manage", "shell", "--no-imports", "-c", flag.format(True))
    try:
        answer = get(ADDRESS)
        assert (answer.status, answer["Content-Type"]) == (403, "application/json")
        assert json.loads(answer.body) == {"message": "Attestations temporarily disabled"}
        assert get(ADDRESS, Accept="text/html").status == 406
    finally:
        index.run_cli("manage", "shell", "--no-imports", "-c", flag.format(False))
    assert get(ADDRESS).status == 200
