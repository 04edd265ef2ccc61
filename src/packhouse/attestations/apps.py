from django.apps import AppConfig


class AttestationsConfig(AppConfig):
    name = "packhouse.attestations"
    label = "attestations"
    default_auto_field = "django.db.models.BigAutoField"
