from django.apps import AppConfig


class FactorsConfig(AppConfig):
    name = "packhouse.accounts.factors"
    label = "factors"
    default_auto_field = "django.db.models.BigAutoField"
