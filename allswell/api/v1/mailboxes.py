"""Mailboxes: where mail comes in, how it gets from there to us, and what becomes of it unless a rule says otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, convert, to_builtins

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk.mail import mailboxes as desk

from .mail_rules import SCOPE, TAG, Name

Address = Annotated[str, Meta(min_length=3, max_length=254)]
Server = Annotated[
    str, Meta(max_length=253, description="As it names itself in Authentication-Results; empty: nobody is proven.")
]
Hops = Annotated[int, Meta(ge=1, le=20)]
Said = Annotated[str, Meta(max_length=300)]
Secret = Annotated[str, Meta(max_length=8000)]
Unknown = Literal["create", "hold", "refuse"]
TicketKind = Literal["incident", "request"]
#: what the use case takes for "none"
_NONE: dict[str, Any] = {"organization": 0, "service": "", "team": 0}


class MailboxConnection(Body, omit_defaults=False):
    """How mail is fetched by IMAP; of no use for the other kinds. `takes_all`: what was read elsewhere is taken, too."""

    host: Said = ""
    port: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    security: Literal["tls", "starttls"] = "tls"
    user: Said = ""
    folder: Said = "INBOX"
    done_folder: Said = ""
    takes_all: bool = False
    login: Literal["password", "oauth"] = "password"
    token_url: Said = ""
    client_id: Said = ""
    scope: Said = ""


class MailboxConnectionChange(Body):
    """What to change of it; what is left out stays. With another host, user or way to sign in, its secret has to be sent again."""

    host: Said | UnsetType = UNSET
    port: Annotated[int, Meta(ge=1, le=65_535)] | UnsetType | None = UNSET
    security: Literal["tls", "starttls"] | UnsetType = UNSET
    user: Said | UnsetType = UNSET
    folder: Said | UnsetType = UNSET
    done_folder: Said | UnsetType = UNSET
    takes_all: bool | UnsetType = UNSET
    login: Literal["password", "oauth"] | UnsetType = UNSET
    token_url: Said | UnsetType = UNSET
    client_id: Said | UnsetType = UNSET
    scope: Said | UnsetType = UNSET


class MailboxSecret(Body):
    """What is kept sealed and never told again: a password or an OAuth 2.0 refresh token for IMAP, what a provider signs with for HTTP."""

    password: Secret = ""
    refresh_token: Secret = ""
    client_secret: Secret = ""
    signing: Secret = ""


class Mailbox(Struct):
    """An address at which mail is taken. `last_error` says why it fails since `failing_since`: a word, and what the server said.

    Of a key only the last characters are shown, of other secrets only whether there is one.
    """

    noted: ClassVar[frozenset[str]] = frozenset({"looked_at", "last_seen_at", "failing_since", "last_error", "key"})

    id: int
    name: str
    address: str
    kind: Literal["imap", "listener", "pipe", "http"]
    connection: MailboxConnection | None
    has_secret: bool
    key_hint: str
    authserv: str
    hops: int
    unknown_senders: Unknown
    organization: int | None
    service: int | None
    team: int | None
    ticket_kind: TicketKind
    is_active: bool
    created_at: datetime
    looked_at: datetime | None
    last_seen_at: datetime | None
    failing_since: datetime | None
    last_error: str


class NewMailboxAnswer(Mailbox):
    """A mailbox; one that is posted with its key, shown this once (null for the others, and when the call is repeated)."""

    key: str | None = None


class MailboxKey(Struct):
    """A new key, shown this once (null when the call is repeated). The former serves no more."""

    key: str | None


class MailboxTrial(Struct):
    """How signing in went: `problem` is empty when all is well, then `messages` lie in the folder; `said` is what the server said."""

    problem: str
    said: str
    messages: int


def _make(row: Any, shape: type[Any] = Mailbox) -> Any:
    return shape(
        id=row.pk,
        name=row.name,
        address=row.address,
        kind=row.kind,
        connection=convert(row.connection, MailboxConnection) if row.connection else None,
        has_secret=bool(row.secret),
        key_hint=row.key_hint,
        authserv=row.authserv,
        hops=row.hops,
        unknown_senders=row.unknown_senders,
        organization=row.organization_id,
        service=row.service_id,
        team=row.team_id,
        ticket_kind=row.ticket_kind,
        is_active=row.is_active,
        created_at=row.created_at,
        looked_at=row.looked_at,
        last_seen_at=row.last_seen_at,
        failing_since=row.failing_since,
        last_error=row.last_error,
    )


@operation(
    "GET",
    "/mailboxes",
    id="listMailboxes",
    summary="All mailboxes and how each stands, newest first",
    tag=TAG,
    scope=SCOPE,
    query=Paged,
    answer=Page[Mailbox],
)
def list_mailboxes(call: Call) -> Page[Mailbox]:
    return page(call, desk.all_mailboxes(call.actor), lambda rows: [_make(row) for row in rows])


@operation("GET", "/mailboxes/{id}", id="getMailbox", summary="One mailbox", tag=TAG, scope=SCOPE, answer=Mailbox)
def get(call: Call) -> Mailbox:
    made: Mailbox = _make(desk.one(call.path["id"], actor=call.actor))
    return made


class NewMailbox(Body):
    """Where mail comes in. New tickets get `service`, `team` and `ticket_kind` unless a rule says otherwise, new people `organization`."""

    name: Name
    address: Address
    kind: Literal["imap", "listener", "pipe", "http"]
    connection: MailboxConnection | None = None
    secret: MailboxSecret | None = None
    authserv: Server = ""
    hops: Hops = 2
    unknown_senders: Unknown = "create"
    organization: Id | None = None
    service: Id | None = None
    team: Id | None = None
    ticket_kind: TicketKind = "incident"


@operation(
    "POST",
    "/mailboxes",
    id="createMailbox",
    summary="Take mail at an address; the key of one that is posted is shown this once",
    tag=TAG,
    scope=SCOPE,
    body=NewMailbox,
    answer=NewMailboxAnswer,
    status=201,
    present=lambda call, made: _created(call, *made),
    shown_once=("key",),
)
def create(call: Call) -> Any:
    body: NewMailbox = call.body
    said = {name: getattr(body, name) for name in body.__struct_fields__}
    said["connection"] = _whole(body.connection) if body.connection else None
    said["secret"] = _whole(body.secret) if body.secret else None
    return desk.create(**said, actor=call.actor, now=call.now)


def _whole(part: Body) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__struct_fields__}


def _created(call: Call, row: Any, key: str) -> NewMailboxAnswer:
    call.headers["Location"] = f"{BASE}/mailboxes/{row.pk}"
    made: NewMailboxAnswer = _make(row, NewMailboxAnswer)
    made.key = key or None
    return made


class MailboxChange(Body):
    """What to change; what is left out stays, null is none. A secret that is sent empty stays."""

    name: Name | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    connection: MailboxConnectionChange | UnsetType = UNSET
    secret: MailboxSecret | UnsetType = UNSET
    authserv: Server | UnsetType = UNSET
    hops: Hops | UnsetType = UNSET
    unknown_senders: Unknown | UnsetType = UNSET
    organization: Id | UnsetType | None = UNSET
    service: Id | UnsetType | None = UNSET
    team: Id | UnsetType | None = UNSET
    ticket_kind: TicketKind | UnsetType = UNSET


@operation(
    "PATCH",
    "/mailboxes/{id}",
    id="updateMailbox",
    summary="Change a mailbox",
    tag=TAG,
    scope=SCOPE,
    body=MailboxChange,
    answer=Mailbox,
    present=lambda call, row: get(call),
    current=get,
)
def update(call: Call) -> Any:
    body: MailboxChange = call.body
    said = {name: None if (value := getattr(body, name)) is UNSET else value for name in body.__struct_fields__}
    said["connection"] = to_builtins(body.connection) if body.connection is not UNSET else None
    said["secret"] = _whole(body.secret) if body.secret is not UNSET else None
    said |= {name: none for name, none in _NONE.items() if getattr(body, name) is None}
    return desk.change(call.path["id"], **said, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/mailboxes/{id}/try",
    id="tryMailbox",
    summary="Sign in as the engine does and open the folder; nothing is taken",
    tag=TAG,
    scope=SCOPE,
    answer=MailboxTrial,
)
def try_connection(call: Call) -> MailboxTrial:
    trial = desk.try_connection(call.path["id"], actor=call.actor)
    return MailboxTrial(trial.problem, trial.said, trial.messages)


@operation(
    "POST",
    "/mailboxes/{id}/rotate_key",
    id="rotateMailboxKey",
    summary="A new key for a mailbox that is posted; the former serves no more",
    tag=TAG,
    scope=SCOPE,
    answer=MailboxKey,
    present=lambda call, key: MailboxKey(key),
    shown_once=("key",),
)
def rotate_key(call: Call) -> Any:
    return desk.rotate(call.path["id"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/mailboxes/{id}/disable",
    id="disableMailbox",
    summary="Take no mail there; what came stays",
    tag=TAG,
    scope=SCOPE,
    answer=Mailbox,
    present=lambda call, row: get(call),
)
def disable(call: Call) -> Any:
    return desk.switch(call.path["id"], is_active=False, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/mailboxes/{id}/enable",
    id="enableMailbox",
    summary="Take mail there again",
    tag=TAG,
    scope=SCOPE,
    answer=Mailbox,
    present=lambda call, row: get(call),
)
def enable(call: Call) -> Any:
    return desk.switch(call.path["id"], is_active=True, actor=call.actor, now=call.now)


@operation(
    "DELETE",
    "/mailboxes/{id}",
    id="removeMailbox",
    summary="Forget a mailbox to which no mail came and that no rule names; others are switched off",
    tag=TAG,
    scope=SCOPE,
    status=204,
)
def remove(call: Call) -> Any:
    return desk.remove(call.path["id"], actor=call.actor, now=call.now)
