"""Whom the targets of a policy reach at an instant: what the rules of a run ask of the world."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.calendars import queries as calendars
from allswell.calendars import rules as hours
from allswell.oncall.rules import is_on_leave
from allswell.oncall.rules.escalating import Called, advance
from allswell.oncall.rules.policies import Policy, Target, TargetKind
from allswell.people import queries as people

from . import escalations, rows, watch

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation

_MOMENT = timedelta(microseconds=1)


class Around:
    """The people, rotas and calendars some policies name, asked once each however often a run looks.

    Whoever is on leave, away or no longer in use is reached by no target. For a dry run `at` may lie in the future.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        held = list(policies)
        self._rotas = {pk for policy in held for pk in policy.ids(TargetKind.ROTA)}
        self._named = {pk for policy in held for pk in policy.ids(TargetKind.PERSON)}
        self._gone: dict[datetime, tuple[set[int], set[int]]] = {}
        self._calendars = calendars.by_ids({pk for policy in held for pk in policy.calendars}) if held else {}
        self._on_call: dict[datetime, watch.Answers] = {}
        self._members: dict[int, list[int]] = {}
        self._chains: dict[int, list[int]] = {}

    def called(self, target: Target, at: datetime) -> tuple[Called, ...]:
        """Whom a target reaches at an instant; nobody when nobody is there."""
        match target.kind:
            case TargetKind.ROOM:
                return (Called(target, room=target.id),)
            case TargetKind.WEBHOOK:
                return (Called(target, webhook=target.id),)
            case TargetKind.ROTA:
                persons = self._of_rota(target, at)
            case TargetKind.PERSON:
                persons = [target.id]
            case TargetKind.TEAM:
                persons = self._of_team(target.id)
            case TargetKind.LEAD:
                persons = self._chain(target.id)[:1]
            case TargetKind.MANAGER:
                persons = self._chain(target.id)[target.level : target.level + 1]
        gone = rows.leave_of(persons, since=at, until=at + _MOMENT) if persons else {}
        return tuple(Called(target, person=person) for person in persons if not is_on_leave(gone, person, at))

    def is_inside(self, calendar: int, at: datetime) -> bool:
        """Whether an instant is within the hours of a calendar; of one that is gone, always."""
        found = self._calendars.get(calendar)
        return found is None or hours.is_open(found, at)

    def _not_there(self, persons: list[int], at: datetime) -> set[int]:
        """Who is on leave, away or no longer in use at an instant; those named in the policies are asked about together."""
        asked, gone = self._gone.setdefault(at, (set(), set()))
        unknown = set(persons) - asked
        if unknown:
            unknown |= self._named - asked
            gone |= rows.leave_of(unknown, since=at, until=at + _MOMENT).keys()
            asked |= unknown
        return gone

    def _of_rota(self, target: Target, at: datetime) -> list[int]:
        if at not in self._on_call:
            self._on_call[at] = watch.on_call(self._rotas | {target.id}, at)
        answer = self._on_call[at].get(target.id, {}).get(target.level)
        # who has not been relieved yet is called beside whoever should have taken over
        return [person for person in (answer.person, answer.held) if person is not None] if answer is not None else []

    def _of_team(self, team: int) -> list[int]:
        if team not in self._members:
            self._members[team] = list(people.members(team).values_list("pk", flat=True))
        return self._members[team]

    def _chain(self, team: int) -> list[int]:
        if team not in self._chains:
            row = people.team(team)
            self._chains[team] = people.manager_chain(row) if row else []
        return self._chains[team]


def next_called(row: Escalation) -> tuple[Called, ...]:
    """Whom a run calls next if nobody answers (or no word comes), as things stand; nobody when it ends then. Its ticket is loaded."""
    run = escalations.stands(row)
    if not run.is_open or run.next_at is None:
        return ()
    policy = Policy.parse(row.definition)
    came = advance(run, policy, priority=row.ticket.priority, at=run.next_at, world=Around([policy]))
    return next((taken.called for taken in came.taken if taken.called), ())


def names_of(called: Iterable[Called]) -> list[str]:
    """The people among those that are called, by name."""
    wanted = [one.person for one in called if one.person is not None]
    names = dict(people.people().filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}
    return [names[person] for person in wanted if person in names]
