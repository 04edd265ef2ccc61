from typing import Any

from django.apps import AppConfig
from django.core.signals import request_finished


class TokensConfig(AppConfig):
    name = "packhouse.tokens"
    label = "tokens"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Write down the uses of tokens when an answer has left, so that no request waits for it."""
        request_finished.connect(_write_uses, dispatch_uid="packhouse.tokens")


def _write_uses(**_: Any) -> None:
    from packhouse.tokens import actions  # noqa: PLC0415 - models are not loaded yet when this module is

    actions.write_uses()
