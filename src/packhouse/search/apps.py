from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "packhouse.search"
    label = "search"
