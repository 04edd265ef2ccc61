"""The access log."""

import json

import pytest

from packhouse.base import access

TOKEN = "packhouse-AgEIcHlwaS5vcmcCJGNhbmFyeS1jYW5hcnk"


def test_a_request_is_one_line_with_the_allowed_fields(capfd: pytest.CaptureFixture[str]) -> None:
    log = access.AccessLog(human=False)
    log.start()
    path = f"/manage/\n{TOKEN}/"
    log.write(access.AccessLine(1_700_000_000.5, "10.0.0.1:4711", "GET", path, 200, 42, 0.0123, "pip/25.1", "abc"))
    log.stop()
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line) == {
        "timestamp": "2023-11-14T22:13:20.500Z",
        "event": "request",
        "client": "10.0.0.1",
        "method": "GET",
        "path": "/manage/\n(hidden)/",
        "status": 200,
        "bytes": 42,
        "ms": 12.3,
        "agent": "pip/25.1",
        "request_id": "abc",
    }
