"""The settings an operator may give, each read from the environment and from nowhere else.

`SETTINGS` is the whole list; `docs/operate/settings.md` documents each (a test compares them). An `ALLSWELL_*` name that is not
in the list stops the program, because a misspelt setting that is silently ignored is found at 3 a.m.
Secrets also take `<NAME>_FILE`, a file that holds the value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from allswell.kernel.errors import CannotStart


class SettingError(CannotStart):
    """A setting is unknown, missing or wrong; the message names it and says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=2)


@dataclass(frozen=True)
class Setting:
    """One setting: its name, the default as it would be written in the environment, and what it is for."""

    name: str
    default: str
    doc: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("ALLSWELL_DATA_DIR", "data", "Folder of the embedded database, the attachments and the generated secret key."),
    Setting(
        "ALLSWELL_DATABASE_URL",
        "",
        "sqlite:///path or postgresql://user:password@host:port/name; empty: SQLite in the data folder.",
        True,
    ),
    Setting(
        "ALLSWELL_URL",
        "http://127.0.0.1:8000",
        "The address people use; links in mails, cookies and CSRF checks follow it.",
    ),
    Setting(
        "ALLSWELL_SECRET_KEY",
        "",
        "Signs sessions and links and encrypts stored secrets; empty: made once and kept in the data folder.",
        True,
    ),
    Setting(
        "ALLSWELL_OLD_SECRET_KEYS",
        "",
        "Former secret keys, separated by spaces: what they signed or encrypted still works.",
        True,
    ),
    Setting("ALLSWELL_HOST", "127.0.0.1", "Address the web server listens on."),
    Setting("ALLSWELL_PORT", "8000", "Port the web server listens on."),
    Setting("ALLSWELL_WORKERS", "2", "Web processes."),
    Setting(
        "ALLSWELL_TRUSTED_PROXIES",
        "",
        "Addresses or networks, separated by spaces, whose X-Forwarded-For and -Proto are believed.",
    ),
    Setting(
        "ALLSWELL_SMTP_URL",
        "",
        "smtp://user:password@host:587 (STARTTLS), smtps://…:465, or smtp+plain://host:25; empty: mails wait.",
        True,
    ),
    Setting(
        "ALLSWELL_MAIL_FROM",
        "",
        "From address of notices, such as 'Service desk <desk@example.org>'; needed to send mail.",
    ),
    Setting(
        "ALLSWELL_DKIM_KEYS",
        "",
        "SELECTOR:FILE, several separated by spaces: private keys that sign mail with DKIM; empty: the mail server may do it.",
    ),
    Setting(
        "ALLSWELL_MAIL_LISTEN",
        "",
        "Where mail servers hand mail over: lmtp://127.0.0.1:2424 or smtp://127.0.0.1:2525; empty: nowhere.",
    ),
    Setting(
        "ALLSWELL_SMS_URL",
        "",
        "twilio+https://SID:TOKEN@host/?from=%2B15550100: who sends pages as text messages; empty: nobody.",
        True,
    ),
    Setting(
        "ALLSWELL_VOICE_URL",
        "",
        "twilio+https://SID:TOKEN@host/?from=%2B15550100: who makes the calls of pages; empty: nobody.",
        True,
    ),
    Setting(
        "ALLSWELL_APPRISE",
        "0",
        "1: pages may go through Apprise where it is installed; it opens its own connections.",
    ),
    Setting("ALLSWELL_MAX_UPLOAD_MB", "25", "Largest attachment, in MB (millions of bytes)."),
    Setting(
        "ALLSWELL_OUTGOING_ALLOW",
        "",
        "Networks or host names, separated by spaces, that webhooks and pages may call although they are private.",
    ),
    Setting("ALLSWELL_LANGUAGE", "en", "Language of people who have not chosen one (en, de)."),
    Setting("ALLSWELL_TIME_ZONE", "UTC", "Time zone of people who have not chosen one, such as Europe/Zurich."),
    Setting("ALLSWELL_METRICS_TOKEN", "", "Bearer token /metrics asks for; empty: only this machine may read it.", True),
    Setting("ALLSWELL_WATCHER_TOKEN", "", "Bearer token a watcher shows, so that its looks are noted; empty: none are.", True),
    Setting("ALLSWELL_API_RATE", "60000", "API requests a token may make per minute."),
    Setting("ALLSWELL_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Setting(
        "ALLSWELL_SQLITE_SYNCHRONOUS",
        "FULL",
        "FULL: a power cut loses nothing acknowledged. NORMAL: faster, may lose the last commits.",
    ),
)

