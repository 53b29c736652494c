"""What the engine writes while it fetches mail: how far it came, what it left there, and what went wrong."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk.door import use_case
from allswell.desk.sealing import seal
from allswell.intake.operations import mail as writing
from allswell.intake.operations import mailboxes as noting
from allswell.intake.parsers.mail.limits import TooMuch
from allswell.intake.parsers.mail.message import parse
from allswell.intake.queries import mailboxes as queries
from allswell.intake.servers.signing_in import Box
from allswell.intake.servers.trouble import Trouble
from allswell.kernel import text
from allswell.kernel.actor import Actor

from .mailboxes import opened_secrets

if TYPE_CHECKING:
    from allswell.intake.models import Mailbox


@dataclass(frozen=True, slots=True)
class Post:
    """A mailbox that is fetched from, as it was set up when it was read. `mark` changes when any of that does."""

    mailbox: int
    name: str
    mark: str
    takes_all: bool
    created_at: datetime
    uid_validity: int | None
    last_uid: int
    box: Box | None = field(repr=False)
    trouble: Trouble | None = None


def posts() -> list[Post]:
    """Every mailbox in use that is fetched from."""
    return [_post(row) for row in queries.fetched()]


def post(mailbox: int) -> Post | None:
    """One of them, as it is now; None when it is no longer in use."""
    return next((one for one in posts() if one.mailbox == mailbox), None)


def _post(row: Mailbox) -> Post:
    said = json.dumps([row.kind, row.connection, row.secret], sort_keys=True)
    box, trouble = None, None
    try:
        box = Box.of(row.connection, opened_secrets(row))
    except Trouble as error:
        trouble = error
    return Post(
        mailbox=row.pk,
        name=row.name,
        mark=hashlib.sha256(said.encode()).hexdigest(),
        takes_all=bool(row.connection.get("takes_all")),
        created_at=row.created_at,
        uid_validity=row.uid_validity,
        last_uid=row.last_uid,
        box=box,
        trouble=trouble,
    )


@use_case
def keep_fetched(raw: bytes, *, mailbox: int, actor: Actor, now: datetime) -> int | None:
    """Keep a mail that was fetched, word for word. Its number, or None when it came before."""
    found = writing.keep(raw, mailbox=mailbox, now=now)
    if found is None:
        return None
    noting.note_mail(mailbox, now=now)
    return found.pk


@use_case
def leave_there(head: bytes, *, size: int, place: str, mailbox: int, actor: Actor, now: datetime) -> bool:
    """A mail is too large: it stays in its folder, and the set-up shows it. False when that was known."""
    said: dict[str, str] = {}
    try:
        read = parse(head)
        said = {
            "subject": text.clean(read.subject)[:250],
            "message_id": text.clean(read.message_id)[:250],
            "sender": text.clean(read.from_.address if read.from_ else "").lower()[:254],
            "sender_name": text.clean(read.from_.name if read.from_ else "")[:120],
        }
    except TooMuch:
        pass
    mark = hashlib.sha256(place.encode() + b"\0" + head).hexdigest()
    return noting.note_left_there(mailbox, digest=mark, size=size, detail="", now=now, **said)


@use_case
def go_to(mailbox: int, *, uid_validity: int, uid: int, actor: Actor, now: datetime) -> None:
    """Mails up to this number of this numbering are done."""
    noting.go_to(mailbox, uid_validity=uid_validity, uid=uid)


@use_case
def note_look(mailbox: int, *, actor: Actor, now: datetime) -> None:
    """Its server answered as it should."""
    noting.note_look(mailbox, now=now)


@use_case
def note_trouble(mailbox: int, why: str, *, actor: Actor, now: datetime) -> None:
    """Mail cannot be fetched from there."""
    noting.note_trouble(mailbox, text.clean(why), now=now)


@use_case
def keep_refresh_token(mailbox: int, token: str, *, mark: str, actor: Actor, now: datetime) -> str:
    """The place that gives tokens replaced the refresh token. The mailbox's mark from now on; nothing when it was changed meanwhile."""
    row = next((one for one in queries.fetched() if one.pk == mailbox), None)
    if row is None or _post(row).mark != mark:
        return ""
    noting.change(row, secret=seal(json.dumps({**opened_secrets(row), "refresh_token": token}, sort_keys=True)))
    return _post(row).mark
