"""How the watcher tells somebody: one word put into sentences, and sent every way its settings name.

A private address is called: the operator wrote it down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.utils import translation
from django.utils.translation import gettext as _

from allswell.notifications import addresses, gsm
from allswell.notifications.blind_wording import length
from allswell.notifications.carriers import BadCarrier, Carrier
from allswell.notifications.channels import smtp
from allswell.notifications.channels.guarded_http import Allowed
from allswell.notifications.channels.registry import CHANNELS
from allswell.notifications.instants import when
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Outcome

Told = dict[str, str]
#: kind of way -> the setting that names where it goes
_KINDS = {"email": "MAIL_TO", "ntfy": "NTFY", "webhook": "WEBHOOK", "sms": "SMS_TO"}


def ways(told: Told) -> list[tuple[str, str]]:
    """(kind, address) of every way the settings name."""
    found = []
    for kind, name in _KINDS.items():
        one_by_one = [told[name]] if kind == "webhook" else told[name].replace(",", " ").split()
        found += [(kind, address) for address in one_by_one if address]
    return found


def wrong(told: Told) -> Iterator[str]:
    """What in the settings cannot work, in a sentence each that holds no secret."""
    if not ways(told):
        yield "Nothing says how to page: set ALLSWELL_WATCH_MAIL_TO, _NTFY, _WEBHOOK or _SMS_TO."
    if told["LANGUAGE"] not in ("en", "de"):
        yield "ALLSWELL_WATCH_LANGUAGE must be en or de."
    for kind, address in ways(told):
        try:
            _check(kind, address, told)
        except (addresses.BadAddress, BadCarrier, smtp.BadAddress):
            yield f"ALLSWELL_WATCH_{_KINDS[kind]}, or what it needs, is not written as docs/operate/paging.md says."


def _check(kind: str, address: str, told: Told) -> None:
    if kind == "ntfy":
        addresses.ntfy(address)
    elif kind == "webhook":
        addresses.webhook(address)
    elif kind == "sms":
        Carrier.parse(told["SMS_URL"])
        if not (address.startswith("+") and address[1:].isdigit()):
            raise addresses.BadAddress("no number")
    else:
        smtp.Server.parse(told["SMTP_URL"])
        if "@" not in parseaddr(told["MAIL_FROM"])[1] or "@" not in address:
            raise addresses.BadAddress("no address")


def message(word: dict[str, Any], told: Told, *, url: str) -> PageMessage:
    """What is said, in the watcher's language."""
    zone, locale = told["TIME_ZONE"], told["LANGUAGE"]
    since, until = (datetime.fromtimestamp(word[name], UTC) for name in ("since", "until"))
    names = {
        "url": url,
        "name": told["NAME"],
        "length": length(max(0, round(word["until"] - word["since"]))),
        "since": when(since, locale=locale, zone=zone),
        "until": when(until, locale=locale, zone=zone),
    }
    with translation.override(locale):
        if word["kind"] == "silent":
            headline = _("Allswell is silent: %(url)s") % names
            lines = [
                _("Nothing is watching there since %(since)s (%(length)s).") % names,
                word["why"],
                _("It pages nobody while that is so. Please look at it now."),
            ]
        elif word["kind"] == "well":
            headline = _("Allswell is well again: %(url)s") % names
            lines = [_("Nothing was watching from %(since)s until %(until)s (%(length)s).") % names]
        else:
            headline = _("Test: the watcher of %(url)s reaches you") % names
            lines = [_("Nothing has happened.")]
        lines.append(_("From the watcher %(name)s.") % names)
    short = gsm.one_message(headline, lines[0], "")
    return PageMessage(
        key=str(word["key"]),
        reference="",
        number=0,
        headline=headline,
        text="\n".join(line for line in lines if line),
        short=short.strip(),
        spoken=headline,
        link=url,
        urgency="normal" if word["kind"] == "well" else "urgent",
        locale=locale,
        is_drill=word["kind"] == "test",
    )


def deliver(message: PageMessage, told: Told, *, now: Callable[[], datetime]) -> Iterator[tuple[str, str]]:
    """Send it every way; (kind, "" or why it did not go)."""
    for kind, address in ways(told):
        try:
            yield kind, _mail(message, address, told, at=now()) if kind == "email" else _page(kind, message, address, told, now)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong on one way, the others are tried
            yield kind, type(error).__name__


def _page(kind: str, message: PageMessage, address: str, told: Told, now: Callable[[], datetime]) -> str:
    carried = told["SMS_URL"].removeprefix("twilio+") if kind == "sms" else address.partition(" ")[0]
    own = Allowed(hosts=frozenset({(urlsplit(carried).hostname or "").rstrip(".")}))
    answer = CHANNELS[kind](message, Way(kind, address), allowed=own, started_at=now(), now=now)
    return "" if answer.outcome is Outcome.SENT else answer.detail or "It was not taken."


def _mail(message: PageMessage, address: str, told: Told, *, at: datetime) -> str:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = told["MAIL_FROM"], address, message.headline
    mail["Date"], mail["Auto-Submitted"] = format_datetime(at), "auto-generated"
    mail["Message-ID"] = f"<{message.key}@{parseaddr(told['MAIL_FROM'])[1].rpartition('@')[2]}>"
    mail["X-Priority"], mail["Importance"] = "1", "high"
    mail.set_content(f"{message.text}\n\n{message.link}\n")
    try:
        with smtp.Connection(smtp.Server.parse(told["SMTP_URL"])) as connection:
            connection.send(mail)
    except (smtp.ServerDown, smtp.NotTaken, smtp.Unsure) as error:
        return str(error) or type(error).__name__
    return ""
