"""Django's settings, made from the one ``Config``.  Nothing else in the house reads the environment."""

from typing import Any

from packhouse import config
from packhouse.base import assets
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
    "packhouse.base",  # first: its templates stand in for those of libraries
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "packhouse.accounts",
    "packhouse.accounts.factors",
    "packhouse.audit",
    "packhouse.console",
    "packhouse.documents",
    "packhouse.flags",
    "packhouse.index",
    "packhouse.mail",
    "packhouse.pages",
    "packhouse.projects",
    "packhouse.queue",
    "packhouse.throttle",
    "packhouse.tokens",
    "packhouse.uploads",
]
MIDDLEWARE = [
    "packhouse.base.middleware.Headers",
    "packhouse.base.middleware.CurrentRequest",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "packhouse.base.middleware.Locale",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "packhouse.base.middleware.Personal",
    "packhouse.base.errors.Errors",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "packhouse.base.templatetags.packhouse",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "packhouse.base.context.shell",
                "packhouse.pages.context.notices",
            ],
        },
    }
]
FORM_RENDERER = "packhouse.base.forms.Renderer"
ASSETS = assets.Assets(assets.folders_of(INSTALLED_APPS))
STATIC_URL = ASSETS.url

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German"), ("he", "Hebrew")]
LANGUAGE_COOKIE_NAME = "locale"

IS_HTTPS = CONFIG.public_url.startswith("https:")
_HOST_ONLY = "__Host-" if IS_HTTPS else ""  # browsers take cookies of that name from this very host alone
SESSION_COOKIE_NAME = f"{_HOST_ONLY}session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_HOST_ONLY}csrf"
CSRF_TRUSTED_ORIGINS = [CONFIG.public_url]
CSRF_FAILURE_VIEW = "packhouse.base.errors.csrf_failure"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "UserAttributeSimilarityValidator", "CommonPasswordValidator")
]
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS = ["auth.E003"]  # user names are unique by a constraint that ignores case
