"""The use cases of mailboxes: where mail comes in, and what becomes of it unless a rule says otherwise."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from django.conf import settings

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.desk.sealing import seal, unseal
from allswell.intake.operations import mailboxes as writing
from allswell.intake.queries import mailboxes as queries
from allswell.intake.rules.mailboxes import MailboxKind, UnknownSenders
from allswell.intake.servers import signing_in
from allswell.intake.servers.trouble import Problem, Trouble
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotFound
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import Mailbox

#: bytes of a mail; what is larger stays where it is, or is refused
MOST_BYTES = 25_000_000
TICKET_KINDS = ("incident", "request")
#: what a connection is made of, and how long each may be
_CONNECTION = {"host": 253, "user": 254, "folder": 200, "done_folder": 200, "token_url": 300, "client_id": 200, "scope": 300}
_SECRETS = ("password", "refresh_token", "client_secret")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[?[0-9a-f:]+\]?")
_AUTHSERV = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
#: whoever may change these could have a secret sent elsewhere, so that it has to be given again
_AIMS = ("host", "user", "login", "token_url")


@dataclass(frozen=True, slots=True)
class Trial:
    """How a try of the connection ended: `problem` is "" when all is well, then `messages` lie in the folder."""

    problem: str
    said: str
    messages: int


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def all_mailboxes(actor: Actor) -> QuerySet[Mailbox]:
    """Every mailbox, for who may see the set-up. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return queries.all_mailboxes().order_by("name", "id")


def one(mailbox: int, *, actor: Actor, act: Act = Act.READ_SETUP) -> Mailbox:
    """A mailbox, for who may see the set-up. Raises NotAllowed, NotFound."""
    require(actor, act, INSTALLATION)
    found = queries.all_mailboxes().filter(pk=mailbox).first()
    if found is None:
        raise NotFound("There is no such mailbox.")
    return found


def opened_secrets(row: Mailbox) -> dict[str, str]:
    """The secrets of a mailbox. Raises Trouble when no key of today's opens them."""
    if not row.secret:
        return {}
    try:
        return {str(name): str(value) for name, value in json.loads(unseal(row.secret)).items()}
    except (InvalidToken, ValueError, AttributeError):
        raise Trouble(Problem.SECRET) from None


def _sealed(held: Mapping[str, str]) -> str:
    kept = {name: value for name, value in held.items() if value}
    return seal(json.dumps(kept, sort_keys=True)) if kept else ""


@use_case
def create(
    *,
    name: str,
    address: str,
    kind: str,
    connection: Mapping[str, Any] | None = None,
    secret: Mapping[str, str] | None = None,
    unknown_senders: str = "create",
    authserv: str = "",
    hops: int = 2,
    organization: int | None = None,
    service: int | str | None = None,
    team: int | None = None,
    ticket_kind: str = "incident",
    actor: Actor,
    now: datetime,
) -> tuple[Mailbox, str]:
    """Take mail at an address. The key of one that is posted is shown this once ("" for others). Raises Invalid."""
    require(actor, Act.SET_UP, INSTALLATION)
    if kind not in list(MailboxKind):
        raise Invalid("Choose one of the list.", field="kind")
    values = _values(name=name, unknown_senders=unknown_senders, authserv=authserv, hops=hops, ticket_kind=ticket_kind)
    values["address"] = _address(address)
    values |= _places(organization, service, team, actor=actor)
    values["connection"] = _connection(kind, connection or {})
    held = _secrets(kind, values["connection"], secret or {}, held={}, is_complete=True)
    key = secrets.token_urlsafe(24) if kind == MailboxKind.HTTP else ""
    row = writing.create(
        kind=kind,
        secret=_sealed(held),
        key_digest=_digest(key) if key else "",
        key_hint=key[-4:],
        created_at=now,
        created_by_id=actor.person,
        **values,
    )
    journal.record(Verb.CREATED, about=("mailbox", row.pk), actor=actor, now=now, data={"kind": kind})
    return row, key


