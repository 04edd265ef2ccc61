from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    name = "packhouse.downloads"
    label = "downloads"
