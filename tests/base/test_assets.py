"""Static files come from the package, under an address that changes with them."""

import gzip

import pytest
import zstandard
from django.conf import settings
from django.templatetags.static import static
from django.test import Client

from packhouse.base.assets import Assets

SHEET = "a { color: red }\n" * 100


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "sheet.css").write_text(SHEET)
    (tmp_path / "room" / "small.js").write_text("1;")
    return tmp_path


def test_the_address_changes_with_any_content_and_any_name(folder):
    digests = {Assets([folder]).digest, Assets([folder]).digest}
    assert len(digests) == 1
    (folder / "room" / "sheet.css").write_text(SHEET + " ")
    digests.add(Assets([folder]).digest)
    (folder / "room" / "small.js").rename(folder / "room" / "other.js")
    digests.add(Assets([folder]).digest)
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("accepted", "coding", "unpack"),
    [
        ("gzip, deflate, br, zstd", "zstd", zstandard.decompress),
        ("gzip;q=1.0, zstd;q=0", "gzip", gzip.decompress),
        ("identity", "", bytes),
        ("", "", bytes),
    ],
)
def test_a_file_is_sent_in_the_best_coding_that_the_client_takes(folder, accepted, coding, unpack):
    found = Assets([folder]).load("room/sheet.css")
    assert found.encoded_for(accepted)[0] == coding
    assert unpack(found.encoded_for(accepted)[1]).decode() == SHEET
    assert found.content_type == "text/css; charset=utf-8"


def test_small_files_are_not_packed(folder):
    assert Assets([folder]).load("room/small.js").encoded_for("gzip, zstd") == ("", b"1;")


@pytest.mark.parametrize("name", ["../secret", "room/../../secret", "/etc/passwd", "room", "", "room/missing.css"])
def test_only_known_names_are_served(folder, name):
    (folder.parent / "secret").write_text("secret")
    assert Assets([folder]).load(name) is None


def test_the_first_folder_wins(folder, tmp_path):
    other = tmp_path / "other"
    (other / "room").mkdir(parents=True)
    (other / "room" / "sheet.css").write_text("b {}")
    assert Assets([other, folder]).load("room/sheet.css").content == b"b {}"


def test_a_page_s_files_may_be_kept_forever():
    answer = Client().get(static("packhouse/shell.css"), headers={"Accept-Encoding": "gzip"})
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Encoding"] == "gzip"
    assert answer["Vary"] == "Accept-Encoding"
    assert len(answer.content) < 12_000
    assert answer.cookies == {}


def test_a_page_of_another_version_gets_today_s_file_for_now():
    answer = Client().get("/static/0123456789abcdef/packhouse/shell.css")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, no-cache"


def test_what_is_no_file_is_not_found():
    assert Client().get(f"{settings.STATIC_URL}packhouse/../settings.py").status_code == 404
