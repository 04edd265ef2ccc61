from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "packhouse.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
