"""The use cases of sources: which monitoring tools may report, and with which key."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.desk.rates import Rate
from allswell.desk.sealing import seal
from allswell.intake.operations import alerts as writing
from allswell.intake.parsers.alerts import sns
from allswell.intake.parsers.alerts.registry import FORMATS, judge
from allswell.intake.parsers.alerts.shape import Malformed
from allswell.intake.queries import alerts as queries
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotFound
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import AlertSource, RawReport

#: hours after which alerts of which nothing is told end at the latest, where they do
LONGEST_PATIENCE = 8_760
#: how long the former key serves after a change, so that senders can be changed in peace
FORMER_KEY_FOR = timedelta(hours=24)
_refusals = Rate()


def new_key(kind: str) -> str:
    """A fresh key, as its senders take one: PagerDuty's clients insist on 32 characters."""
    return secrets.token_hex(16) if kind == "pagerduty" else secrets.token_urlsafe(24)


def kinds() -> dict[str, str]:
    """The tools that may report, by kind: their names."""
    return {one.kind: one.title for one in FORMATS.values()}


def nonce() -> str:
    """What made-up keys of a request come from."""
    return secrets.token_hex(16)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def all_sources(actor: Actor) -> QuerySet[AlertSource]:
    """Every source, for who may see the set-up. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return queries.sources().order_by("name", "id")


def one(source: int, *, actor: Actor, act: Act = Act.READ_SETUP) -> AlertSource:
    """A source, for who may see the set-up. Raises NotAllowed, NotFound."""
    require(actor, act, INSTALLATION)
    found = queries.sources().filter(pk=source).first()
    if found is None:
        raise NotFound("There is no such source.")
    return found


def unread(actor: Actor) -> QuerySet[RawReport]:
    """Requests that could not be read, newest first. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return queries.unread()


@use_case
def create(
    *,
    name: str,
    kind: str,
    service: int | str | None = None,
    team: int | None = None,
    mapping: Mapping[str, Any] | None = None,
    secret: str = "",
    ends_after: int | None = None,
    actor: Actor,
    now: datetime,
) -> tuple[AlertSource, str]:
    """Let a monitoring tool report; its key is shown this once. `ends_after`: hours, 0 is never, None as is right for the tool.

    Raises Invalid.
    """
    require(actor, Act.SET_UP, INSTALLATION)
    if kind not in kinds():
        raise Invalid("Choose one of the list.", field="kind")
    name = text.line(name, field="name", limit=80)
    slug = text.slug(name)[:60] or kind
    if queries.sources().filter(slug=slug).exists():
        raise Invalid("There is a source of this name already.", field="name")
    key = new_key(kind)
    row = writing.create_source(
        name=name,
        slug=slug,
        kind=kind,
        key_digest=_digest(key),
        key_hint=key[-4:],
        secret=_secret(kind, secret),
        mapping=_judged(kind, mapping or {}),
        ends_after=FORMATS[kind].ends_after if ends_after is None else _patience(ends_after),
        service=_service(service, actor=actor),
        team=steps.team_within_reach(team, actor=actor) if team is not None else None,
        created_at=now,
        created_by_id=actor.person,
    )
    journal.record(Verb.CREATED, about=("alert_source", row.pk), actor=actor, now=now, data={"kind": kind})
    return row, key


def _patience(hours: int) -> int | None:
    if not 0 <= hours <= LONGEST_PATIENCE:
        raise Invalid("Use a number of hours, a year at most.", field="ends_after")
    return hours or None


