"""Who is told of shifts: those whose shifts an edit moved, those who are asked or answered, those whose shift begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.utils import translation

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.notifications import bulk as notices
from allswell.notifications import shift_wording
from allswell.notifications.rules import Topic
from allswell.oncall import queries
from allswell.oncall.rules import Change, Moved, by_person
from allswell.people import queries as people

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.oncall.models import Handover, Rota, Shift, ShiftRequest

#: how many times a notice names
SHOWN = 6
#: where one's shifts are seen
MINE = "/oncall/me"
HANDOVER = Topic.HANDOVER


def _span(level: int, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    return {"level": level, "starts_at": starts_at.astimezone(UTC).isoformat(), "ends_at": ends_at.astimezone(UTC).isoformat()}


def tell_moves(moved: Sequence[tuple[Rota, tuple[Moved, ...]]], *, actor: Actor, now: datetime) -> None:
    """One notice per person and rota of what an act moved, with from whom and to whom; who acted knows."""
    found: list[notices.Notice] = []
    for row, moves in moved:
        changes = by_person(moves)
        data = {"people": sorted(changes), "since": moves[0].starts_at.isoformat()}
        entry = journal.record(Verb.SHIFT_MOVED, about=("rota", row.pk), actor=actor, now=now, data=data)
        found += [
            notices.Notice(Topic.SHIFT_MOVED, person, entry, {"rota": row.pk, **_moved(change)})
            for person, change in changes.items()
            if person != actor.person
        ]
    if found:
        notices.enqueue(found, now=now)


def _moved(change: Change) -> dict[str, Any]:
    mine = [(moved, True) for moved in change.gained] + [(moved, False) for moved in change.lost]
    mine.sort(key=lambda one: one[0].starts_at)
    shown = [
        {
            **_span(moved.level, moved.starts_at, moved.ends_at),
            "is_mine": is_mine,
            "other": moved.before if is_mine else moved.after,
        }
        for moved, is_mine in mine[:SHOWN]
    ]
    return {"moves": shown, "more": len(mine[SHOWN:])}


def tell_request(entry: Entry, asked: ShiftRequest, persons: Iterable[int], *, actor: Actor, now: datetime) -> None:
    """Tell of a request, or of an answer to it."""
    content = {
        "rota": asked.rota_id,
        "request": asked.pk,
        "kind": asked.kind,
        **_span(asked.level, asked.starts_at, asked.ends_at),
        "note": asked.note if entry.verb == Verb.SHIFT_ASKED else "",
    }
    if asked.in_return_starts_at and asked.in_return_ends_at:
        content["in_return"] = _span(asked.in_return_level or asked.level, asked.in_return_starts_at, asked.in_return_ends_at)
    who = [person for person in dict.fromkeys(persons) if person != actor.person]
    notices.enqueue([notices.Notice(Topic.SHIFT_ASKED, person, entry, content) for person in who], now=now)


def tell_start(shift: Shift, *, actor: Actor, now: datetime) -> notices.Notice:
    """The notice that a shift begins soon, still to be enqueued."""
    data = {"shift": shift.pk, "person": shift.person_id, "level": shift.level, "starts_at": shift.starts_at.isoformat()}
    entry = journal.record(Verb.SHIFT_STARTS, about=("rota", shift.rota_id), actor=actor, now=now, data=data)
    content = {"rota": shift.rota_id, **_span(shift.level, shift.starts_at, shift.ends_at)}
    return notices.Notice(Topic.SHIFT_STARTS, shift.person_id or 0, entry, content)


def about_handover(row: Handover) -> dict[str, Any]:
    """Which shift a notice of a handover is about: the one that begins."""
    return {"rota": row.rota_id, **_span(row.level, row.changes_at, row.until)}


@dataclass(frozen=True, slots=True)
class Written:
    """A notice of shifts in words: the rota, Markdown, the page it leads to, and whom it names."""

    title: str
    body: str
    path: str
    other_name: str = ""


def written(topic: Topic, content: dict[str, Any], *, actor: Actor) -> Written | None:
    """A notice for its reader, in their language and zone; None when they may not know the rota any more."""
    row = queries.visible_to(actor).filter(pk=content.get("rota", 0)).first()
    if row is None:
        return None
    others = {moved.get("other") for moved in (content, *content.get("moves", ()))} - {None}
    names = dict(people.people().filter(pk__in=others).values_list("pk", "name")) if others else {}
    with translation.override(actor.locale):
        lines = shift_wording.lines(topic, content, names=names, time_zone=actor.time_zone, locale=actor.locale)
    path = f"/oncall/handovers/{content.get('handover', 0)}" if topic is Topic.HANDOVER else MINE
    other = names.get(content.get("other") or 0, "")
    return Written(row.name, "\n".join(f"- {plain(line)}" for line in lines), path, other)


def plain(text: str) -> str:
    """A text as it is, on one line: nothing in it is taken for Markdown."""
    return "".join(f"\\{sign}" if sign in "\\|`*_[]<>~!&#" else sign for sign in " ".join(text.split()))
