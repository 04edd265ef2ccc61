"""Django's settings, made from the one ``Config``.  Nothing else in the house reads the environment."""

from typing import Any

from packhouse import config
from packhouse.queue import QUEUES

CONFIG = config.load()

SECRET_KEY = CONFIG.secret_key
DEBUG = CONFIG.debug
USE_TZ = True
TIME_ZONE = "UTC"
ALLOWED_HOSTS = ["*"]  # the front door answers; links are made from the public URL, never from Host
ROOT_URLCONF = "packhouse.urls"
APPEND_SLASH = True
DATABASES: dict[str, Any] = {"default": config.django_database(CONFIG.database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
PACKHOUSE = CONFIG
PACKHOUSE_REACTIONS = "packhouse.reactions.REACTIONS"
PACKHOUSE_SCHEDULE = "packhouse.schedule.SCHEDULE"
TASKS = {"default": {"BACKEND": "packhouse.queue.backend.DatabaseBackend", "QUEUES": list(QUEUES)}}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "packhouse.accounts",
    "packhouse.audit",
    "packhouse.documents",
    "packhouse.flags",
    "packhouse.index",
    "packhouse.projects",
    "packhouse.queue",
    "packhouse.throttle",
    "packhouse.tokens",
    "packhouse.uploads",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "UserAttributeSimilarityValidator", "CommonPasswordValidator")
]
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS = ["auth.E003"]  # user names are unique by a constraint that ignores case
