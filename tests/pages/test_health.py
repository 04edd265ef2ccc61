"""What monitoring sees."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from tests.factories.accounts import make_token, make_user
from tests.mail.desk import post_one

from packhouse.accounts.actions.passwords import prove_password
from packhouse.base import metrics, running
from packhouse.mail.sending import send_with_neighbours
from packhouse.pages import health
from packhouse.throttle import actions as throttle
from packhouse.throttle.limit import Limit
from packhouse.tokens.queries import CredentialsRefused, identify

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


@pytest.mark.django_db(transaction=True)
def test_what_is_refused_and_what_leaves_is_counted() -> None:
    metrics.reset()
    limit = Limit("a-limit", "1 per hour")
    throttle.hit(limit, "somebody")
    throttle.hit(limit, "somebody")
    prove_password(make_user("ada").username, "not hers")
    _, token = make_token(make_user("grace"))
    identify(f"Bearer {token}")
    with pytest.raises(CredentialsRefused):
        identify(f"Bearer {token}x")
    send_with_neighbours(post_one().pk)
    shown = metrics.render().decode()
    for line in (
        'packhouse_limited_total{limit="a-limit"} 1.0',
        'packhouse_authentications_total{method="password",outcome="refused"} 1.0',
        'packhouse_authentications_total{method="token",outcome="accepted"} 1.0',
        'packhouse_authentications_total{method="token",outcome="refused"} 1.0',
        'packhouse_letters_total{outcome="sent"} 1.0',
    ):
        assert line in shown
