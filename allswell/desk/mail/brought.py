"""Mail that others bring: by a program, a listener or a request. Once it is kept, they are told so."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.desk.door import use_case
from allswell.desk.mail.mailboxes import opened_secrets
from allswell.intake.operations import mail as writing
from allswell.intake.operations import mailboxes as noting
from allswell.intake.parsers.mail.limits import TooMuch
from allswell.intake.parsers.mail.message import parse
from allswell.intake.parsers.mail.references import plain_address
from allswell.intake.queries import mailboxes as queries
from allswell.intake.rules.mailboxes import MailboxKind
from allswell.kernel import text
from allswell.kernel.actor import Actor

if TYPE_CHECKING:
    from allswell.intake.models import Mailbox

#: how long an address may be (RFC 5321 section 4.5.3.1.3), and how many of them are kept
_ADDRESS, _ADDRESSES = 254, 100
#: how far the clock of who signs may be off; what is older may be a repetition
SIGNED_FOR = timedelta(minutes=5)
#: of a mail whose place only its head says
_HEAD = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox that takes what is brought. `signing` is what its sender signs with, "" when it does not."""

    mailbox: int
    address: str
    is_active: bool = True
    signing: str = field(default="", repr=False)


def _place(row: Mailbox) -> Place:
    return Place(row.pk, row.address, row.is_active)


def places(addresses: Iterable[str]) -> dict[str, Place]:
    """Address as it was said -> the mailbox that a mail server brings its mail to. What follows a plus sign is the mailbox's own."""
    said = {one: plain_address(one) for one in addresses}
    found = queries.at(said.values(), kinds=[MailboxKind.LISTENER])
    return {one: _place(found[plain]) for one, plain in said.items() if plain in found}


def place_of(addresses: Sequence[str], *, raw: bytes, is_said: bool) -> Place | None:
    """The mailbox a mail came to whose server runs us: `addresses` say, else its head, else there is only one. None when none does.

    `is_said`: who runs us named the mailbox, and no other one will do.
    """
    kinds = () if is_said else (MailboxKind.PIPE,)
    known = queries.at([plain_address(one) for one in addresses], kinds=kinds)
    for one in addresses:
        if (row := known.get(plain_address(one))) is not None:
            return _place(row)
    if is_said:
        return None
    told = _recipients(raw)
    known = queries.at([plain_address(one) for one in told], kinds=kinds)
    for one in told:
        if (row := known.get(plain_address(one))) is not None:
            return _place(row)
    only = queries.only_one(MailboxKind.PIPE)
    return None if only is None else _place(only)


def _recipients(raw: bytes) -> list[str]:
    """The addresses that a mail's head names, those of servers first."""
    end = min((at for at in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if at >= 0), default=len(raw))
    try:
        read = parse(raw[: min(end, _HEAD)] + b"\r\n\r\n")
    except TooMuch:
        return []
    return [*read.recipients, *(one.address for one in (*read.to, *read.cc))]


def posted_to(key: str) -> Place | None:
    """The mailbox to which a provider posts with this key; None for a key nobody has."""
    row = queries.by_key(hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()) if key else None
    if row is None or row.kind != MailboxKind.HTTP:
        return None
    return Place(row.pk, row.address, row.is_active, opened_secrets(row).get("signing", ""))


def is_signed(raw: bytes, *, secret: str, at: str, signature: str, now: datetime) -> bool:
    """Whether `signature` is the HMAC-SHA256, hexadecimal, of the seconds `at`, a dot and the mail, and `at` is about now."""
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or not signature.isascii():
        return False
    if abs(now.timestamp() - int(at)) > SIGNED_FOR.total_seconds():
        return False
    mac = hmac.new(secret.encode(), at.encode() + b".", hashlib.sha256)
    mac.update(raw)
    return hmac.compare_digest(mac.hexdigest(), signature.lower().removeprefix("sha256="))


def _kept(address: str) -> str:
    return text.clean(address).strip().lower()[:_ADDRESS]


@use_case
def keep(
    raw: bytes,
    *,
    mailbox: int,
    envelope_from: str | None = None,
    envelope_to: Sequence[str] = (),
    actor: Actor,
    now: datetime,
) -> int | None:
    """Keep a mail word for word; the engine reads it. Its number, or None when it came before.

    `envelope_from` is "" for the null path of programs, None when nobody knows it. The caller bounds the size.
    """
    sent_by = None if envelope_from is None else _kept(envelope_from)
    sent_to = [_kept(one) for one in envelope_to[:_ADDRESSES]]
    found = writing.keep(raw, mailbox=mailbox, envelope_from=sent_by, envelope_to=sent_to, now=now)
    if found is None:
        return None
    noting.note_mail(mailbox, now=now)
    return found.pk


@use_case
def keep_for_all(
    raw: bytes,
    *,
    places: Sequence[tuple[int, str]],
    envelope_from: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep a mail that a server brings for several recipients (mailbox, address), in one transaction: for all of them or for none."""
    together: dict[int, list[str]] = {}
    for mailbox, address in places:
        together.setdefault(mailbox, []).append(_kept(address))
    for mailbox, addresses in together.items():
        found = writing.keep(
            raw, mailbox=mailbox, envelope_from=_kept(envelope_from), envelope_to=addresses[:_ADDRESSES], now=now
        )
        if found is not None:
            noting.note_mail(mailbox, now=now)