@use_case
def change(
    mailbox: int,
    *,
    connection: Mapping[str, Any] | None = None,
    secret: Mapping[str, str] | None = None,
    organization: int | None = None,
    service: int | str | None = None,
    team: int | None = None,
    actor: Actor,
    now: datetime,
    **said: Any,
) -> Mailbox:
    """Change what is not None; 0 or "" as organization, service or team means none. Secrets left empty stay. Raises Invalid, NotFound.

    A secret that is kept is never sent to another server: with another host or user it has to be given again.
    """
    row = one(mailbox, actor=actor, act=Act.SET_UP)
    values = _values(**{name: value for name, value in said.items() if value is not None and name != "address"})
    if said.get("address") is not None:
        values["address"] = _address(said["address"], but=row.pk)
    values |= _places(organization, service, team, actor=actor)
    if connection is not None or secret is not None:
        to = _connection(row.kind, {**row.connection, **(connection or {})})
        held = _held(row)
        is_same = all(to.get(part, "") == row.connection.get(part, "") for part in _AIMS)
        kept = _secrets(row.kind, to, secret or {}, held=held if is_same else {}, is_complete=True)
        values["connection"] = to
        if kept != held:
            values["secret"] = _sealed(kept)
        if any(to.get(part) != row.connection.get(part) for part in ("host", "user", "folder")):
            values |= {"uid_validity": None, "last_uid": 0}
    changed = {field: value for field, value in values.items() if getattr(row, field) != value}
    if changed:
        writing.change(row, **changed)
        fields = sorted({field.removesuffix("_id") for field in changed} - {"uid_validity", "last_uid"})
        journal.record(Verb.CHANGED, about=("mailbox", row.pk), actor=actor, now=now, data={"fields": fields})
    return row


def _held(row: Mailbox) -> dict[str, str]:
    try:
        return opened_secrets(row)
    except Trouble:
        return {}


@use_case
def rotate(mailbox: int, *, actor: Actor, now: datetime) -> str:
    """A new key for one that is posted, shown this once; the former serves no more. Raises Conflict for the others."""
    row = one(mailbox, actor=actor, act=Act.SET_UP)
    if row.kind != MailboxKind.HTTP:
        raise Conflict("Only a mailbox that is posted has a key.")
    key = secrets.token_urlsafe(24)
    writing.change(row, key_digest=_digest(key), key_hint=key[-4:])
    journal.record(Verb.CHANGED, about=("mailbox", row.pk), actor=actor, now=now, data={"fields": ["key"]})
    return key


@use_case
def switch(mailbox: int, *, is_active: bool, actor: Actor, now: datetime) -> Mailbox:
    """Take mail there, or no more; what came stays."""
    row = one(mailbox, actor=actor, act=Act.SET_UP)
    if row.is_active != is_active:
        writing.change(row, is_active=is_active, **({} if is_active else {"failing_since": None, "last_error": ""}))
        verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
        journal.record(verb, about=("mailbox", row.pk), actor=actor, now=now)
    return row


@use_case
def remove(mailbox: int, *, actor: Actor, now: datetime) -> None:
    """Delete a mailbox to which no mail came and that no rule names; others are switched off. Raises Conflict, NotFound."""
    row = one(mailbox, actor=actor, act=Act.SET_UP)
    if queries.has_rules(row.pk):
        raise Conflict("A rule is about this mailbox. Change or forget the rule first.")
    if queries.has_mail(row.pk):
        raise Conflict("Mail came to this mailbox. Switch it off instead.")
    writing.remove(row)
    journal.record(Verb.REMOVED, about=("mailbox", mailbox), actor=actor, now=now, data={"kind": row.kind})


def try_connection(mailbox: int, *, actor: Actor) -> Trial:
    """Sign in at the server and open the folder, as the engine does, without taking anything. Raises Conflict, NotAllowed, NotFound.

    No use case: nothing is written while a server is asked, and nobody waits for it who wants to write.
    """
    row = one(mailbox, actor=actor, act=Act.SET_UP)
    if row.kind != MailboxKind.IMAP:
        raise Conflict("Mail is brought to this mailbox: there is no server to ask.")
    try:
        box = signing_in.Box.of(row.connection, opened_secrets(row))
        messages = signing_in.look(box, allowed=settings.OUTGOING_ALLOW, most=MOST_BYTES)
    except Trouble as trouble:
        return Trial(trouble.problem.value, trouble.said, 0)
    return Trial("", "", messages)


def _address(address: str, but: int = 0) -> str:
    folded = text.folded_address(address, field="address")
    if "+" in folded.partition("@")[0]:
        raise Invalid("Give the address without what follows a plus sign.", field="address")
    if queries.all_mailboxes().filter(address=folded).exclude(pk=but).exists():
        raise Invalid("There is a mailbox of this address already.", field="address")
    return folded


