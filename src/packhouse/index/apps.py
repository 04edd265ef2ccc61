from django.apps import AppConfig


class IndexConfig(AppConfig):
    name = "packhouse.index"
    label = "index"
