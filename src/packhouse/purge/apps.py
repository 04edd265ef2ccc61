from django.apps import AppConfig


class PurgeConfig(AppConfig):
    name = "packhouse.purge"
    label = "purge"
