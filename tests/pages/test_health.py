"""What monitoring sees."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from packhouse.base import running
from packhouse.pages import health

TOKEN = "a-token-for-the-scraper"


@pytest.fixture(autouse=True)
def _ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(running.VARIABLE, raising=False)
    for part in health.PARTS:
        part.good_until = 0.0


def with_setting(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    from dataclasses import replace

    monkeypatch.setattr(settings, "PACKHOUSE", replace(settings.PACKHOUSE, **changes))


@pytest.mark.django_db
def test_a_server_whose_parts_work_is_ready(client: Client) -> None:
    answer = client.get("/_ready/")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "parts": {"database": "ok", "migrations": "ok", "files": "ok"},
    }
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_store_that_cannot_be_written_makes_the_server_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with_setting(monkeypatch, files=f"file://{tmp_path}/file/below")
    answer = client.get("/_ready/")
    assert answer.status_code == 503
    assert answer.json()["parts"]["files"] == "failing"
    assert str(tmp_path) not in answer.content.decode()


@pytest.mark.django_db
def test_a_server_that_is_about_to_stop_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(running.VARIABLE, str(tmp_path))
    running.start_draining()
    answer = client.get("/_ready/")
    assert (answer.status_code, answer.json()["status"]) == (503, "stopping")


def test_metrics_are_for_whoever_has_the_token_and_nowhere_without_one(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/metrics").status_code == 404
    with_setting(monkeypatch, metrics_token=TOKEN)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert b"# TYPE packhouse_request_seconds histogram" in answer.content
