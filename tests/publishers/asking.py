"""Asking for tokens as jobs do."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

MINT = "/_/oidc/mint-token"


def ask(token: Any, path: str = MINT) -> HttpResponse:
    """POST the identity token, with the content type of ``curl -d``."""
    body = json.dumps({"token": token})
    return Client().generic("POST", path, body, content_type="application/x-www-form-urlencoded")  # type: ignore[return-value]


def minted(token: str) -> str:
    """The token of the index for a good identity token."""
    answer = ask(token)
    assert answer.status_code == 200, answer.content
    told = json.loads(answer.content)
    assert told["success"] is True
    return str(told["token"])


def refused(token: Any) -> tuple[str, str]:
    """Code and description of a refusal."""
    answer = ask(token)
    assert answer.status_code == 422, answer.content
    told = json.loads(answer.content)
    assert told["message"] == "Token request failed"
    [error] = told["errors"]
    return error["code"], error["description"]
