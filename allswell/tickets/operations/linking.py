"""Writing how tickets belong together."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any

from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.tickets.models import Attachment, Comment, Link, Ticket, Watcher
from allswell.tickets.rules import LinkKind, WatcherKind

from .around import unwatch, watch
from .core import index, record


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


def merge(
    source: Ticket, target: Ticket, *, left: Container[int] = (), also: dict[str, Any] | None = None, actor: Actor, now: datetime
) -> list[list[Any]]:
    """Move conversation, files and watchers, and write down (in the source's journal) all that `unmerge` needs.

    Of those affected, who is in `left` does not come along. `also` is written down with it. Answers who became what there.
    """
    comments = Comment.objects.filter(ticket=source)
    earlier = list(comments.filter(moved_from__isnull=False).values_list("pk", "moved_from_id"))
    comments.update(ticket=target, moved_from=source)
    files = Attachment.objects.filter(ticket=source)
    moved = sorted(files.values_list("pk", flat=True))
    files.update(ticket=target)
    added = [
        [person, kind.value] for person, kind in _coming(source, target, left) if watch(target, person=person, kind=kind, now=now)
    ]
    kept = {"into": target.pk, "attachments": moved, "watchers": added, "earlier": [list(pair) for pair in earlier]}
    record(Verb.MERGED, source, actor=actor, now=now, data=kept | (also or {}))
    record(Verb.MERGED, target, actor=actor, now=now, data={"from": source.pk})
    index(source)
    index(target)
    return added


def _coming(source: Ticket, target: Ticket, left: Container[int]) -> list[tuple[int, WatcherKind]]:
    """Who comes along with a merge, and as what: nobody who hears all of it there already."""
    follow = [(person, WatcherKind(kind)) for person, kind in Watcher.objects.filter(ticket=source).values_list("person", "kind")]
    if source.requester_id:
        follow.append((source.requester_id, WatcherKind.PARTICIPANT))
    there = set(Watcher.objects.filter(ticket=target, kind=WatcherKind.PARTICIPANT.value).values_list("person", flat=True))
    there |= {target.requester_id or 0} | {person for person, kind in follow if kind is WatcherKind.PARTICIPANT}
    return [
        (person, kind)
        for person, kind in dict.fromkeys(follow)
        if (kind is not WatcherKind.PARTICIPANT or person != target.requester_id)
        and (kind is not WatcherKind.AFFECTED or (person not in there and person not in left))
    ]


def unmerge(source: Ticket, target: Ticket, kept: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """Move everything back that `merge` moved; `kept` is what it wrote down."""
    Comment.objects.filter(ticket=target, moved_from=source).update(ticket=source, moved_from=None)
    for comment, moved_from in kept["earlier"]:
        Comment.objects.filter(pk=comment, ticket=source).update(moved_from=moved_from)
    Attachment.objects.filter(pk__in=kept["attachments"], ticket=target).update(ticket=source)
    for person, kind in kept["watchers"]:
        unwatch(target, person=person, kind=WatcherKind(kind))
    record(Verb.UNMERGED, source, actor=actor, now=now, data={"from": target.pk})
    record(Verb.UNMERGED, target, actor=actor, now=now, data={"of": source.pk})
    index(source)
    index(target)
