"""Django's settings, made from the one ``Config``.  Nothing else in the house reads the environment."""

from pathlib import Path
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
PACKHOUSE_XMLRPC = "packhouse.pages.xmlrpc.METHODS"
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
    "allauth.socialaccount",
    "allauth.usersessions",
    "packhouse.accounts",
    "packhouse.accounts.factors",
    "packhouse.audit",
    "packhouse.console",
    "packhouse.documents",
    "packhouse.downloads",
    "packhouse.flags",
    "packhouse.index",
    "packhouse.integrations",
    "packhouse.attestations",
    "packhouse.mail",
    "packhouse.organizations",
    "packhouse.pages",
    "packhouse.projects",
    "packhouse.publishers",
    "packhouse.purge",
    "packhouse.queue",
    "packhouse.search",
    "packhouse.throttle",
    "packhouse.tokens",
    "packhouse.uploads",
]
MIDDLEWARE = [
    "packhouse.base.middleware.Headers",
    "packhouse.base.middleware.Compressed",
    "packhouse.base.middleware.CurrentRequest",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "packhouse.base.middleware.Locale",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "packhouse.accounts.middleware.SessionUse",
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
                "packhouse.base.templatetags.fixed",  # after Django's, in whose place it stands
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
LOCALE_PATHS = sorted(Path(__file__).parent.glob("**/locale"))  # before those of libraries, which have other words
LANGUAGE_COOKIE_NAME = "locale"
NUMBER_GROUPING = 3  # of languages that say nothing of their own, as Hebrew

IS_HTTPS = CONFIG.public_url.startswith("https:")
_HOST_ONLY = "__Host-" if IS_HTTPS else ""  # browsers take cookies of that name from this very host alone
SESSION_COOKIE_NAME = f"{_HOST_ONLY}session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_HOST_ONLY}csrf"
CSRF_TRUSTED_ORIGINS = [CONFIG.public_url]
CSRF_FAILURE_VIEW = "packhouse.base.errors.csrf_failure"

SESSION_COOKIE_AGE = CONFIG.session_lifetime
SESSION_ENGINE = "packhouse.accounts.sessions"

LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/manage/projects/"
LOGOUT_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = ["packhouse.accounts.backends.Users"]
PASSWORD_HASHERS = ["packhouse.accounts.passwords.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "packhouse.accounts.passwords.StrengthValidator"},
    {"NAME": "packhouse.accounts.passwords.BreachValidator"},
]
ACCOUNT_ADAPTER = "packhouse.accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"  # ours, in packhouse.accounts: signing in is possible before
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
SOCIALACCOUNT_ADAPTER = "packhouse.accounts.elsewhere.Adapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # it changes nothing but the state that the answer is compared with
ACCOUNT_LOGIN_TIMEOUT = 3600  # from the password to the end, with a letter on the way
ACCOUNT_RATE_LIMITS = False  # ours, in packhouse.accounts.limits
LOGGING_CONFIG = None
SILENCED_SYSTEM_CHECKS = ["auth.E003", "auth.W004"]  # user names are unique by a constraint that ignores case
