"""Writing how tickets belong together."""

from __future__ import annotations

from datetime import datetime

from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.tickets.models import Link, Ticket
from allswell.tickets.rules import LinkKind

from .core import record


def link(source: Ticket, target: Ticket, *, kind: LinkKind, actor: Actor, now: datetime) -> bool:
    """Write "<source> is <kind> <target>", in both journals; False when it was written before."""
    created = Link.objects.get_or_create(
        source=source,
        target=target,
        kind=kind.value,
        defaults={"created_by_id": actor.person, "created_at": now},
    )[1]
    if created:
        _journal(Verb.LINKED, source, target, kind=kind, actor=actor, now=now)
    return created


def unlink(source: Ticket, target: Ticket, *, kind: LinkKind, actor: Actor, now: datetime) -> bool:
    """Take a link away, in both journals; False when there was none."""
    if not Link.objects.filter(source=source, target=target, kind=kind.value).delete()[0]:
        return False
    _journal(Verb.UNLINKED, source, target, kind=kind, actor=actor, now=now)
    return True


def take_back_link(source: int, target: int, *, kind: str) -> None:
    """Remove a link that was just made by mistake; the caller journals it."""
    Link.objects.filter(source=source, target=target, kind=kind).delete()


def _journal(verb: Verb, source: Ticket, target: Ticket, *, kind: LinkKind, actor: Actor, now: datetime) -> None:
    record(verb, source, actor=actor, now=now, data={"kind": kind.value, "target": target.pk})
    record(verb, target, actor=actor, now=now, data={"kind": kind.value, "source": source.pk})
