"""The card of paging beside a ticket: whether somebody has it, whom it calls next and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allswell.desk.runs import may_rest
from allswell.intake.queries.quiet import at_rest
from allswell.oncall.queries import beside, escalations
from allswell.oncall.queries.beside import LastCalled
from allswell.oncall.queries.reaching import names_of, next_called
from allswell.oncall.rules.escalating import RunState
from allswell.web.page_links import joined

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation
    from allswell.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Card:
    """How the paging of a ticket stands. `state`: running, acknowledged, exhausted, ended, or none (no run at all)."""

    state: str
    run: Escalation | None = None
    more: int = 0  # further runs that are open, too
    next: str = ""
    called: tuple[LastCalled, ...] = ()
    has_policy: bool = True
    starts: tuple[int, ...] = ()
    rests: bool = False  # all its alerts are held back


#: what concerns most comes first
_ORDER = (RunState.RUNNING.value, RunState.ACKNOWLEDGED.value)


def card(ticket: Ticket) -> Card | None:
    """The card; None where there is nothing to say: a ticket that is done and was never paged for."""
    runs = escalations.newest_runs(ticket.pk)
    held = sorted((row for row in runs if row.ended_at is None), key=lambda row: _ORDER.index(row.state))
    row = held[0] if held else next(iter(runs), None)
    if row is None:
        return None if ticket.done_at else _without_run(ticket)
    row.ticket = ticket
    if row.ended_at is not None:
        return Card(row.state, row)
    last = beside.called_last(row.pk, turn=row.turn - 1) if row.turn and row.state == RunState.RUNNING.value else []
    rests = row.state == RunState.RUNNING.value and may_rest(row, ticket) and bool(at_rest([ticket.pk]))
    names = "" if rests else joined(names_of(next_called(row)))
    return Card(row.state, row, more=len(held) - 1, next=names, called=tuple(last), rests=rests)


def _without_run(ticket: Ticket) -> Card:
    found = escalations.in_force(service=ticket.service_id, team=ticket.team_id)
    said: dict[str, Any] = found.definition if found else {}
    return Card("none", has_policy=found is not None, starts=tuple(said.get("starts", ())))
