"""The mail of Northbank's service desk: one letter that became a ticket and its answers, and what a person has to look at."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from allswell.desk import tickets as desk
from allswell.desk.mail import keeping, mailboxes, ours, reading, taking
from allswell.intake.queries import mail as queries
from allswell.kernel import actor as actors
from allswell.kernel.actor import Actor, Channel
from allswell.people import queries as people
from allswell.tickets.rules import Kind, reference

from .company import Company, address

#: tickets that come of it
TICKETS = 1
SUPPORT = "support@northbank.example"
_SERVER = "mx.northbank.example"
_WRITER, _AGENT, _GONE = "Tara Singh", "Julia Roth", "Stefan Bauer"
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_ASKS = (
    "Good morning,\n\nsince this morning the printer next to the mortgage desk prints everything twice, whatever I choose."
    " Could somebody have a look before the contracts at two?\n\nKind regards\nTara Singh"
)
_ANSWERS = "Page two is on, I can see it in the settings, but I cannot change it: it is gray.\n\nTara"
_OFFER = "Dear Sir or Madam,\n\nour toner costs half. May we send an offer for all of your branches?\n\nMax Sell"


def run(company: Company, *, actor: Actor, begin: datetime, now: datetime) -> None:
    """Set the mailbox up and let its mails come, each at its instant."""
    box, _no_key = mailboxes.create(
        name="Service desk",
        address=SUPPORT,
        kind="pipe",
        authserv=_SERVER,
        unknown_senders="hold",
        team=company.teams["Service desk"],
        actor=actor,
        now=begin,
    )
    opened, asked = now - 27 * _HOUR, now - 26 * _HOUR
    _comes(box.pk, _letter(_WRITER, "Printer prints everything twice", _ASKS, opened), opened)
    ticket = queries.messages().exclude(ticket=None).latest("pk").ticket
    assert ticket is not None
    agent = people.actor_for(company.people[_AGENT], channel=Channel.DESK)
    desk.take(ticket.pk, actor=agent, now=asked - 20 * _MINUTE)
    words = "Good morning Tara, is “two pages” chosen in the settings of the printer?"
    desk.reply(ticket.pk, body=words, then_waits=True, actor=agent, now=asked)
    number = reference(Kind(ticket.kind), ticket.pk)
    answered = _letter(_WRITER, f"Re: [{number}] Printer prints everything twice", _ANSWERS, now - 25 * _HOUR)
    _comes(box.pk, answered, now - 25 * _HOUR)
    _comes(box.pk, _bounce(ticket.pk, company.people[_GONE].pk, now - 24 * _HOUR), now - 24 * _HOUR, sent_by="")
    _comes(box.pk, _broken(now - 30 * _HOUR), now - 23 * _HOUR)
    _comes(
        box.pk,
        _letter("Max Sell", "Toner at half the price", _OFFER, now - 3 * _HOUR, by="max@cheap-toner.example"),
        now - 3 * _HOUR,
    )


def _comes(mailbox: int, raw: bytes, at: datetime, *, sent_by: str | None = None) -> None:
    """A mail server hands a mail over, and it is read at once."""
    engine = actors.engine()
    number = keeping.keep(raw, mailbox=mailbox, envelope_from=sent_by, envelope_to=[SUPPORT], actor=engine, now=at)
    message = queries.pending(number) if number is not None else None
    if message is not None:
        taking.take(reading.read(message, ours.own()), actor=engine, now=at)


def _head(sender: str, subject: str, at: datetime, unique: str, **more: Any) -> list[str]:
    return [
        f"Received: from out.example by {_SERVER}; {format_datetime(at)}",
        f"From: {sender}",
        f"To: Service desk <{SUPPORT}>",
        f"Subject: {subject}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: <{unique}>",
        "MIME-Version: 1.0",
        *(f"{name.replace('_', '-')}: {value}" for name, value in more.items()),
    ]


def _letter(name: str, subject: str, text: str, at: datetime, *, by: str = "") -> bytes:
    """What a person writes; the mail server of the house checked that it is they. A colleague reads along."""
    sender = by or address(name)
    domain = sender.rpartition("@")[2]
    checked = f"Authentication-Results: {_SERVER}; dmarc=pass header.from={domain}"
    head = _head(f"{name} <{sender}>", subject, at, f"{at.timestamp():.0f}.{name.replace(' ', '.').lower()}@{domain}")
    copy = [] if by else [f"Cc: {_GONE} <{address(_GONE)}>"]
    return "\n".join([checked, *head, *copy, "Content-Type: text/plain; charset=utf-8", "", text, ""]).encode()


def _bounce(ticket: int, person: int, at: datetime) -> bytes:
    """The house's mail server cannot deliver a mail about a ticket: its reader left."""
    recipient = address(_GONE)
    report = [
        "--=b",
        "Content-Type: text/plain",
        "",
        f"Your message to {recipient} was not delivered.",
        "--=b",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {_SERVER}",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 No such mailbox",
        "--=b",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: <{ours.message_id(ticket, f'demo.{person}.email')}>",
        "--=b--",
        "",
    ]
    kind = 'multipart/report; report-type=delivery-status; boundary="=b"'
    unique = f"{at.timestamp():.0f}@{_SERVER}"
    head = _head(f"MAILER-DAEMON@{_SERVER}", "Undelivered Mail Returned to Sender", at, unique, Content_Type=kind)
    return "\n".join([*head, "", *report]).encode()


def _broken(at: datetime) -> bytes:
    """A scanner that was set up wrong sends each line of a page as a part of its own: more than anybody reads."""
    kind, unique = "multipart/mixed; boundary=s", f"{at.timestamp():.0f}@scanner-3"
    head = _head("Scanner <scanner-3@northbank.example>", "Scan", at, unique, Content_Type=kind)
    parts = "".join(f"--s\nContent-Type: text/plain\n\nline {number}\n" for number in range(1, 260))
    return ("\n".join(head) + "\n\n" + parts + "--s--\n").encode()
