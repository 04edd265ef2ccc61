"""The simple API's bytes (PEP 503, 691, 700, 714, 792, 833)."""

import json
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.specs import simple_api
from packhouse.specs.simple_api import ListedFile

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
SDIST = ListedFile("demo_pkg-1.tar.gz", "https://h/packages/aa/demo_pkg-1.tar.gz", "ab" * 32, 1234, NOON)
WHEEL = SDIST._replace(
    filename="demo_pkg-1-py3-none-any.whl",
    url="https://h/packages/bb/demo_pkg-1-py3-none-any.whl",
    uploaded=NOON.replace(microsecond=5),
    requires_python=">=3.9",
    yanked=True,
    yanked_reason='broken "build"',
    metadata_sha256="cd" * 32,
    provenance="https://h/integrity/demo-pkg/1/demo_pkg-1-py3-none-any.whl/provenance",
)


def test_the_html_of_a_project_is_frozen():
    frame = simple_api.detail_frame("demo-pkg", status="active", serial=123, versions=["1"])
    page = frame.html_head + simple_api.html_item(SDIST) + simple_api.html_item(WHEEL) + frame.html_tail
    assert page.decode() == (
        """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta name="pypi:repository-version" content="1.4">
<meta name="pypi:project-status" content="active">    <title>Links for demo-pkg</title>
  </head>
  <body>
    <h1>Links for demo-pkg</h1>
<a href="https://h/packages/aa/demo_pkg-1.tar.gz#sha256="""
        + "ab" * 32
        + """" >demo_pkg-1.tar.gz</a><br />
<a href="https://h/packages/bb/demo_pkg-1-py3-none-any.whl#sha256="""
        + "ab" * 32
        + """" data-requires-python="&gt;=3.9" data-yanked="broken &#34;build&#34;" """
        + 'data-dist-info-metadata="sha256='
        + "cd" * 32
        + '" data-core-metadata="sha256='
        + "cd" * 32
        + '" data-provenance="https://h/integrity/demo-pkg/1/demo_pkg-1-py3-none-any.whl/provenance">'
        + """demo_pkg-1-py3-none-any.whl</a><br />
</body>
</html>
<!--SERIAL 123-->"""
    )


@pytest.mark.parametrize(
    ("changes", "end_of_tag"),
    [
        ({}, '" >'),
        ({"requires_python": ">=3.9"}, '" data-requires-python="&gt;=3.9" >'),
        ({"yanked": True}, '" data-yanked="" >'),
        ({"metadata_sha256": "cd"}, '" data-dist-info-metadata="sha256=cd" data-core-metadata="sha256=cd">'),
        ({"provenance": "u"}, '"  data-provenance="u">'),
        ({"yanked_reason": "said, but not yanked"}, '" >'),
    ],
)
def test_each_attribute_brings_its_own_white_space(changes, end_of_tag):
    item = simple_api.html_item(SDIST._replace(**changes)).decode()
    assert item == f'<a href="{SDIST.url}#sha256={SDIST.sha256}{end_of_tag}{SDIST.filename}</a><br />\n'


def test_the_json_of_a_project_is_compact_and_sorted():
    frame = simple_api.detail_frame("demo-pkg", status="archived", serial=123, versions=["1", "2"])
    page = frame.json_head + simple_api.json_item(SDIST) + b"," + simple_api.json_item(WHEEL) + frame.json_tail
    assert page.decode() == (
        '{"files":[{"core-metadata":false,"data-dist-info-metadata":false,"filename":"demo_pkg-1.tar.gz",'
        '"hashes":{"sha256":"' + "ab" * 32 + '"},"provenance":null,"requires-python":null,"size":1234,'
        '"upload-time":"2026-01-02T12:00:00Z","url":"https://h/packages/aa/demo_pkg-1.tar.gz","yanked":false},'
        '{"core-metadata":{"sha256":"' + "cd" * 32 + '"},"data-dist-info-metadata":{"sha256":"' + "cd" * 32 + '"},'
        '"filename":"demo_pkg-1-py3-none-any.whl","hashes":{"sha256":"' + "ab" * 32 + '"},'
        '"provenance":"https://h/integrity/demo-pkg/1/demo_pkg-1-py3-none-any.whl/provenance",'
        '"requires-python":">=3.9","size":1234,"upload-time":"2026-01-02T12:00:00.000005Z",'
        '"url":"https://h/packages/bb/demo_pkg-1-py3-none-any.whl","yanked":"broken \\"build\\""}],'
        '"meta":{"_last-serial":123,"api-version":"1.4"},"name":"demo-pkg","project-status":{"status":"archived"},'
        '"versions":["1","2"]}\n'
    )


@pytest.mark.parametrize("versions", [[], ["1"], ["0.1.dev3", "1!2+local.7"]])
def test_the_end_of_the_json_of_a_project_tells_the_versions(versions):
    frame = simple_api.detail_frame('a "name"', status="active", serial=7, versions=versions)
    assert simple_api.versions_in(frame.json_tail) == versions


