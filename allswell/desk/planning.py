"""The shifts of rotas follow what is decided: steps that use cases share whose act moves who is on call.

Shifts are written from now on only; what is over is never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from allswell.kernel.actor import Actor
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.oncall.rules import Moved, Slot, difference

from . import handing, shift_notices

if TYPE_CHECKING:
    from allswell.oncall.models import Rota

#: how far ahead shifts are written
AHEAD = timedelta(weeks=13)

Moves = list[tuple["Rota", tuple[Moved, ...]]]


def horizon(now: datetime) -> datetime:
    """Up to when shifts are written today."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + AHEAD


def replan(rows: Sequence[Rota], *, actor: Actor, now: datetime, is_told: bool = True) -> Moves:
    """Write the shifts of rotas (held by this act) anew from now on, and tell those whose shifts moved; answers what moved."""
    until = horizon(now)
    before = queries.written([row.pk for row in rows], now, until)
    moved: Moves = []
    for since in sorted({_since(row, now) for row in rows}):
        those = [row for row in rows if _since(row, now) == since]
        after = queries.plan([row.pk for row in those if row.is_active], since, until)
        for row in those:
            slots = after.get(row.pk, ())
            rotas.write_shifts(row, slots, since=since, until=until if row.is_active else now)
            if moves := moves_between(before[row.pk], slots, since=now, until=until):
                moved.append((row, moves))
    if is_told:
        shift_notices.tell_moves(moved, actor=actor, now=now)
    handing.follow(rows, actor=actor, now=now)
    return moved


def _since(row: Rota, now: datetime) -> datetime:
    """From when on the shifts of a rota are written: from now, or from where nobody wrote any for a while."""
    return min(now, row.planned_until) if row.is_active else now


def moves_between(before: Iterable[Slot], after: Iterable[Slot], *, since: datetime, until: datetime) -> tuple[Moved, ...]:
    """What moves; that shifts are written further ahead than before moves nothing."""
    known = queries.clipped(before, since, until)
    end = max((slot.ends_at for slot in known), default=until)
    return difference(known, queries.clipped(after, since, end))


def people_changed(person_ids: Collection[int], *, actor: Actor, now: datetime) -> None:
    """Somebody is there no longer, or again: the rotas that name them follow."""
    rotas.hold_people(person_ids)
    concerned = {row.pk for person in person_ids for row in queries.rotas_of(person)}
    if concerned:
        replan(rotas.hold(concerned), actor=actor, now=now)


def calendar_changed(calendar: int, *, now: datetime) -> None:
    """Support hours changed: the engine writes the shifts that count in them anew, and who is on call follows at once."""
    rotas.plan_again([row.pk for row in queries.counting_in(calendar)], now=now)
