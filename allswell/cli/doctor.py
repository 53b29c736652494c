"""Look at everything an installation needs, and say what to do about what is wrong. Exit 1 when something is."""

from __future__ import annotations

import argparse
import json
import shutil
import smtplib
import socket
import ssl
import stat
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection

from allswell.jobs import queries as jobs
from allswell.jobs import schema
from allswell.jobs.rules import WATCHER_MISSED_AFTER, is_alive
from allswell.kernel import clock
from allswell.notifications import carriers
from allswell.notifications import queries as notifications
from allswell.notifications.rules import is_inside
from allswell.sla import alarm_queries as alarms

from . import doctor_dkim, doctor_mail
from .findings import BAD, GOOD, NOTE, Finding

#: a busy engine may be this late
_ALARMS_LATE = timedelta(seconds=10)
_LOCAL = {"127.0.0.1", "localhost", "::1"}


def options(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: argparse.Namespace) -> int:
    """Look, and report."""
    findings = examine(clock.now())
    is_bad = any(finding.state == BAD for finding in findings)
    if options.json:
        print(json.dumps({"state": BAD if is_bad else GOOD, "findings": [asdict(finding) for finding in findings]}, indent=2))
        return 1 if is_bad else 0
    signs = {GOOD: "ok  ", NOTE: "note", BAD: "BAD "}
    for finding in findings:
        print(f"{signs[finding.state]}  {finding.about:<11} {finding.found}")
        if finding.advice:
            print(f"{'':<18}-> {finding.advice}")
    return 1 if is_bad else 0


def examine(now: datetime) -> list[Finding]:
    """Every finding. Without a database the rest of what needs one is left out."""
    findings = list(_database())
    if findings[0].state == GOOD:
        for look in (_schema, _clock, _engine, _watchers, _alarms, _outbox, doctor_mail.look):
            findings += look(now)
    for apart in (_mail, doctor_dkim.look, _carriers, _disk, _secrets, _address):
        findings += apart()
    return findings


def _database() -> Iterator[Finding]:
    name = settings.DATABASES["default"]["NAME"]
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA quick_check(1)")
                said = cursor.fetchone()[0]
                if said != "ok":
                    yield Finding("database", BAD, f"SQLite says: {said}", "Stop Allswell and restore the last backup.")
                    return
            else:
                cursor.execute("SELECT 1")
    except DatabaseError as error:
        yield Finding("database", BAD, " ".join(str(error).split()), "Check ALLSWELL_DATABASE_URL and that the server runs.")
        return
    yield Finding("database", GOOD, f"{connection.display_name} answers ({name}).")


def _schema(now: datetime) -> Iterator[Finding]:
    found = schema.look()
    if found.unknown:
        yield Finding("schema", BAD, "The database is newer than this program.", "Upgrade Allswell, or restore a backup.")
    elif found.pending:
        yield Finding("schema", BAD, f"{len(found.pending)} migrations are pending.", "Make a backup, then: allswell migrate")
    else:
        yield Finding("schema", GOOD, "The database fits this version.")


