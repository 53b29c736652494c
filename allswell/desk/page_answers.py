"""What somebody is shown who opens the address of a page: how the run stands, and as much of the ticket as they may see now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from allswell.incidents import queries as incidents
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.errors import NotFound
from allswell.oncall.queries import escalations, ledger
from allswell.oncall.queries.ledger import PageStory
from allswell.oncall.queries.reaching import names_of, next_called
from allswell.oncall.rules.escalating import RunState
from allswell.people import queries as people
from allswell.tickets import alike
from allswell.tickets import queries as tickets
from allswell.tickets.alike import Solved
from allswell.tickets.rules import reference

if TYPE_CHECKING:
    from allswell.incidents.models import Announcement
    from allswell.oncall.models import Escalation, Page
    from allswell.tickets.models import Ticket

#: pages of one person shown together
MOST_TOGETHER = 50
#: behind every priority
_LAST = 9


class Stands(StrEnum):
    """How a page stands for who was called by it."""

    WAITING = "waiting"  # nobody has it
    MINE = "mine"  # they answered, and their promise holds
    TAKEN = "taken"  # somebody else did
    OVER = "over"  # there is nothing left to answer
    DRILL = "drill"  # it only tries the way
    DRILL_DONE = "drill_done"


@dataclass(frozen=True, slots=True)
class Other:
    """Another page that waits for the same person; `title` is "" when they may not see the ticket any more.

    Practice has no `reference` and stands behind everything else.
    """

    page: int
    reference: str
    title: str
    priority: int
    since: datetime
    number: int = 0
    rings: bool = False  # on open pages of the desk


@dataclass(frozen=True, slots=True)
class Shown:
    """What the address of a page shows. `ticket` is None when its person may not see it any more; then the number is all there is."""

    page: Page
    stands: Stands
    reference: str = ""
    ticket: Ticket | None = None
    service: str = ""
    run: Escalation | None = None
    holder: str = ""  # who has it
    next_names: tuple[str, ...] = ()  # of others; `is_next`: they are called again themselves, too
    is_next: bool = False
    next_at: datetime | None = None
    has_passed: bool = False
    announcement: Announcement | None = None
    solved: Solved | None = None
    others: tuple[Other, ...] = ()
    drill: PageStory | None = None  # of practice, what became of it so far
    is_at_desk: bool = False  # the ticket's page at the desk is open to them

    @property
    def why(self) -> dict[str, Any]:
        """The target that named them: kind and level."""
        return self.page.why if isinstance(self.page.why, dict) else {}


def called_by(page_id: int) -> tuple[Page, Actor]:
    """The page, and who was called by it. Raises NotFound when they are no longer in use, or it called a room."""
    row = escalations.page(page_id)
    person = people.person(row.person_id) if row is not None and row.person_id is not None else None
    if row is None or person is None:
        raise NotFound("There is no such page, or it called somebody else.")
    return row, people.actor_for(person, channel=Channel.PHONE)


def shown(row: Page, *, actor: Actor) -> Shown:
    """Everything the address of a page shows to its person."""
    run = row.escalation
    if run is None or row.ticket is None:
        told = ledger.of_pages([row.pk])
        return Shown(row, Stands.DRILL_DONE if row.acknowledged_at else Stands.DRILL, drill=told[0] if told else None)
    run.ticket = row.ticket
    sees = tickets.visible_to(actor).filter(pk=row.ticket.pk).exists()
    ticket = row.ticket if sees else None
    is_at_desk = sees and tickets.at_the_desk(actor).filter(pk=row.ticket.pk).exists()
    stands = _stands(run, actor)
    following = next_called(run) if run.next_step_at is not None else ()
    others = [one for one in following if one.person != actor.person]
    return Shown(
        page=row,
        stands=stands,
        reference=reference(row.ticket.kind, row.ticket.pk),
        ticket=ticket,
        service=ticket.service.name if ticket and ticket.service else "",
        run=run,
        holder=run.acknowledged_by.name if stands is Stands.TAKEN and run.acknowledged_by else "",
        next_names=tuple(names_of(others)),
        is_next=len(others) < len(following),
        next_at=run.next_step_at,
        has_passed=row.closed_at is not None and row.acknowledged_at is None and stands is Stands.WAITING,
        announcement=incidents.open_announcement(row.ticket.pk) if ticket else None,
        solved=alike.solved_before(ticket, actor=actor) if ticket and is_at_desk else None,
        others=_others(row, actor=actor) if stands in (Stands.WAITING, Stands.MINE) else (),
        is_at_desk=is_at_desk,
    )


def _stands(run: Escalation, actor: Actor) -> Stands:
    if run.state == RunState.RUNNING.value:
        return Stands.WAITING
    if run.state == RunState.ACKNOWLEDGED.value:
        return Stands.MINE if run.acknowledged_by_id == actor.person else Stands.TAKEN
    return Stands.OVER


def _others(row: Page, *, actor: Actor) -> tuple[Other, ...]:
    """What else waits for the same person, the most urgent first; one line a ticket."""
    return tuple(other for other in waiting_for(actor) if other.number and other.number != row.ticket_id)


def waiting_for(actor: Actor) -> tuple[Other, ...]:
    """What calls the actor and has no answer, the most urgent first; one line a ticket."""
    called = list(escalations.open_pages_of(actor.person or 0)[:MOST_TOGETHER])
    waiting = {one.ticket.pk: one for one in called if one.ticket}
    if not called:
        return ()
    seen = set(tickets.visible_to(actor).filter(pk__in=list(waiting)).values_list("pk", flat=True))
    ringing = {pk for pk, rings in escalations.alarms([actor.person or 0]).get(actor.person or 0, ()) if rings}
    found = [
        Other(
            page=one.pk,
            reference=reference(one.ticket.kind, number),
            title=one.ticket.title if number in seen else "",
            priority=one.ticket.priority,
            since=one.ticket.occurred_at or one.ticket.opened_at,
            number=number,
            rings=one.pk in ringing,
        )
        for number, one in waiting.items()
        if one.ticket is not None
    ]
    found += [Other(one.pk, "", "", _LAST, one.created_at, 0, one.pk in ringing) for one in called if one.ticket is None]
    return tuple(sorted(found, key=lambda other: (other.priority, other.since)))
