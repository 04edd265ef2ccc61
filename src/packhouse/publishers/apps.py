from django.apps import AppConfig


class PublishersConfig(AppConfig):
    name = "packhouse.publishers"
    label = "publishers"
    default_auto_field = "django.db.models.BigAutoField"