def _database_clock(cursor: Any) -> datetime:
    if connection.vendor == "sqlite":
        cursor.execute("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)
    cursor.execute("SELECT clock_timestamp()")
    return datetime.fromisoformat(str(cursor.fetchone()[0])).astimezone(UTC)


def _clock(now: datetime) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        apart = abs((_database_clock(cursor) - clock.now()).total_seconds())
    if apart > 2:
        advice = "Run a time service (chrony, systemd-timesyncd) on both machines."
        yield Finding("clock", BAD, f"This machine and the database are {apart:.0f} s apart.", advice)
    else:
        yield Finding("clock", GOOD, "This machine and the database agree on the time.")


def _engine(now: datetime) -> Iterator[Finding]:
    if not _has_tables():
        return
    alive = [pulse for pulse in jobs.pulses() if is_alive(pulse.beat_at, now=now)]
    if not alive:
        yield Finding("engine", BAD, "No engine runs: no notice is sent.", "Start allswell serve, or allswell engine.")
        return
    failing = [pulse for pulse in alive if pulse.error]
    for pulse in failing:
        yield Finding("engine", BAD, f"{pulse.module} on {pulse.node}: {pulse.error}", "The log of that process says more.")
    if not failing:
        nodes = len({pulse.node for pulse in alive})
        yield Finding("engine", GOOD, f"{len(alive)} modules beat on {nodes} node{'s' if nodes > 1 else ''}.")


def _watchers(now: datetime) -> Iterator[Finding]:
    """Who watches this installation from another machine, as far as they show themselves."""
    if not _has_tables():
        return
    for watcher in jobs.watchers():
        ago = int((now - watcher.seen_at).total_seconds())
        if now - watcher.seen_at > WATCHER_MISSED_AFTER:
            yield Finding("watcher", BAD, f"{watcher.name} was not seen for {ago} s.", "Is allswell watch running there?")
        else:
            yield Finding("watcher", GOOD, f"{watcher.name} looked {ago} s ago.")


def _alarms(now: datetime) -> Iterator[Finding]:
    """Warnings and breaches of clocks that nobody was told of in time."""
    if not _has_tables():
        return
    overdue = alarms.overdue(before=now - _ALARMS_LATE)
    if overdue.oldest_at is None:
        yield Finding("alarms", GOOD, "Warnings and breaches of clocks are told in time.")
        return
    count = f"{alarms.CAP}+" if overdue.count >= alarms.CAP else str(overdue.count)
    late = int((now - overdue.oldest_at).total_seconds())
    found = f"{count} warnings and breaches of clocks wait to be told, the oldest for {late} s."
    yield Finding("alarms", BAD, found, "Is the engine running?")


def _has_tables() -> bool:
    return not schema.look().pending


def _outbox(now: datetime) -> Iterator[Finding]:
    if not _has_tables():
        return
    for channel in ("email", "webhook"):
        queue = notifications.queue(channel, now=now)
        if queue.failing_since:
            since = f"{queue.failing_since:%Y-%m-%d %H:%M} UTC"
            found = (
                f"{channel}: nothing gets through since {since} ({queue.last_error or 'no reason given'}); {queue.pending} wait."
            )
            yield Finding("outbox", BAD, found, "Nothing is lost: it is tried again. Check the server it goes to.")
        elif queue.oldest_due_at and (now - queue.oldest_due_at).total_seconds() > 300:
            yield Finding("outbox", BAD, f"{channel}: {queue.pending} wait, the oldest over 5 minutes.", "Is the engine running?")
        else:
            lost = f", {queue.failed_lately} given up in 24 h" if queue.failed_lately else ""
            yield Finding("outbox", NOTE if lost else GOOD, f"{channel}: {queue.pending} wait{lost}.")


def _carriers() -> Iterator[Finding]:
    """Who sends the text messages and makes the calls of pages, and whether the way there is open."""
    named = (("text messages", "ALLSWELL_SMS_URL", carriers.sms()), ("calls", "ALLSWELL_VOICE_URL", carriers.voice()))
    for what, setting, carrier in named:
        if carrier is None:
            yield Finding(
                "paging", NOTE, f"No carrier of {what} is set: pages do not go that way.", f"Set {setting}, if they should."
            )
            continue
        parts = urlsplit(carrier.url)
        where = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        shown = f"{where[0]}:{where[1]}"
        if is_inside(carrier.url, allowed=settings.OUTGOING_ALLOW):
            found = f"{shown}, for {what}, is inside a private network: it is not called."
            yield Finding("paging", BAD, found, f"Add {where[0]} to ALLSWELL_OUTGOING_ALLOW.")
            continue
        try:
            socket.create_connection(where, timeout=5).close()
        except OSError as error:
            found = f"{shown}, for {what}, does not answer: {type(error).__name__}"
            yield Finding("paging", BAD, found, f"Check {setting} and the firewall.")
        else:
            yield Finding("paging", GOOD, f"{shown} answers, for {what}.")


def _mail() -> Iterator[Finding]:
    if not settings.SMTP_URL:
        yield Finding("mail", NOTE, "No mail server is set: mails wait.", "Set ALLSWELL_SMTP_URL and ALLSWELL_MAIL_FROM.")
        return
    if not settings.MAIL_FROM:
        yield Finding("mail", BAD, "No sender is set.", "Set ALLSWELL_MAIL_FROM, such as 'Service desk <desk@example.org>'.")
    parts = urlsplit(settings.SMTP_URL)
    where = f"{parts.hostname}:{parts.port or 587}"
    try:
        said = _knock(parts)
    except (OSError, smtplib.SMTPException) as error:
        yield Finding(
            "mail", BAD, f"{where} does not answer: {type(error).__name__}", "Check ALLSWELL_SMTP_URL and the firewall."
        )
        return
    yield Finding("mail", (said and BAD) or GOOD, said or f"{where} answers.", "Check its certificate." if said else "")


def _knock(parts: Any) -> str:
    """Greet the mail server; "" when it takes us, else what is wrong. Sends no mail and no password."""
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        with smtplib.SMTP_SSL(parts.hostname, parts.port or 465, timeout=10, context=context) as server:
            server.ehlo()
        return ""
    with smtplib.SMTP(parts.hostname, parts.port or 587, timeout=10) as server:
        server.ehlo()
        if parts.scheme == "smtp":
            if not server.has_extn("starttls"):
                return "The server offers no STARTTLS; smtp+plain:// would send in the clear."
            server.starttls(context=context)
    return ""


def _disk() -> Iterator[Finding]:
    if not settings.DATA_DIR.exists():
        yield Finding("disk", BAD, f"{settings.DATA_DIR} does not exist.", "Run allswell setup, or set ALLSWELL_DATA_DIR.")
        return
    usage = shutil.disk_usage(settings.DATA_DIR)
    share, free = usage.free / usage.total, usage.free / 1e9
    state = BAD if free < 1 or share < 0.02 else NOTE if share < 0.1 else GOOD
    advice = "Free some space, or move ALLSWELL_DATA_DIR." if state != GOOD else ""
    yield Finding("disk", state, f"{free:.1f} GB free for {settings.DATA_DIR}.", advice)


def _secrets() -> Iterator[Finding]:
    path = settings.DATA_DIR / "secret.key"
    if path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            yield Finding("secrets", BAD, f"Others may read {path} ({mode:o}).", f"chmod 600 {path}")
    if len(settings.SECRET_KEY) < 32 or len(set(settings.SECRET_KEY)) < 10:
        yield Finding(
            "secrets",
            BAD,
            "The secret key is weak.",
            "Set one of 50 random characters; the old one goes to ALLSWELL_OLD_SECRET_KEYS.",
        )
        return
    folder = stat.S_IMODE(settings.DATA_DIR.stat().st_mode) if settings.DATA_DIR.exists() else 0
    if folder & 0o007:
        yield Finding(
            "secrets", NOTE, f"Everybody on this machine may look into {settings.DATA_DIR}.", f"chmod 750 {settings.DATA_DIR}"
        )
    else:
        yield Finding("secrets", GOOD, "The secret key is strong and kept to its owner.")


def _address() -> Iterator[Finding]:
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        advice = "Put a reverse proxy with TLS in front and set ALLSWELL_URL to its https:// address."
        yield Finding("address", BAD, f"{settings.PUBLIC_URL} is not encrypted: passwords can be read on the way.", advice)
    elif parts.scheme == "https" and not settings.TRUSTED_PROXIES:
        advice = "Set ALLSWELL_TRUSTED_PROXIES to the proxy's address, or every caller seems to come from it."
        yield Finding("address", NOTE, "No proxy is trusted, although the address is https.", advice)
    else:
        yield Finding("address", GOOD, settings.PUBLIC_URL)
    if settings.LISTEN_HOST not in _LOCAL and not settings.METRICS_TOKEN:
        yield Finding(
            "address", NOTE, "/metrics is open to this machine only.", "Set ALLSWELL_METRICS_TOKEN to read it from elsewhere."
        )
