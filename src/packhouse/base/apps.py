from django.apps import AppConfig
from django.db.backends.signals import connection_created


class BaseConfig(AppConfig):
    name = "packhouse.base"

    def ready(self) -> None:
        from packhouse.base import postgresql  # noqa: PLC0415

        connection_created.connect(postgresql.read_times_fast)
