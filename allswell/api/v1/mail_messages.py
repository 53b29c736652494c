"""Mail that came in: what became of it and why, and what a person decides about mail that waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk.mail import deciding, wording
from allswell.desk.mail import looking as desk
from allswell.kernel.text import clean
from allswell.tickets import queries as tickets

from .mail_rules import SCOPE, TAG

State = Literal["pending", "taken", "ignored", "held", "refused", "quarantined", "deleted"]


class MailMessage(Struct):
    """A mail that came in. `reason` is a word that says why it is held, ignored or in quarantine; `ticket` is null where the caller does
    not see it."""

    id: int
    mailbox: int | None
    state: State
    reason: str
    detail: str
    received_at: datetime
    handled_at: datetime | None
    attempts: int
    size: int
    message_id: str
    sender: str
    sender_name: str
    subject: str
    mail_kind: str
    person: int | None
    ticket: int | None


class MailMessageInFull(MailMessage):
    """A mail with the way it went: `why` says step by step, in English, why it became what it became and how far its sender is proven."""

    why: list[str]


def _values(row: Any, seen: set[int]) -> dict[str, Any]:
    values = {
        name: getattr(row, name) for name in MailMessage.__struct_fields__ if name not in ("id", "mailbox", "person", "ticket")
    }
    ticket = row.ticket_id if row.ticket_id in seen else None
    return {"id": row.pk, "mailbox": row.mailbox_id, "person": row.person_id, "ticket": ticket, **values}


def _seen(call: Call, rows: Sequence[Any]) -> set[int]:
    numbers = {row.ticket_id for row in rows if row.ticket_id is not None}
    return set(tickets.visible_to(call.actor).filter(pk__in=numbers).values_list("pk", flat=True)) if numbers else set()


class MailFilter(Paged):
    """Which mails."""

    state: State | UnsetType = UNSET
    mailbox: Id | UnsetType = UNSET
    sender: Annotated[str, Meta(max_length=254, description="The address, whole.")] | UnsetType = UNSET


@operation(
    "GET",
    "/mail-messages",
    id="listMailMessages",
    summary="Mail that came in and what became of it, newest first",
    tag=TAG,
    scope=SCOPE,
    query=MailFilter,
    answer=Page[MailMessage],
)
def list_messages(call: Call) -> Page[MailMessage]:
    query: MailFilter = call.query
    rows = desk.messages(call.actor).defer("folded", "trail", "authentication")
    if query.state is not UNSET:
        rows = rows.filter(state=query.state)
    if query.mailbox is not UNSET:
        rows = rows.filter(mailbox=query.mailbox)
    if query.sender is not UNSET:
        rows = rows.filter(sender=clean(query.sender).strip().lower())
    return page(call, rows, lambda found: _listed(call, found))


def _listed(call: Call, rows: Sequence[Any]) -> list[MailMessage]:
    seen = _seen(call, rows)
    return [MailMessage(**_values(row, seen)) for row in rows]


@operation(
    "GET",
    "/mail-messages/{id}",
    id="getMailMessage",
    summary="One mail that came in, and why it became what it became",
    tag=TAG,
    scope=SCOPE,
    answer=MailMessageInFull,
)
def get(call: Call) -> MailMessageInFull:
    row = desk.one(call.path["id"], actor=call.actor)
    said = [*wording.why(row.trail), wording.proof(row.authentication)]
    return MailMessageInFull(**_values(row, _seen(call, [row])), why=[words for words in said if words])


@operation(
    "GET",
    "/mail-messages/{id}/source",
    id="downloadMailMessage",
    summary="A mail word for word, always as a download",
    tag=TAG,
    scope=SCOPE,
    is_download=True,
)
def download(call: Call) -> Any:
    response = HttpResponse(desk.word_for_word(call.path["id"], actor=call.actor), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{call.path["id"]}.eml"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


class MailRelease(Body):
    """As whose letter it is taken; without a `person` as that of whom it names."""

    person: Id | None = None


@operation(
    "POST",
    "/mail-messages/{id}/release",
    id="releaseMailMessage",
    summary="Take a mail after all that is held or was refused; the engine does it in a moment",
    tag=TAG,
    scope=SCOPE,
    body=MailRelease,
    answer=MailMessageInFull,
    present=lambda call, row: get(call),
)
def release(call: Call) -> Any:
    return deciding.release(call.path["id"], person=call.body.person, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/mail-messages/{id}/try_again",
    id="tryMailMessageAgain",
    summary="Read a mail that nothing came of as if it had just come; the engine does it in a moment",
    tag=TAG,
    scope=SCOPE,
    answer=MailMessageInFull,
    present=lambda call, row: get(call),
)
def try_again(call: Call) -> Any:
    return desk.try_again(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/mail-messages/{id}/forget",
    id="forgetMailMessage",
    summary="Throw away the words of a mail that is held or in quarantine; that it came stays known",
    tag=TAG,
    scope=SCOPE,
    answer=MailMessageInFull,
    present=lambda call, row: get(call),
)
def forget(call: Call) -> Any:
    return desk.delete(call.path["id"], actor=call.actor, now=call.now)
