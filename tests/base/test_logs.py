"""The log: one line an event, and no credential in any."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from packhouse.base import logs

TOKEN = "packhouse-AgEIcHlwaS5vcmcCJGNhbmFyeS1jYW5hcnk"
CANARY = "canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def _json_log(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    kept = logging.root.handlers[:], logging.root.level
    logs.configure("json", "info", "packhouse")
    yield
    logging.root.handlers[:], level = kept
    logging.root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_our_messages_and_those_of_libraries_come_in_one_form(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("packhouse.uploads").info("file stored", size=3)
    logging.getLogger("django.security").warning("odd %s", "thing")
    ours, theirs = lines(capsys)
    assert (ours["event"], ours["size"], ours["level"], ours["logger"]) == (
        "file stored",
        3,
        "info",
        "packhouse.uploads",
    )
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("odd thing", "warning", "django.security")


@pytest.mark.parametrize(
    "fields",
    [
        {"authorization": f"Basic {CANARY}"},
        {"headers": {"Cookie": f"sessionid={CANARY}", "X-CSRFToken": CANARY}},
        {"form": {"new_password1": CANARY, "items": [{"api_key": CANARY}]}},
        {"token": CANARY},
        {"detail": f"Authorization: Bearer {CANARY}"},
        {"url": f"https://me:{CANARY}@packages.example.org/simple/"},
        {"path": f"/setup/{CANARY}"},
        {"path": f"/accounts/password/reset/key/{CANARY}/"},
        {"raw": f"{TOKEN}-{CANARY}".encode()},
    ],
)
def test_credentials_are_masked_wherever_they_stand(
    capsys: pytest.CaptureFixture[str], fields: dict[str, object]
) -> None:
    structlog.get_logger("packhouse").info("seen", **fields)
    assert CANARY not in capsys.readouterr().err


def test_tokens_are_masked_in_messages_and_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ValueError(f"cannot use {TOKEN}")

    try:
        fail()
    except ValueError:
        logging.getLogger("x").exception("failed with %s", TOKEN)
    text = capsys.readouterr().err
    assert TOKEN not in text
    assert "ValueError: cannot use (hidden)" in text


def test_what_somebody_sends_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("x").info("name", name="a\nb\x1b[31m\u2028c")
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "\u2028" not in text


def test_the_request_id_is_in_every_line_of_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    logs.request_id.set(number := logs.new_request_id())
    structlog.get_logger("x").info("one")
    logging.getLogger("y").info("two")
    assert [line["request_id"] for line in lines(capsys)] == [number, number]
    assert logs.new_request_id() != number
    logs.request_id.set("")


@pytest.mark.parametrize("form", ["json", "human"])
def test_a_traceback_shows_no_local_variable(capsys: pytest.CaptureFixture[str], form: str) -> None:
    logs.configure(form, "info", "packhouse")

    def fail(password: str) -> None:
        raise ValueError(len(password))

    try:
        fail(CANARY)
    except ValueError:
        structlog.get_logger("x").exception("failed")
    text = capsys.readouterr().err
    assert "ValueError: 23" in text
    assert CANARY not in text