def _values(**said: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field, value in said.items():
        if field == "name":
            values[field] = text.line(value, field=field, limit=80)
        elif field == "unknown_senders":
            values[field] = _of_list(value, list(UnknownSenders), field)
        elif field == "ticket_kind":
            values[field] = _of_list(value, TICKET_KINDS, field)
        elif field == "authserv":
            values[field] = text.line(value, field=field, limit=253, required=False).lower().rstrip(".")
            if values[field] and not _AUTHSERV.fullmatch(values[field]):
                raise Invalid("Give the name of the server, such as mx.example.org.", field=field)
        elif field == "hops":
            if not isinstance(value, int) or not 1 <= value <= 20:
                raise Invalid("Use a whole number from 1 to 20.", field=field)
            values[field] = value
        else:
            raise TypeError(field)
    return values


def _of_list(value: str, known: Any, field: str) -> str:
    if value not in known:
        raise Invalid("Choose one of the list.", field=field)
    return str(value)


def _places(organization: int | None, service: int | str | None, team: int | None, *, actor: Actor) -> dict[str, Any]:
    """What new tickets and new people get, as columns; what is None is left out."""
    values: dict[str, Any] = {}
    if organization is not None:
        values["organization_id"] = _organization(organization).pk if organization else None
    if service is not None:
        found = services.named(service, known=services.visible_to(actor).filter(is_active=True)) if service else None
        if service and found is None:
            raise Invalid("There is no such service.", field="service")
        values["service_id"] = found.pk if found else None
    if team is not None:
        values["team_id"] = steps.team_within_reach(team, actor=actor).pk if team else None
    return values


def _organization(number: int) -> Any:
    found = people.organizations().filter(pk=number, is_active=True).first()
    if found is None:
        raise Invalid("There is no such organization.", field="organization")
    return found


def _connection(kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """How mail is fetched, checked; nothing for a mailbox to which it is brought. Raises Invalid."""
    if kind != MailboxKind.IMAP:
        return {}
    found: dict[str, Any] = {
        name: text.line(str(said.get(name) or ""), field=name, limit=limit, required=name in ("host", "user"))
        for name, limit in _CONNECTION.items()
    }
    found["host"] = found["host"].lower().rstrip(".")
    if not _HOST.fullmatch(found["host"]):
        raise Invalid("Give the name of the server, such as imap.example.org.", field="host")
    found["security"] = _of_list(str(said.get("security") or "tls"), ("tls", "starttls"), "security")
    port = said.get("port") or (993 if found["security"] == "tls" else 143)
    if not isinstance(port, int) or not 1 <= port <= 65_535:
        raise Invalid("Use a whole number from 1 to 65535.", field="port")
    found["port"] = port
    found["folder"] = found["folder"] or "INBOX"
    if found["done_folder"] == found["folder"]:
        raise Invalid("Choose another folder than the one that is looked at.", field="done_folder")
    found["takes_all"] = bool(said.get("takes_all"))
    found["login"] = _of_list(str(said.get("login") or "password"), ("password", "oauth"), "login")
    if found["login"] == "oauth":
        if not _is_safe(found["token_url"]):
            raise Invalid("Use an address such as https://login.example.org/token.", field="token_url")
        if not found["client_id"]:
            raise Invalid("This is needed.", field="client_id")
    return found


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and " " not in url
    except ValueError:
        return False


def _secrets(
    kind: str, connection: Mapping[str, Any], said: Mapping[str, str], *, held: Mapping[str, str], is_complete: bool
) -> dict[str, str]:
    """What is kept sealed: what was said now, else what was held. Raises Invalid."""
    if kind == MailboxKind.HTTP:
        names: tuple[str, ...] = ("signing",)
    elif kind == MailboxKind.IMAP:
        names = ("password",) if connection.get("login") == "password" else ("refresh_token", "client_secret")
    else:
        names = ()
    found: dict[str, str] = {}
    for name in names:
        given = str(said.get(name) or "")
        if not (given.isprintable() and len(given) <= 8000):
            raise Invalid("Use letters, digits and signs only.", field=name)
        found[name] = given or held.get(name, "")
    if is_complete and kind == MailboxKind.IMAP and not any(found.values()):
        raise Invalid("This is needed.", field=names[0])
    if names == ("signing",) and found["signing"] and len(found["signing"]) < 16:
        raise Invalid("Use at least 16 characters.", field="signing")
    return found
