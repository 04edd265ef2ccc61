"""Files kept in a bucket, through the front door: passed on, or by a signed address of the bucket's own."""

import gzip
import hashlib
import urllib.request
from contextlib import contextmanager

import boto3
import pytest
from tests.files.test_stores import serve_s3

from packhouse import files
from packhouse.base.metrics import hot

CONTENT = bytes(range(256)) * 4000
METADATA = b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n" * 20
DIGEST = hashlib.blake2b(CONTENT, digest_size=32).hexdigest()
KEY = files.key_for(DIGEST, "demo-1.0-py3-none-any.whl")


@pytest.fixture(scope="module")
def bucket():
    """The URL of a bucket that holds one wheel and its metadata."""
    for endpoint in serve_s3():
        yield bucket_at(endpoint)


def bucket_at(endpoint):
    """One that is made and filled there."""
    account = {"aws_access_key_id": "tests", "aws_secret_access_key": "hidden-value"}
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **account).create_bucket(Bucket="files")
    credentials = "access_key_id=tests&secret_access_key=hidden-value"
    url = f"s3://files/below?endpoint={endpoint}&region=us-east-1&{credentials}"
    store = files.from_url(url)
    for key, content in ((KEY, CONTENT), (f"{KEY}.metadata", METADATA)):
        store.put(key, content, size=len(content), sha256_hex=hashlib.sha256(content).hexdigest())
    return url


def test_files_are_passed_on_whole_and_in_parts(bucket, in_process):
    door = in_process(files=bucket)
    whole = door.get(f"/packages/{KEY}")
    assert (whole.status, whole.body) == (200, CONTENT)
    assert whole["Content-Length"] == str(len(CONTENT))
    assert whole["ETag"] == f'"{DIGEST}"'
    assert whole["Content-Disposition"] == 'attachment; filename="demo-1.0-py3-none-any.whl"'
    for asked, part in (("0-9", CONTENT[:10]), ("-8000", CONTENT[-8000:]), ("1000000-", CONTENT[1_000_000:])):
        answer = door.get(f"/packages/{KEY}", Range=f"bytes={asked}")
        assert (answer.status, answer.body) == (206, part)
    assert door.get(f"/packages/{KEY}", Range="bytes=99999999-").status == 416
    head = door.get(f"/packages/{KEY}", method="HEAD")
    assert (head.status, head.body, head["Content-Length"]) == (200, b"", str(len(CONTENT)))
    assert door.get(f"/packages/{KEY}", If_None_Match=whole["ETag"]).status == 304


def test_metadata_is_passed_on(bucket, in_process):
    door = in_process(files=bucket)
    answer = door.get(f"/packages/{KEY}.metadata")
    assert (answer.status, answer.body) == (200, METADATA)
    for _ in range(2):
        packed = door.get(f"/packages/{KEY}.metadata", Accept_Encoding="gzip")
        assert packed["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == METADATA
    assert door.get(f"/packages/{KEY}.metadata", Range="bytes=0-3", Accept_Encoding="gzip").body == METADATA[:4]


def test_what_is_not_in_the_bucket_is_a_404_until_it_is(bucket, in_process):
    door = in_process(files=bucket)
    key = files.key_for(hashlib.blake2b(b"later", digest_size=32).hexdigest(), "later-1.0.tar.gz")
    for _ in range(2):
        assert door.get(f"/packages/{key}").status == 404
    files.from_url(bucket).put(key, b"later", size=5, sha256_hex=hashlib.sha256(b"later").hexdigest())
    assert door.get(f"/packages/{key}").body == b"later"


def test_what_is_deleted_from_the_bucket_is_a_404_though_it_was_given_before(bucket, in_process):
    door, store = in_process(files=bucket), files.from_url(bucket)
    key = files.key_for(hashlib.blake2b(b"sooner", digest_size=32).hexdigest(), "sooner-1.0-py3-none-any.whl")
    for name in (key, f"{key}.metadata"):
        store.put(name, b"sooner", size=6, sha256_hex=hashlib.sha256(b"sooner").hexdigest())
        assert door.get(f"/packages/{name}").body == b"sooner"
        store.delete(name)
        assert door.get(f"/packages/{name}", method="HEAD").status == 200  # what is remembered of it, for ten minutes
        assert door.get(f"/packages/{name}", Range="bytes=1-2").status == 404
        for asked in ({}, {"method": "HEAD"}, {"Accept_Encoding": "gzip"}):
            assert door.get(f"/packages/{name}", **asked).status == 404


def test_a_bucket_that_goes_away_is_a_503_for_what_was_given_before(in_process):
    with contextmanager(serve_s3)() as endpoint:
        url = bucket_at(endpoint)
        door = in_process(files=url)
        assert door.get(f"/packages/{KEY}").status == 200
        assert door.get(f"/packages/{KEY}.metadata").status == 200
    for asked in (KEY, f"{KEY}.metadata"):
        for encoding in ("identity", "gzip"):
            answer = door.get(f"/packages/{asked}", Accept_Encoding=encoding)
            assert (answer.status, answer["Retry-After"]) == (503, "5")


def test_clients_can_be_sent_to_the_bucket(bucket, in_process):
    door = in_process(files=bucket, file_delivery="redirect")
    counted = dict(hot.downloads)
    for key, content in ((KEY, CONTENT), (f"{KEY}.metadata", METADATA)):
        moved = door.get(f"/packages/{key}")
        assert (moved.status, moved["Cache-Control"]) == (302, "no-store")
        assert moved["Access-Control-Allow-Origin"] == "*"
        assert "hidden-value" not in moved["Location"]
        with urllib.request.urlopen(moved["Location"], timeout=60) as response:
            assert response.read() == content
        request = urllib.request.Request(moved["Location"], headers={"Range": "bytes=3-9"})
        with urllib.request.urlopen(request, timeout=60) as response:
            assert (response.status, response.read()) == (206, content[3:10])
    assert hot.downloads == counted | {"wheel": counted["wheel"] + 1, "metadata": counted["metadata"] + 1}
    missing = files.key_for("0" * 64, "x-1.0.tar.gz")
    assert door.get(f"/packages/{missing}").status == 404


def test_a_bucket_that_does_not_answer_is_a_503_and_pages_still_come(in_process):
    gone = "s3://files?endpoint=http://127.0.0.1:9&region=us-east-1&access_key_id=a&secret_access_key=hidden-value"
    door = in_process(files=gone)
    answer = door.get(f"/packages/{KEY}")
    assert (answer.status, answer["Retry-After"]) == (503, "5")
    assert door.get("/simple/demo-pkg/").status == 200
