"""Counting in each process, summing over all."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from packhouse.base import metrics, running


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    metrics.reset()
    yield
    metrics.reset()


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(running.VARIABLE, str(tmp_path))
    (tmp_path / "metrics").mkdir()
    return tmp_path


def lines() -> set[str]:
    return {line for line in metrics.render().decode().splitlines() if not line.startswith("#")}


def test_a_request_is_counted_by_class_with_its_time_and_size() -> None:
    metrics.hot.request("data", "simple", "GET", 200, 0.003, 120)
    metrics.hot.request("data", "simple", "GET", 206, 0.7, 30)
    labels = 'method="GET",plane="data",route="simple",status="2xx"'
    found = {line.replace('plane="data",route="simple",method="GET",status="2xx"', labels) for line in lines()}
    assert f'packhouse_request_seconds_bucket{{le="0.005",{labels}}} 1.0' in found
    assert f'packhouse_request_seconds_bucket{{le="+Inf",{labels}}} 2.0' in found
    assert f"packhouse_request_seconds_count{{{labels}}} 2.0" in found
    assert 'packhouse_response_bytes_total{plane="data",route="simple"} 150.0' in found


def test_methods_that_clients_invent_make_no_new_series() -> None:
    for number in range(100):
        metrics.hot.request("data", "simple", f"M{number}", 405, 0.1)
    assert len(metrics.hot.cells) == 1


def test_counters_and_gauges_stand_under_their_labels() -> None:
    metrics.count("packhouse_uploads", "refused", "wheel-record-mismatch")
    metrics.count("packhouse_uploads", "refused", "wheel-record-mismatch")
    metrics.level("packhouse_queue_oldest_seconds", "mail", value=7)
    metrics.hot.cache_hits += 3
    found = lines()
    assert 'packhouse_uploads_total{code="wheel-record-mismatch",outcome="refused"} 2.0' in found
    assert 'packhouse_queue_oldest_seconds{queue="mail"} 7.0' in found
    assert 'packhouse_document_cache_total{result="hit"} 3.0' in found


def test_labels_that_do_not_fit_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="labels"):
        metrics.count("packhouse_uploads", "refused")


def test_all_processes_are_summed_and_those_that_ended_keep_their_counts_but_not_their_levels(shared: Path) -> None:
    program = (
        "from packhouse.base import metrics; import time\n"
        "metrics.count('packhouse_uploads', 'stored', ''); metrics.start('server'); time.sleep(0.3)"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True)
    metrics.count("packhouse_uploads", "stored", "")
    found = lines()
    assert 'packhouse_uploads_total{code="",outcome="stored"} 3.0' in found
    assert not any(line.startswith("packhouse_process_resident_bytes") for line in found)


def test_a_broken_file_of_another_process_hides_nothing(shared: Path) -> None:
    (shared / "metrics" / "1-1.json").write_text('{"pid"')
    (shared / "metrics" / "1-2.json").write_text(json.dumps(metrics.snapshot() | {"pid": 1}))
    assert metrics.render()


def test_a_process_that_was_started_alone_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(running.VARIABLE, raising=False)
    metrics.start("server")
    time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []
