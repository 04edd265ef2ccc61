"""One suite for every kind of store: what holds on disk holds in S3."""

import asyncio
import errno
import fcntl
import hashlib
import io
import logging
import os
import tempfile
import threading
import zipfile
from datetime import timedelta
from pathlib import Path

import boto3
import obstore
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from packhouse import files
from packhouse.base import clock
from packhouse.files import BlobConflict, BlobDamaged, BlobNotFound, StoreUnavailable

WHEEL = "demo-1.0-py3-none-any.whl"


def key_of(content: bytes, filename: str = WHEEL) -> str:
    return files.key_for(hashlib.blake2b(content, digest_size=32).hexdigest(), filename)


def put(store, key: str, content: bytes, *, source=None, **changes) -> bool:
    announced = {"size": len(content), "sha256_hex": hashlib.sha256(content).hexdigest()} | changes
    return store.put(key, content if source is None else source, **announced)


def serve_s3(wrap=lambda app: app):
    """S3's stand-in on a free port.  One request at a time: its conditional writes are not atomic."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, wrap(DomainDispatcherApplication(create_backend_app)), threaded=False)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def s3_endpoint():
    yield from serve_s3()


@pytest.fixture
def s3_endpoint_without_conditions():
    """An older S3-compatible store: it overwrites whatever ``If-None-Match`` says."""

    def forget(app):
        return lambda environ, start: app({k: v for k, v in environ.items() if k != "HTTP_IF_NONE_MATCH"}, start)

    yield from serve_s3(forget)


@pytest.fixture
def s3_url(s3_endpoint, request):
    bucket = f"bucket-{abs(hash(request.node.nodeid)):x}"
    boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id="tests",
        aws_secret_access_key="hidden-value",
    ).create_bucket(Bucket=bucket)
    credentials = "access_key_id=tests&secret_access_key=hidden-value"
    return f"s3://{bucket}/below/here?endpoint={s3_endpoint}&region=us-east-1&{credentials}"


@pytest.fixture(params=["disk", "s3"])
def store(request, tmp_path):
    url = f"file://{tmp_path}/files" if request.param == "disk" else request.getfixturevalue("s3_url")
    return files.from_url(url)


def test_a_stored_blob_reads_back_whole_and_in_parts(store):
    content = os.urandom(3_000_000)
    key = key_of(content)
    assert put(store, key, content, blake2_hex=key[:2] + key[3:5] + key[6:66], metadata={"project": "demo"}) is True
    assert store.read(key) == content
    assert store.size(key) == len(content)
    assert store.exists(key)
    assert store.read_range(key, 10, 20) == content[10:30]
    assert store.read_range(key, len(content) - 5, 100) == content[-5:]
    assert store.read_range(key, len(content) + 1, 100) == b""
    with store.open(key) as blob:
        blob.seek(-7, os.SEEK_END)
        assert blob.read() == content[-7:]


async def collect(chunks) -> bytes:
    return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 1), (5, 2_500_000), (2_999_999, None), (7, 7)], ids=str)
def test_a_stored_blob_streams_any_range(store, start, end):
    content = os.urandom(3_000_000)
    put(store, key_of(content), content)
    assert asyncio.run(collect(store.stream(key_of(content), start, end))) == content[start:end]


def test_an_archive_opens_from_the_store(store):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("demo/__init__.py", "x = 1\n" * 500_000)
        archive.writestr("demo/data.bin", os.urandom(2_000_000))
    put(store, key_of(buffer.getvalue()), buffer.getvalue())
    with store.open(key_of(buffer.getvalue())) as blob, zipfile.ZipFile(blob) as archive:
        assert archive.testzip() is None


@pytest.mark.parametrize("content", [b"", b"one", os.urandom(2_500_000)], ids=["empty", "small", "large"])
def test_a_file_is_stored_from_its_beginning_through_its_descriptor(store, content):
    with tempfile.TemporaryFile() as source:
        source.write(content)
        assert put(store, key_of(content), content, source=source) is True
    assert store.read(key_of(content)) == content


def test_the_same_bytes_again_are_a_success_and_nothing_new(store):
    assert put(store, key_of(b"one"), b"one") is True
    assert put(store, key_of(b"one"), b"one") is False


def test_other_bytes_under_the_same_key_are_refused_and_the_first_stay(store):
    key = key_of(b"one")
    put(store, key, b"one")
    for other in (b"two", b"longer than one"):
        with pytest.raises(BlobConflict):
            put(store, key, other)
    assert store.read(key) == b"one"


@pytest.mark.parametrize(
    "changes", [{"size": 4}, {"sha256_hex": "0" * 64}, {"blake2_hex": "0" * 64}], ids=["size", "sha256", "blake2"]
)
def test_bytes_that_are_not_the_announced_ones_are_not_stored(store, changes):
    with pytest.raises(BlobDamaged):
        put(store, key_of(b"one"), b"one", **changes)
    assert list(store.iter_keys()) == []


def race(store, key: str, contents: list[bytes]) -> list[object]:
    barrier, outcomes = threading.Barrier(len(contents)), []

    def writer(content: bytes) -> None:
        barrier.wait()
        try:
            outcomes.append(put(store, key, content))
        except BlobConflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=writer, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes, key=str)


@pytest.mark.parametrize("size", [10, 3_000_000], ids=["one request", "in parts"])
def test_of_two_writers_of_the_same_bytes_one_creates_and_both_succeed(store, size, monkeypatch):
    monkeypatch.setattr(files.S3Store, "single_put_limit", 1_000_000)
    content = os.urandom(size)
    assert race(store, key_of(content), [content, content]) == [False, True]
    assert store.read(key_of(content)) == content


@pytest.mark.parametrize("size", [10, 3_000_000], ids=["one request", "in parts"])
def test_of_writers_of_different_bytes_one_wins_and_the_others_are_told(store, size, monkeypatch):
    monkeypatch.setattr(files.S3Store, "single_put_limit", 1_000_000)
    contents = [bytes([number]) * size for number in range(4)]
    assert race(store, key_of(b"any"), contents) == [True, "conflict", "conflict", "conflict"]
    assert store.read(key_of(b"any")) in contents
    assert store.sweep_temporaries(timedelta(hours=-1)) == 0


def test_a_deleted_blob_is_gone_and_deleting_it_again_is_no_error(store):
    key = key_of(b"one")
    put(store, key, b"one")
    put(store, key + ".metadata", b"two")
    store.delete(key)
    store.delete(key)
    assert not store.exists(key)
    assert store.read(key + ".metadata") == b"two"


def test_a_missing_blob_is_said_to_be_missing(store):
    key = key_of(b"one")
    assert store.size(key) is None
    for look in (store.read, store.open, lambda key: store.read_range(key, 0, 1)):
        with pytest.raises(BlobNotFound):
            look(key)
    with pytest.raises(BlobNotFound):
        asyncio.run(collect(store.stream(key)))


def test_all_keys_are_listed_with_size_and_time_and_nothing_else(store):
    store.probe()
    contents = [b"one", b"two", b"three!"]
    for content in contents:
        put(store, key_of(content), content)
        put(store, key_of(content) + ".metadata", b"m")
    found = {key: (size, modified.tzinfo is not None) for key, size, modified in store.iter_keys()}
    assert found == {key_of(content): (len(content), True) for content in contents} | {
        key_of(content) + ".metadata": (1, True) for content in contents
    }


@pytest.mark.parametrize(
    "key",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "aa/bb/" + "c" * 60 + "/..",
        "aa/bb/" + "c" * 60 + "/a/b",
        "aa/bb/" + "c" * 60 + "/.hidden",
        "AA/bb/" + "c" * 60 + "/demo.whl",
        "aa/bb/" + "c" * 60 + "/demo.whl\n",
        "aa/bb/" + "c" * 60 + "/" + "é" * 128,
        "",
    ],
)
def test_a_key_that_is_not_one_reaches_no_store(store, key):
    assert store.local_path(key) is None
    for method in (store.read, store.size, store.delete, lambda key: put(store, key, b"one")):
        with pytest.raises(ValueError, match="not a blob key"):
            method(key)


def test_a_working_store_passes_its_probe_and_keeps_no_marker(store):
    store.probe()
    assert list(store.iter_keys()) == []
    assert store.sweep_temporaries(timedelta(hours=-1)) == 0


def test_what_a_crashed_writer_left_is_swept_when_it_is_old(tmp_path):
    store = files.from_url(f"file://{tmp_path}")
    store.probe()
    (store.spool / "left").write_bytes(b"half a fi")
    assert store.sweep_temporaries(timedelta(hours=1)) == 0
    assert store.sweep_temporaries(timedelta(hours=-1)) == 1
    assert list(store.spool.iterdir()) == []


def test_a_sweep_takes_nothing_from_a_writer_at_work_however_its_clock_jumps(tmp_path, monkeypatch):
    store, swept, really = files.from_url(f"file://{tmp_path}/files"), [], os.fsync

    def sweeping(descriptor):
        swept.append(store.sweep_temporaries(timedelta(hours=-1)))
        return really(descriptor)

    monkeypatch.setattr(os, "fsync", sweeping)
    assert put(store, key_of(b"one"), b"one") is True
    assert set(swept) == {0}
    assert list(store.spool.iterdir()) == []


def test_a_writer_whom_a_sweep_forestalls_begins_anew(tmp_path, monkeypatch):
    store, really = files.from_url(f"file://{tmp_path}/files"), fcntl.flock
    forestalled = []

    def late(file, operation):
        if not forestalled:  # the sweep comes between the making of the file and its lock
            forestalled.append(True)
            for path in store.spool.iterdir():
                path.unlink()
        return really(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    assert put(store, key_of(b"one"), b"one") is True
    assert store.read(key_of(b"one")) == b"one"
    assert list(store.spool.iterdir()) == []


def test_where_files_have_no_locks_their_age_decides(tmp_path, monkeypatch):
    store = files.from_url(f"file://{tmp_path}/files")

    def unsupported(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    assert put(store, key_of(b"one"), b"one") is True
    (store.spool / "left").write_bytes(b"half a fi")
    assert store.sweep_temporaries(timedelta(hours=1)) == 0
    assert store.sweep_temporaries(timedelta(hours=-1)) == 1


def test_ages_are_told_by_the_clock_of_the_store_not_by_that_of_this_machine(store, monkeypatch):
    store.probe()
    leave_behind(store)
    tomorrow = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    put(store, key_of(b"one"), b"one")
    assert store.sweep_temporaries(timedelta(hours=1)) == 0
    (blob,) = store.iter_keys()
    assert abs(store.now() - blob.modified) < timedelta(hours=1)
    assert store.sweep_temporaries(timedelta(hours=-1)) == 1


def leave_behind(store):
    """What a writer leaves that is killed."""
    if isinstance(store, files.LocalStore):
        (store.spool / "left").write_bytes(b"half a fi")
    else:
        obstore.put(store._store, ".spool/left", b"half a fi")


def test_a_blob_is_synced_with_every_directory_above_it_before_put_returns(tmp_path, monkeypatch):
    store, synced, really = files.from_url(f"file://{tmp_path}/files"), [], os.fsync

    def counting(descriptor):
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        return really(descriptor)

    monkeypatch.setattr(os, "fsync", counting)
    store.probe()
    assert synced[:2] == [str(tmp_path), str(store.root)]  # in which it has made a folder
    synced.clear()
    key = key_of(b"one")
    for _ in range(2):  # the second writer must not trust that the first has finished its work
        put(store, key, b"one")
        path = store.local_path(key)
        assert synced.pop(0).startswith(f"{store.spool}/")
        assert synced == [str(directory) for directory in path.parents[:4]]
        synced.clear()


@pytest.mark.parametrize("failing", [1, 2, 4], ids=["file", "directory", "upper directory"])
def test_a_failed_sync_fails_the_upload_and_leaves_nothing(tmp_path, monkeypatch, failing):
    store, calls, really = files.from_url(f"file://{tmp_path}/files"), [], os.fsync
    store.probe()

    def broken(descriptor):
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(5, "Input/output error")
        return really(descriptor)

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StoreUnavailable):
        put(store, key_of(b"one"), b"one")
    assert len(calls) == failing  # nobody tried again
    assert list(store.iter_keys()) == []
    assert list(store.spool.iterdir()) == []


def test_a_full_disk_is_named_as_such(tmp_path, monkeypatch):
    store = files.from_url(f"file://{tmp_path}/files")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(files.StoreFull, match="No space left"):
        put(store, key_of(b"one"), b"one")


def test_a_disk_store_gives_paths_and_no_signed_urls(tmp_path):
    store = files.from_url(f"file://{tmp_path}/files")
    assert store.local_path(key_of(b"one")) == tmp_path / "files" / key_of(b"one")
    assert store.presigned_url(key_of(b"one"), 60) is None


def test_a_bucket_gives_signed_urls_and_no_paths(s3_url):
    store = files.from_url(s3_url)
    assert store.local_path(key_of(b"one")) is None
    assert "X-Amz-Expires=60" in store.presigned_url(key_of(b"one"), 60)


def test_the_object_tells_what_it_belongs_to(s3_url, s3_endpoint):
    store = files.from_url(s3_url)
    put(store, key_of(b"one"), b"one", metadata={"project": "demo", "version": "1.0"})
    client = boto3.client(
        "s3", endpoint_url=s3_endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    head = client.head_object(Bucket=store.bucket, Key=f"below/here/{key_of(b'one')}")
    assert head["Metadata"] == {"project": "demo", "version": "1.0", "sha256": hashlib.sha256(b"one").hexdigest()}


def test_a_large_file_goes_in_parts_and_comes_back_whole(s3_url, monkeypatch):
    monkeypatch.setattr(files.S3Store, "single_put_limit", 1_000_000)
    store, content = files.from_url(s3_url), os.urandom(20_000_000)
    with tempfile.TemporaryFile() as source:
        source.write(content)
        assert put(store, key_of(content), content, source=source, metadata={"project": "demo"}) is True
        assert put(store, key_of(content), content, source=source) is False
    assert store.read(key_of(content)) == content


@pytest.mark.parametrize("limit", [1, 1_000_000], ids=["in parts", "one request"])
def test_a_store_without_conditional_writes_keeps_the_first_bytes_too(
    s3_url, s3_endpoint, s3_endpoint_without_conditions, monkeypatch, limit
):
    monkeypatch.setattr(files.S3Store, "single_put_limit", limit)
    store = files.from_url(s3_url.replace(s3_endpoint, s3_endpoint_without_conditions))
    store.probe()
    assert put(store, key_of(b"one"), b"one") is True
    assert put(store, key_of(b"one"), b"one") is False
    with pytest.raises(BlobConflict):
        put(store, key_of(b"one"), b"two")
    assert store.read(key_of(b"one")) == b"one"


def test_a_bucket_that_does_not_exist_or_answer_is_named_and_secrets_are_not(s3_url, s3_endpoint):
    absent = s3_url.replace("s3://bucket", "s3://nobodys")
    silent = s3_url.replace(s3_endpoint, "http://127.0.0.1:9")
    for url, reason in ((absent, "bucket does not exist"), (silent, "does not work")):
        store = files.from_url(url)
        with pytest.raises(StoreUnavailable, match=reason) as error:
            store.probe()
        assert "hidden-value" not in f"{error.value!r} {store!r}"


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "files", "file://host/path", "file://relative", "s3://", "s3://bucket?endpiont=x"]
)
def test_a_url_that_names_no_store_is_refused(url):
    with pytest.raises(ValueError, match=r"store|PACKHOUSE_FILES"):
        files.from_url(url)
