"""Warnings and breaches of clocks: each is told once, in the transaction that marks it as told.

A warning goes to who works on the ticket, or to the team when nobody does; a breach to the team, then to its lead. What passed while
no engine ran becomes one notice per person. A promise broken only because the ticket was rated anew is written down, not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from allswell.database.alone import is_alone
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.notifications import bulk as notices
from allswell.notifications.rules import Passed, Topic
from allswell.people import queries as people
from allswell.people.rules import Act, TicketFacts, may
from allswell.sla import alarm_operations as alarms
from allswell.sla import alarm_queries
from allswell.sla.rules.alarms import Alarm
from allswell.tickets import operations as tickets
from allswell.tickets import queries
from allswell.tickets.rules import reference

from .door import use_case

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.people.queries import Crew
    from allswell.tickets.models import Ticket

#: what one transaction holds at most; others can write in between
BATCH = 500
_LATE = "allswell.clocks.late"


@use_case
def fire(*, limit: int = BATCH, actor: Actor, now: datetime) -> int:
    """Give the warnings and breaches whose instant has passed, oldest first; answers how many, at most `limit`."""
    due = alarms.claim(now=now, limit=limit, with_late=is_alone(_LATE))
    if not due:
        return 0
    breached = [alarm.clock for alarm in due if alarm.is_breach(now)]
    alarms.mark_breached(breached)
    alarms.mark_warned({alarm.clock for alarm in due} - set(breached), now=now)
    told = _written(due, actor=actor, now=now)
    stands = queries.told_of(alarm.ticket for alarm in due)
    notices.fan_out([(entry, partial(tickets.payload, entry, stands[alarm.ticket])) for alarm, entry in told], now=now)
    _tell(told, stands, actor=actor, now=now)
    return len(due)


def next_alarm() -> datetime | None:
    """The instant at which a clock makes itself heard next."""
    return alarm_queries.next_alarm()


def _written(due: Sequence[Alarm], *, actor: Actor, now: datetime) -> list[tuple[Alarm, Entry]]:
    """Each alarm with its journal entry; a breach happened at its own instant, whenever it was noticed."""
    entries = [
        journal.entry(
            Verb.CLOCK_BREACHED if alarm.is_breach(now) else Verb.CLOCK_WARNED,
            about=("ticket", alarm.ticket),
            ticket=alarm.ticket,
            actor=actor,
            now=now,
            data=alarm.noted(now),
            happened_at=alarm.rang_at(now) if alarm.is_breach(now) else now,
        )
        for alarm in due
    ]
    journal.record_all(entries)
    return list(zip(due, entries, strict=True))


def _tell(told: Sequence[tuple[Alarm, Entry]], stands: dict[int, Ticket], *, actor: Actor, now: datetime) -> None:
    heard = [(alarm, entry) for alarm, entry in told if not (alarm.is_rerated and alarm.is_breach(now))]
    audience = _Audience([stands[alarm.ticket] for alarm, _ in heard], now=now)
    at_once: list[notices.Notice] = []
    late: dict[int, Passed] = {}
    for alarm, entry in heard:
        ticket, is_breach = stands[alarm.ticket], alarm.is_breach(now)
        persons = list(audience.of_breach(ticket) if is_breach else audience.of_warning(ticket))
        if alarm.is_late(now):
            passed = _passed(alarm, ticket, is_breach=is_breach, now=now)
            late |= {person: late[person].joined(passed) if person in late else passed for person in persons}
            continue
        content = {"metric": alarm.metric, "due_at": alarm.due_at.isoformat()}
        topic = Topic.BREACHED if is_breach else Topic.WARNED
        at_once += [notices.Notice(topic, person, entry, content) for person in persons]
    notices.enqueue(at_once, now=now)
    if late:
        notices.gather(late, action=actor.action.hex, now=now)


def _passed(alarm: Alarm, ticket: Ticket, *, is_breach: bool, now: datetime) -> Passed:
    at = alarm.rang_at(now).astimezone(UTC).isoformat()
    return Passed(
        warned=int(not is_breach),
        breached=int(is_breach),
        tickets=(reference(ticket.kind, ticket.pk),),
        since=at,
        until=at,
    )


@dataclass(frozen=True, slots=True)
class _Team:
    crew: Crew

    @property
    def reachable(self) -> tuple[int, ...]:
        """Who of the team is there; all when nobody is."""
        return self.crew.present or self.crew.members


class _Audience:
    """Who hears of the tickets of a batch, looked up once for all of them."""

    def __init__(self, stands: Iterable[Ticket], *, now: datetime) -> None:
        rows = {ticket.pk: ticket for ticket in stands}
        crews = people.crews({ticket.team_id for ticket in rows.values() if ticket.team_id}, now=now)
        self._teams = {team: _Team(crew) for team, crew in crews.items()}
        assignees = {ticket.assignee_id for ticket in rows.values() if ticket.assignee_id}
        self._away = people.away(assignees, now=now) if assignees else set()
        leads = {crew.lead for crew in crews.values() if crew.lead}
        persons = assignees | leads | {person for crew in crews.values() for person in crew.members}
        self._actors = people.actors(persons)
        self._facts: dict[int, TicketFacts] = queries.facts_for_many(rows.values(), persons)

    def _may(self, ticket: Ticket, persons: Iterable[int]) -> Iterator[int]:
        facts = self._facts[ticket.pk]
        for person in persons:
            actor = self._actors.get(person)
            if actor is not None and may(actor, Act.SEE_INTERNAL, facts):
                yield person

    def of_warning(self, ticket: Ticket) -> list[int]:
        """Who works on it; the team when nobody does, or who does is out of office."""
        team = self._teams.get(ticket.team_id or 0)
        theirs = team.reachable if team else ()
        if ticket.assignee_id is None or ticket.assignee_id in self._away:
            return list(self._may(ticket, dict.fromkeys((*theirs, *filter(None, [ticket.assignee_id])))))
        return list(self._may(ticket, [ticket.assignee_id])) or list(self._may(ticket, theirs))

    def of_breach(self, ticket: Ticket) -> list[int]:
        """The team with who works on it, then the lead."""
        team = self._teams.get(ticket.team_id or 0)
        found = [*filter(None, [ticket.assignee_id]), *(team.crew.members if team else ())]
        return list(self._may(ticket, dict.fromkeys([*found, *filter(None, [team.crew.lead if team else None])])))
