"""Django's settings, made from the environment (`environment.py` lists what an operator may set)."""

from __future__ import annotations

import ipaddress
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from allswell.intake.rules import listening
from allswell.notifications import carriers
from allswell.notifications.rules import signing

from . import environment

_env = environment.here()
_package = Path(__file__).resolve().parent.parent

DATA_DIR = Path(_env.text("ALLSWELL_DATA_DIR")).resolve()
PUBLIC_URL = _env.text("ALLSWELL_URL").rstrip("/")
_public = urlsplit(PUBLIC_URL)
if _public.scheme not in ("http", "https") or not _public.hostname:
    raise environment.SettingError("ALLSWELL_URL must be an address such as https://desk.example.org.")


def _secret_key() -> str:
    """The operator's key, or one made once and kept beside the data, readable by its owner only."""
    if key := _env.text("ALLSWELL_SECRET_KEY"):
        return key
    path = DATA_DIR / "secret.key"
    if not path.exists():
        DATA_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)
        draft = path.with_suffix(f".{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
        try:
            path.hardlink_to(draft)  # the first process wins, the others read its key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = _env.words("ALLSWELL_OLD_SECRET_KEYS")
DEBUG = False
_local = {"127.0.0.1", "localhost", "[::1]"}
ALLOWED_HOSTS = [_public.hostname, *(_local if _public.hostname in {"127.0.0.1", "localhost", "::1"} else ())]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
TRUSTED_PROXIES = [ipaddress.ip_network(word, strict=False) for word in _env.words("ALLSWELL_TRUSTED_PROXIES")]
OUTGOING_ALLOW = _env.words("ALLSWELL_OUTGOING_ALLOW")

LISTEN_HOST = _env.text("ALLSWELL_HOST")
LISTEN_PORT = _env.number("ALLSWELL_PORT", least=1)
WORKERS = _env.number("ALLSWELL_WORKERS", least=1)
SMTP_URL = _env.text("ALLSWELL_SMTP_URL")
MAIL_FROM = _env.text("ALLSWELL_MAIL_FROM")
try:
    DKIM_KEYS = [signing.Place.parse(word) for word in _env.words("ALLSWELL_DKIM_KEYS")]
except ValueError as _error:
    raise environment.SettingError(f"ALLSWELL_DKIM_KEYS cannot be understood. {_error}") from None
MAIL_LISTEN = _env.text("ALLSWELL_MAIL_LISTEN")
try:
    MAIL_LISTEN and listening.Place.parse(MAIL_LISTEN)
except ValueError:
    raise environment.SettingError("ALLSWELL_MAIL_LISTEN must be like lmtp://127.0.0.1:2424 or smtp://127.0.0.1:2525.") from None
SMS_URL = _env.text("ALLSWELL_SMS_URL")
VOICE_URL = _env.text("ALLSWELL_VOICE_URL")
for _name, _url in (("ALLSWELL_SMS_URL", SMS_URL), ("ALLSWELL_VOICE_URL", VOICE_URL)):
    try:
        _url and carriers.Carrier.parse(_url)
    except carriers.BadCarrier as _error:
        raise environment.SettingError(f"{_name} cannot be understood. {_error}") from None
APPRISE = _env.switch("ALLSWELL_APPRISE")
METRICS_TOKEN = _env.text("ALLSWELL_METRICS_TOKEN")
WATCHER_TOKEN = _env.text("ALLSWELL_WATCHER_TOKEN")
API_RATE = _env.number("ALLSWELL_API_RATE", least=1)
MAX_UPLOAD_BYTES = _env.number("ALLSWELL_MAX_UPLOAD_MB", least=1) * 1_000_000

INSTALLED_APPS = [
    "allswell.people",
    "allswell.journal",
    "allswell.search",
    "allswell.notifications",
    "allswell.jobs",
    "allswell.calendars",
    "allswell.services",
    "allswell.tickets",
    "allswell.sla",
    "allswell.oncall",
    "allswell.incidents",
    "allswell.intake",
    "allswell.reporting",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "allswell.boot.probes.Probes",
    "allswell.api.alerts_in.AlertsMiddleware",  # answers what monitoring sends, also where vendors' clients look for it
    "allswell.api.front.ApiMiddleware",  # answers /api/ itself; everything below is for pages
    "allswell.web.static_files.ServeStatic",
    "allswell.web.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allswell.web.middleware.Viewer",
]
CSRF_FAILURE_VIEW = "allswell.web.errors.form_expired"

ROOT_URLCONF = "allswell.boot.urls"
WSGI_APPLICATION = "allswell.boot.wsgi.application"

DATABASES = {
    "default": environment.database(
        _env.text("ALLSWELL_DATABASE_URL"), data_dir=DATA_DIR, synchronous=_env.text("ALLSWELL_SQLITE_SYNCHRONOUS")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.Person"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [_package / "web" / "templates"],
        "OPTIONS": {"environment": "allswell.web.templating.environment", "autoescape": True},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_EMAIL_FIELD = None  # addresses are rows of our own
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "allswell.people.second_factor.Adapter"
MFA_RECOVERY_CODE_DIGITS = 10
AUTHENTICATION_BACKENDS = ["allswell.web.sign_in.EmailBackend"]

USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_TIME_ZONE = _env.text("ALLSWELL_TIME_ZONE")
USE_I18N = True
LANGUAGE_CODE = _env.text("ALLSWELL_LANGUAGE")
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [_package / "locale"]

STATIC_URL = "/static/"
MEDIA_ROOT = DATA_DIR / "attachments"
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

_secure = _public.scheme == "https"
SESSION_ENGINE = "allswell.boot.sessions"
SESSION_COOKIE_NAME = "__Host-allswell" if _secure else "allswell"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_NAME = "__Host-csrf" if _secure else "csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"refusals": {"()": "allswell.boot.refusals.Refusals"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
    "root": {"handlers": ["stderr"], "level": _env.text("ALLSWELL_LOG_LEVEL").upper()},
    # what calls others writes their addresses into the log, and some of those are secrets
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "apprise": {"level": "CRITICAL"},
        "mail.log": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