_BY_NAME = {setting.name: setting for setting in SETTINGS}
#: settings of the watcher (`allswell watch`), which is another program and reads its own
_OTHERS = "ALLSWELL_WATCH_"


class Environment:
    """Typed reading of settings; raises SettingError with one line that says what to do."""

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source
        known = set(_BY_NAME) | {f"{s.name}_FILE" for s in SETTINGS if s.secret}
        unknown = sorted(
            name for name in source if name.startswith("ALLSWELL_") and not name.startswith(_OTHERS) and name not in known
        )
        if unknown:
            raise SettingError(f"Unknown setting {', '.join(unknown)}. The list is in docs/operate/settings.md.")

    def text(self, name: str) -> str:
        """The value, from the environment, its _FILE variant, or the default."""
        setting = _BY_NAME[name]
        if setting.secret and (path := self._source.get(f"{name}_FILE")):
            if name in self._source:
                raise SettingError(f"Give {name} or {name}_FILE, not both.")
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingError(f"{name}_FILE: cannot read {path}: {error.strerror}.") from error
        return self._source.get(name, setting.default).strip()

    def number(self, name: str, *, least: int = 0) -> int:
        """A whole number, at least `least`."""
        raw = self.text(name)
        if not raw.isdigit() or int(raw) < least:
            raise SettingError(f"{name} must be a whole number of at least {least}, not {raw!r}.")
        return int(raw)

    def switch(self, name: str) -> bool:
        """Whether something is switched on: 1, or 0."""
        raw = self.text(name)
        if raw not in ("0", "1", ""):
            raise SettingError(f"{name} must be 1 or 0, not {raw!r}.")
        return raw == "1"

    def words(self, name: str) -> list[str]:
        """Words separated by spaces or commas."""
        return self.text(name).replace(",", " ").split()


def database(url: str, *, data_dir: Path, synchronous: str) -> dict[str, Any]:
    """Django's description of the database that `url` names. Raises SettingError."""
    if not url:
        url = f"sqlite:///{data_dir / 'allswell.sqlite3'}"
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(url.removeprefix("sqlite:///"), synchronous)
    if parts.scheme in ("postgres", "postgresql"):
        return _postgresql(url)
    raise SettingError("ALLSWELL_DATABASE_URL must begin with sqlite:/// or postgresql://.")


def _sqlite(path: str, synchronous: str) -> dict[str, Any]:
    if synchronous not in ("FULL", "NORMAL"):
        raise SettingError("ALLSWELL_SQLITE_SYNCHRONOUS must be FULL or NORMAL.")
    pragmas = (
        "PRAGMA journal_mode=WAL",
        f"PRAGMA synchronous={synchronous}",
        "PRAGMA busy_timeout=20000",
        "PRAGMA cache_size=-32768",
        "PRAGMA mmap_size=268435456",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA wal_autocheckpoint=4000",  # 16 MB: what many commits write again and again goes into the file once
        "PRAGMA journal_size_limit=67108864",
    )
    return {
        "ENGINE": "allswell.boot.sqlite",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "; ".join(pragmas)},
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    prepared = query.pop("prepare_threshold", "3")  # "none" behind a pooler that gives each transaction another connection
    if prepared != "none" and not prepared.isdigit():
        raise SettingError("prepare_threshold in ALLSWELL_DATABASE_URL must be a number or none.")
    host = query.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "allswell.boot.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "") or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": None if prepared == "none" else int(prepared), **query},
    }


def here() -> Environment:
    """The environment of this process."""
    return Environment(os.environ)
