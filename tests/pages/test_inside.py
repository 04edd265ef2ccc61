"""Looking into files."""

import re

import pytest
from django.test import Client
from tests.builders import make_sdist, make_wheel
from tests.factories.projects import make_project
from tests.pages import shelves

from packhouse.pages.project.folders import children, steps, top
from packhouse.projects.models import Release
from packhouse.specs.archives.contents import Listed

pytestmark = pytest.mark.django_db
SOURCE = b'"""A crate."""\n\n\ndef pack(n: int) -> str:\n    return f"<b>{n}</b>"  # \xe2\x80\xae reversed\n'
INSIDE = {
    "demo/__init__.py": SOURCE,
    "demo/page.html": b"<script>document.title = 'owned'</script>\n",
    "demo/data.bin": b"\x00\x01\x02\xff",
    "demo/latin.txt": "caf\xe9".encode("latin-1"),
    "demo/long.txt": b"x" * 600_000,
}


@pytest.fixture
def look():
    project = make_project("demo")
    for filename, content in (
        make_wheel("demo", "1.0", files=INSIDE),
        make_sdist("demo", "1.0", files=INSIDE),
    ):
        shelves.publish(project, "1.0", filename, content)

    def get(path):
        return Client().get(f"/project/demo/1.0/inspect/{path}")

    return get


@pytest.fixture(params=["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"])
def file(request):
    return request.param


def inside(file, path):
    return f"{file}/{path}" if file.endswith(".whl") else f"{file}/demo-1.0/{path}"


def test_the_members_of_a_file_are_listed_folder_by_folder(look, file):
    text = look(f"{file}/").content.decode()
    assert f'href="/project/demo/1.0/inspect/{inside(file, "demo/")}"' in text
    assert "__init__.py" not in text
    text = look(inside(file, "demo/")).content.decode()
    for path in INSIDE:
        assert f'href="/project/demo/1.0/inspect/{inside(file, path)}"' in text
    assert look(inside(file, "absent/")).status_code == 404


def test_the_way_to_a_file_in_a_file_leads_back_folder_by_folder(look):
    text = look("demo-1.0.tar.gz/demo-1.0/demo/page.html").content.decode()
    for folder in ("", "demo-1.0/", "demo-1.0/demo/"):
        assert f'href="/project/demo/1.0/inspect/demo-1.0.tar.gz/{folder}"' in text


def test_folders_are_counted_and_those_of_only_one_folder_are_passed():
    members = [Listed("a/b/x.py", 1), Listed("a/b/c/y.py", 2), Listed("a/b/c/d/z.py", 4), Listed("a/b//odd", 8)]
    assert top(members) == "a/b/"
    assert [(one.name, one.size, one.files) for one in children(members, "a/b/")] == [
        ("c", 6, 2),
        ("x.py", 1, 0),
        ("/odd", 8, 0),
    ]
    assert [step.address for step in steps("a/b c/x")] == ["a/", "a/b%20c/"]
    assert (top([]), children([], ""), top([Listed("x", 1)])) == ("", [], "")


def test_text_is_shown_line_by_line_and_never_as_html(look, file):
    answer = look(inside(file, "demo/__init__.py"))
    text = answer.content.decode()
    assert answer["Surrogate-Key"] == "project/demo all-html"
    assert 'id="L5"' in text
    assert "<b>" not in text.partition('class="source"')[2]
    assert '<span class="invisible">U+202E</span>' in text
    page = look(inside(file, "demo/page.html")).content.decode()
    assert "<script>document" not in page
    assert "&lt;" in page


@pytest.mark.parametrize("path", ["demo/data.bin", "demo/latin.txt"])
def test_what_is_no_text_is_not_shown(look, file, path):
    assert "This is no text" in look(inside(file, path)).content.decode()


def test_only_the_beginning_of_a_long_file_is_shown(look, file):
    answer = look(inside(file, "demo/long.txt"))
    assert "Only the beginning" in answer.content.decode()
    assert len(answer.content) < 600_000


@pytest.mark.parametrize(
    "path", ["nothing.whl/", "demo-1.0-py3-none-any.whl/../../etc/passwd", "demo-1.0-py3-none-any.whl/absent.py"]
)
def test_what_is_not_there_is_not_found(look, path):
    assert look(path).status_code == 404


def test_nothing_in_quarantine_can_be_looked_into(look, file):
    Release.objects.update(quarantined=True)
    assert look(f"{file}/").status_code == 404
    assert look(inside(file, "demo/__init__.py")).status_code == 404


def test_a_file_that_is_no_archive_says_so():
    shelves.publish(make_project("broken"), "1.0", "broken-1.0-py3-none-any.whl", b"this is no zip")
    answer = Client().get("/project/broken/1.0/inspect/broken-1.0-py3-none-any.whl/")
    assert answer.status_code == 200
    assert "This archive cannot be shown" in answer.content.decode()


@pytest.mark.parametrize("make", [make_wheel, make_sdist], ids=["wheel", "sdist"])
def test_a_project_page_leads_to_the_texts_of_the_licences_inside_its_files(make):
    """PEP 639."""
    filename, content = make("demo", "1.0", licenses={"LICENSES/MIT.txt": b"Permission is hereby granted"})
    said = {"metadata": {"license_file": ["LICENSES/MIT.txt"]}}
    shelves.publish(make_project("demo"), "1.0", filename, content, release=said)
    page = Client().get("/project/demo/").content.decode()
    (address,) = re.findall(r'href="([^"]*/inspect/[^"]*)"', page)
    assert "Permission is hereby granted" in Client().get(address).content.decode()