@pytest.mark.parametrize("tail", [b"", b"]}", b'],"versions":"1"}', b"\xff"])
def test_what_is_no_end_of_a_project_tells_no_versions(tail):
    with pytest.raises(ValueError):
        simple_api.versions_in(tail)


def test_the_index_is_frozen_in_both_formats():
    frame = simple_api.index_frame(7)
    page = frame.html_head + simple_api.index_html_item("Demo.Pkg", "demo-pkg") + frame.html_tail
    assert page.decode() == (
        """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta name="pypi:repository-version" content="1.4">
    <title>Simple index</title>
  </head>
  <body>
<a href="/simple/demo-pkg/">Demo.Pkg</a>
</body>
</html>"""
    )
    page = frame.json_head + simple_api.index_json_item("Demo.Pkg", 5) + frame.json_tail
    assert page == (
        b'{"meta":{"_last-serial":7,"api-version":"1.4"},"projects":[{"_last-serial":5,"name":"Demo.Pkg"}]}\n'
    )


def test_times_are_given_in_utc():
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert simple_api.utc_text(tokyo) == "2026-01-02T12:00:00"


def test_a_path_is_quoted_only_where_a_url_needs_it():
    url = simple_api.file_url
    assert url("https://h", "aa/bb/p-1+local-py3-none-any.whl") == "https://h/packages/aa/bb/p-1+local-py3-none-any.whl"
    assert url("https://h", "a/1!2 #?.whl") == "https://h/packages/a/1!2%20%23%3F.whl"


class Links(HTMLParser):
    """Everything that a page says: its tags in order, and each link with its attributes and its text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.links, self.text = [], [], None

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs))
            self.text = ""

    def handle_endtag(self, tag):
        if tag == "a":
            self.links[-1]["text"], self.text = self.text, None

    def handle_data(self, data):
        if self.text is not None:
            self.text += data


anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
files = st.builds(
    lambda name, reason, python, yanked, metadata: ListedFile(
        name, simple_api.file_url("https://h", f"aa/{name}"), "ab" * 32, 9, NOON, python, yanked, reason, metadata, ""
    ),
    anything.filter(bool),
    anything,
    anything,
    st.booleans(),
    st.sampled_from(["", "cd" * 32]),
)


@given(st.lists(files, max_size=4), anything)
def test_whatever_the_names_say_both_formats_parse_and_tell_the_same(listed, name):
    frame = simple_api.detail_frame(name, status="active", serial=1, versions=["1"])
    page = frame.html_head + b"".join(map(simple_api.html_item, listed)) + frame.html_tail
    data = json.loads(frame.json_head + b",".join(map(simple_api.json_item, listed)) + frame.json_tail)
    parser = Links()
    parser.feed(page.decode())
    parser.close()

    expected_tags = ["html", "head", "meta", "meta", "title", "body", "h1"] + ["a", "br"] * len(listed)
    assert parser.tags == expected_tags
    assert data["name"] == name
    assert [read_html(link) for link in parser.links] == [read_json(file) for file in data["files"]]
    assert [file["filename"] for file in data["files"]] == [file.filename for file in listed]
    for file in data["files"]:
        assert unquote(file["url"]) == f"https://h/packages/aa/{file['filename']}"
        assert '"' not in file["url"]


def read_html(link):
    url, fragment = urldefrag(link["href"])
    yanked = link.get("data-yanked", False)
    assert link.get("data-core-metadata") == link.get("data-dist-info-metadata")
    return {
        "filename": link["text"],
        "url": url,
        "sha256": fragment,
        "requires": link.get("data-requires-python"),
        "yanked": yanked if yanked != "" else True,
        "metadata": link.get("data-core-metadata"),
    }


def read_json(file):
    core = file["core-metadata"]
    return {
        "filename": file["filename"],
        "url": file["url"],
        "sha256": "sha256=" + file["hashes"]["sha256"],
        "requires": file["requires-python"],
        "yanked": file["yanked"],
        "metadata": (core and "sha256=" + core["sha256"]) or None,
    }


@given(anything, anything)
def test_a_project_cannot_break_out_of_the_index(name, normalized):
    parser = Links()
    parser.feed(simple_api.index_html_item(name, normalized).decode())
    parser.close()
    assert parser.tags == ["a"]
    assert parser.links[0]["text"] == name
    assert json.loads(simple_api.index_json_item(name, 3)) == {"_last-serial": 3, "name": name}


def test_a_lone_surrogate_stays_parseable():
    broken = SDIST._replace(yanked=True, yanked_reason="\ud800")
    assert json.loads(simple_api.json_item(broken))["yanked"] == "\ud800"
    assert b"&#55296;" in simple_api.html_item(broken)