def _judged(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    try:
        judge(kind, settings)
    except Malformed as error:
        raise Invalid("The format cannot work with this: %(why)s", field="mapping", why=str(error)) from error
    return dict(settings)


def _secret(kind: str, secret: str) -> str:
    """The secret that a tool signs with, sealed. Raises Invalid for tools that do not sign."""
    if not secret:
        return ""
    if FORMATS[kind].secret != "hmac":
        raise Invalid("This tool does not sign what it sends.", field="secret")
    return seal(text.line(secret, field="secret", limit=200))


def _service(ref: int | str | None, *, actor: Actor) -> Any:
    if ref in (None, ""):
        return None
    found = services.named(ref, known=services.visible_to(actor).filter(is_active=True)) if ref is not None else None
    if found is None:
        raise Invalid("There is no such service.", field="service")
    return found


@use_case
def change(
    source: int,
    *,
    name: str | None = None,
    service: int | str | None = None,
    team: int | None = None,
    mapping: Mapping[str, Any] | None = None,
    secret: str | None = None,
    ends_after: int | None = None,
    actor: Actor,
    now: datetime,
) -> AlertSource:
    """Change what is not None; an empty service, team 0, or `ends_after` 0 means none. Raises Invalid, NotFound."""
    row = one(source, actor=actor, act=Act.SET_UP)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = text.line(name, field="name", limit=80)
    if service is not None:
        found = _service(service, actor=actor)
        values["service_id"] = found.pk if found else None
    if team is not None:
        values["team_id"] = steps.team_within_reach(team, actor=actor).pk if team else None
    if mapping is not None:
        values["mapping"] = _judged(row.kind, mapping)
    if secret is not None:
        values["secret"] = _secret(row.kind, secret)
    if ends_after is not None:
        values["ends_after"] = _patience(ends_after)
    changed = {field: value for field, value in values.items() if getattr(row, field) != value}
    if "ends_after" in changed:
        writing.reckon_stale(row.pk, changed["ends_after"])
    if changed:
        writing.change_source(row, **changed)
        data = {"fields": sorted(field.removesuffix("_id") for field in changed)}
        journal.record(Verb.CHANGED, about=("alert_source", row.pk), actor=actor, now=now, data=data)
    return row


@use_case
def rotate(source: int, *, actor: Actor, now: datetime) -> str:
    """A new key, shown this once. The former serves for a day, so that the sender can be changed in peace."""
    row = one(source, actor=actor, act=Act.SET_UP)
    key = new_key(row.kind)
    writing.change_source(
        row, former_digest=row.key_digest, former_until=now + FORMER_KEY_FOR, key_digest=_digest(key), key_hint=key[-4:]
    )
    journal.record(Verb.CHANGED, about=("alert_source", row.pk), actor=actor, now=now, data={"fields": ["key"]})
    return key


@use_case
def end_former_key(source: int, *, actor: Actor, now: datetime) -> AlertSource:
    """The former key serves no more from now on. Raises Conflict when there is none."""
    row = one(source, actor=actor, act=Act.SET_UP)
    if not row.former_digest:
        raise Conflict("There is no former key.")
    writing.change_source(row, former_digest="", former_until=None)
    journal.record(Verb.CHANGED, about=("alert_source", row.pk), actor=actor, now=now, data={"fields": ["former_key"]})
    return row


@use_case
def switch(source: int, *, is_active: bool, actor: Actor, now: datetime) -> AlertSource:
    """Let it report, or refuse what it sends; what it told stays."""
    row = one(source, actor=actor, act=Act.SET_UP)
    if row.is_active != is_active:
        writing.change_source(row, is_active=is_active)
        verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
        journal.record(verb, about=("alert_source", row.pk), actor=actor, now=now)
    return row


@use_case
def _write_refusal(source: int, why: str, *, actor: Actor, now: datetime) -> None:
    writing.note_refusal(source, text.clean(why), now=now)


def note_refusal(source: int, why: str, *, at: float, actor: Actor, now: datetime) -> None:
    """Remember what a source sent in vain, a few times a minute at most. `at`: seconds of a clock that only goes on."""
    if _refusals.take(str(source), per_minute=6, at=at)[0] >= 0:
        _write_refusal(source, why, actor=actor, now=now)


@use_case
def read_again(report: int, *, actor: Actor, now: datetime) -> None:
    """A request that could not be read waits again, as if it had just come. Raises NotAllowed, NotFound."""
    require(actor, Act.SET_UP, INSTALLATION)
    if not writing.wait_again(report):
        raise NotFound("There is no such request, or it was read.")
    journal.record(Verb.REDELIVERED, about=("alert_report", report), actor=actor, now=now)


def asks_to_report(report: RawReport) -> str:
    """The topic of Amazon's that an unread request asks to be allowed, "" where it asks for nothing of that kind."""
    return sns.asks_to_report(bytes(report.body)) if report.source.kind == "sns" else ""


@use_case
def allow_topic(report: int, *, actor: Actor, now: datetime) -> AlertSource:
    """The topic that asks to report may: its request is read again, and the engine confirms it. Raises NotAllowed, NotFound, Conflict."""
    require(actor, Act.SET_UP, INSTALLATION)
    found = queries.unread().filter(pk=report).first()
    topic = asks_to_report(found) if found is not None else ""
    if found is None or not topic:
        raise NotFound("There is no such request, or it was read.")
    row = found.source
    topics = [one for one in row.mapping.get("topics", []) if one != topic]
    if len(topics) >= sns.TOPICS:
        raise Conflict("So many topics may not report to one source.")
    writing.change_source(row, mapping={**row.mapping, "topics": [*topics, topic]})
    journal.record(Verb.CHANGED, about=("alert_source", row.pk), actor=actor, now=now, data={"fields": ["topics"]})
    writing.wait_again(report)
    journal.record(Verb.REDELIVERED, about=("alert_report", report), actor=actor, now=now)
    return row


@use_case
def forget(report: int, *, actor: Actor, now: datetime) -> None:
    """A request that could not be read is deleted. Raises NotAllowed, NotFound."""
    require(actor, Act.SET_UP, INSTALLATION)
    if not writing.forget(report):
        raise NotFound("There is no such request, or it was read.")
    journal.record(Verb.REMOVED, about=("alert_report", report), actor=actor, now=now)
