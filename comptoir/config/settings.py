"""Django's settings, from the environment. Other rooms find `COMPTOIR` (an Environment) here."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from comptoir.config.environment import Environment, read_environment

COMPTOIR: Environment = read_environment()


def _django_secret(environment: Environment) -> str:
    """Django signs with a key of its own, derived from the master key (HMAC-SHA-256 as a one-step KDF).

    Without a master key (tools that only inspect the code) it lives as long as the process; commands
    that serve or pay ask for the master key and refuse to start without it.
    """
    return _derived(environment.master_key or secrets.token_bytes(32))


def _derived(master_key: bytes) -> str:
    return hmac.new(master_key, b"comptoir/django-secret-key/1", hashlib.sha256).hexdigest()


def database_settings(url: str) -> dict[str, Any]:
    """Django's settings of a PostgreSQL URL or conninfo; what Django has no name for goes to OPTIONS."""
    given = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": given.pop("dbname", ""),
        "USER": given.pop("user", ""),
        "PASSWORD": given.pop("password", ""),
        "HOST": given.pop("host", ""),
        "PORT": given.pop("port", ""),
        "OPTIONS": given,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


SECRET_KEY = _django_secret(COMPTOIR)
# While the master key is being changed, what the other one signed is still good.
SECRET_KEY_FALLBACKS = [_derived(key) for key in COMPTOIR.other_master_keys.values()]
DEBUG = False

_public = urlsplit(COMPTOIR.public_url)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", _public.hostname or "localhost"]
CSRF_TRUSTED_ORIGINS = [COMPTOIR.public_url]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"

_MACHINES_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "comptoir.db",
    "comptoir.identity",
    "comptoir.ledger",
    "comptoir.fx",
    "comptoir.wallet",
    "comptoir.acquiring",
    "comptoir.risk",
]
_PEOPLES_APPS = [
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "comptoir.web.components",
    "comptoir.web.signin",
    "allauth.account",
    "allauth.mfa",
    "comptoir.web.cashier",
    "comptoir.web.wallet",
    "comptoir.web.counter",
    "comptoir.web.merchant",
]
# Django imports an application's models at its start: a process that serves no page does not pay for them.
INSTALLED_APPS = _MACHINES_APPS if COMPTOIR.machines_only else _MACHINES_APPS + _PEOPLES_APPS

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "comptoir.web.components.language.PageLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "comptoir.web.components.headers.Pages",
]

ROOT_URLCONF = "comptoir.config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "comptoir.web.components.context.page",
            ],
        },
    },
]

DATABASES = {"default": database_settings(COMPTOIR.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "identity.Person"
PASSWORD_HASHERS = ["comptoir.identity.hashers.PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Logging in. People are made, nobody signs up; the login is the only name; nothing is mailed.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "login"
ACCOUNT_ADAPTER = "comptoir.web.signin.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "login"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PRESERVE_USERNAME_CASING = False
# How long a login lasts is decided in comptoir.web.components.sessions; the cookie outlives it.
ACCOUNT_SESSION_REMEMBER = True
#: Ten wrong passwords a minute from one address, five in five minutes for one login, in all processes. Of
#: pictures that are read for their codes: two cameras of one person, and what one can choose by hand.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "frame": "400/m/user",
    "photo": "10/m/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = COMPTOIR.trusted_proxies
#: A sensitive act asks for the password or the second factor of the last ten minutes.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
MFA_ADAPTER = "comptoir.web.signin.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Comptoir"
# A passkey works over HTTPS; browsers take this machine's own address for safe as well.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _public.scheme == "http"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# In the database: what is counted against guessing must hold in every process.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "db_cache",
        # Enough that nobody makes it forget their guesses by guessing for many others.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    },
}

# Wallets of others: name -> {"connector": dotted path of a factory, "options": what it is called with,
# "prefixes" and "schemes": which codes are theirs}. See comptoir.wallet.connectors.
#: Whether `comptoir rates fetch` and the worker may ask the ECB.
COMPTOIR_FX_FETCH = COMPTOIR.fx_fetch

COMPTOIR_ISSUERS: dict[str, dict[str, Any]] = (
    json.loads(COMPTOIR.issuers_file.read_text()) if COMPTOIR.issuers_file else {}
)

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("zh-hans", "简体中文"),
    ("nl", "Nederlands"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("en", "English"),
]

STATIC_URL = "/static/"
# Served from the packages themselves: nothing to collect before a start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# Django's own handlers print when DEBUG is on, and mail when it is off.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"pages": {"class": "comptoir.config.page_errors.PageErrors", "level": "ERROR"}},
    "loggers": {"django": {"handlers": ["pages"], "level": "INFO"}},
}
