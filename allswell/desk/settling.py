"""The clocks of tickets follow what happens: every use case ends by bringing those of the tickets it touched up to date."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from allswell.kernel.errors import DeskError
from allswell.sla import operations as sla
from allswell.sla import queries
from allswell.sla.rules.keeping import Completed, beside, standing
from allswell.sla.rules.shapes import ClockState, Key, Solved
from allswell.sla.rules.solving import solve
from allswell.sla.rules.story import TELLING, Facts, Noted, Step, story
from allswell.sla.rules.terms import Metric
from allswell.tickets import operations as tickets
from allswell.tickets.rules import Kind, State

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.sla.models import Clock
    from allswell.sla.queries import AgreementBook
    from allswell.tickets.models import Ticket


logger = logging.getLogger(__name__)


class _Next(TypedDict):
    due_at: datetime | None
    metric: str
    started_at: datetime | None


_OPENINGS = frozenset(tickets.OPENED.values())


@dataclass(frozen=True, slots=True)
class _Foretold:
    """The clocks of a ticket that is about to be opened; its opening has no number yet (0)."""

    step: Step
    book: AgreementBook
    now: datetime
    solved: list[Solved]


_foretold: ContextVar[_Foretold | None] = ContextVar("foretold", default=None)


def foretell(
    kind: str, *, priority: int, service: int | None, organization: int | None, team: int | None, now: datetime
) -> dict[str, Any]:
    """What a ticket opened now will say of its promises, as columns, so that its row need not be written twice.

    Whatever happens to it in the same act counts all the same: `settle` looks at everything. {} when nothing is promised.
    """
    facts = Facts(kind, State.NEW.value, priority, service=service, organization=organization, team=team)
    try:
        book = queries.book()
        if book.is_empty:
            return {}
        step = Step(now, 0, tickets.OPENED[Kind(kind)].value, facts)
        solved = solve([step], book, now=now)
    except Exception:
        logger.exception("The clocks of a new ticket cannot be solved.")
        return {}
    _foretold.set(_Foretold(step, book, now, solved))
    due = _next(solved)
    return {"next_due_at": due["due_at"], "next_metric": due["metric"], "next_started_at": due["started_at"]}


def _as_foretold(steps: list[Step], book: AgreementBook, now: datetime) -> list[Solved] | None:
    """The clocks of a ticket of which no more is told than what was foretold; None for any other."""
    told = _foretold.get()
    if told is None or len(steps) != 1 or told.book is not book or told.now != now or replace(steps[0], entry=0) != told.step:
        return None
    entry = steps[0].entry
    return [replace(one, segments=tuple(replace(segment, entry=entry) for segment in one.segments)) for one in told.solved]


def settle(touched: Iterable[tuple[Ticket, Entry]], *, now: datetime) -> None:
    """Bring the clocks of tickets up to date after what was journaled about them in this transaction."""
    entries: dict[int, list[Entry]] = {}
    rows: dict[int, Ticket] = {}
    for ticket, entry in touched:
        rows[ticket.pk] = ticket  # the last one holds the newest columns
        entries.setdefault(ticket.pk, []).append(entry)
    concerned = [number for number, told in entries.items() if any(entry.verb in TELLING for entry in told)]
    if not concerned:
        return
    try:
        book = queries.book()
    except DeskError:
        logger.exception("The clocks of tickets %s stay as they were: the agreements cannot be read.", concerned)
        return
    for number in concerned:
        is_new = entries[number][0].verb in _OPENINGS
        if book.is_empty and (is_new or not rows[number].next_metric):
            continue  # nothing is promised, and nothing was
        noted = [queries.noted(entry) for entry in entries[number]] if is_new else queries.entries_of(number)
        follow(rows[number], noted, book, kept=[] if is_new else queries.clocks(number, is_locked=True), now=now)


def follow(ticket: Ticket, noted: list[Noted], book: AgreementBook, *, kept: list[Clock], now: datetime) -> None:
    """Solve the clocks of one ticket from its journal and write what differs."""
    if book.is_empty and not kept:
        return
    solved = solved_or_none(ticket, noted, book, kept=kept, now=now, is_brief=True)
    if solved is None:
        return
    found, kept = solved
    known = {key_of(clock): clock for clock in kept}
    new = [one for one in found if one.key not in known]
    for one in found:
        clock = known.pop(one.key, None)
        if clock is not None and not sla.has_ended_so(clock, one):
            sla.write(clock, one, now=now)
    sla.start(ticket.pk, new, now=now)
    sla.remove(known.values())
    promise(ticket, found)


def solved_or_none(
    ticket: Ticket, noted: list[Noted], book: AgreementBook, *, kept: list[Clock], now: datetime, is_brief: bool = False
) -> tuple[list[Solved], list[Clock]] | None:
    """As `solved_for`; None when they cannot be solved, which is logged: work goes on, and a replay puts them right."""
    try:
        return solved_for(ticket, noted, book, kept=kept, now=now, is_brief=is_brief)
    except Exception:
        logger.exception("The clocks of ticket %s stay as they were: they cannot be solved.", ticket.pk)
        return None


def solved_for(
    ticket: Ticket, noted: list[Noted], book: AgreementBook, *, kept: list[Clock], now: datetime, is_brief: bool = False
) -> tuple[list[Solved], list[Clock]]:
    """The clocks of a ticket, solved, and those of `kept` that they take the place of.

    Those that have ended keep the calendar they ended with; one completed under what no longer applies stands, and is left out.
    `is_brief`: those that ended as they are written come without figures, so that an act does not take longer with each before it.
    """
    facts = queries.facts_of(ticket)
    ended = [(key_of(clock), clock) for clock in kept if clock.stopped_at is not None]
    pins = {key: (clock.stopped_at, clock.calendar_version) for key, clock in ended}
    written = {(key, clock.state, clock.started_at, clock.stopped_at) for key, clock in ended} if is_brief else set()
    steps = story(noted, now=facts, requester=ticket.requester_id, opened_at=ticket.opened_at)
    pinned = {key: (at, number) for key, (at, number) in pins.items() if at and number}
    found = None if kept else _as_foretold(steps, book, now)
    if found is None:
        found = solve(steps, book, now=now, pins=pinned, written=written)
    completed = [
        Completed(key, clock.version, clock.stopped_at)
        for key, clock in ended
        if clock.stopped_at is not None and clock.state == ClockState.COMPLETED
    ]
    stands = standing(completed, found, steps, book)
    if not stands:
        return found, kept
    found = beside(stands, found, facts)
    left = {one.key for one in stands} - {one.key for one in found}
    return found, [clock for clock in kept if key_of(clock) not in left]


def promise(ticket: Ticket, solved: Iterable[Solved]) -> None:
    """Write on the ticket which promise is due next; where all are paused, which one is."""
    tickets.promise(ticket, **_next(solved))


def promised(ticket: Ticket, solved: Iterable[Solved]) -> dict[str, Any]:
    """What would change on the ticket by that."""
    return tickets.promised(ticket, **_next(solved))


def _next(solved: Iterable[Solved]) -> _Next:
    running = [one for one in solved if one.is_open]
    due = [one for one in running if one.due_at is not None and one.state == "running"]
    first = min(due, key=lambda one: (one.due_at, one.key.metric)) if due else (running[0] if running else None)
    return {
        "due_at": first.due_at if first is not None and first in due else None,
        "metric": first.key.metric.value if first is not None else "",
        "started_at": first.started_at if first is not None else None,
    }


def key_of(clock: Clock) -> Key:
    """Which clock of its ticket it is."""
    return Key(clock.agreement_id, Metric(clock.metric), clock.number)
