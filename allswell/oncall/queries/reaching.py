"""Whom the targets of a policy reach at an instant: what the rules of a run ask of the world."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.calendars import queries as calendars
from allswell.calendars import rules as hours
from allswell.notifications import queries as contacts
from allswell.notifications.rules import Reach
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
        self._teams = {pk for policy in held for pk in policy.ids(TargetKind.TEAM)}
        self._led = {pk for policy in held for kind in (TargetKind.LEAD, TargetKind.MANAGER) for pk in policy.ids(kind)}
        self._people = {pk for policy in held for pk in policy.ids(TargetKind.PERSON)}
        self._rotas = {pk for policy in held for pk in policy.ids(TargetKind.ROTA)}
        self._rooms = {pk for policy in held for pk in policy.ids(TargetKind.ROOM)}
        self._calendars = calendars.by_ids({pk for policy in held for pk in policy.calendars}) if held else {}
        self._on_call: dict[datetime, watch.Answers] = {}
        self._staff: dict[int, people.Staff] = {}
        #: of everybody who has come up
        self.names: dict[int, str] = {}
        self._asked: dict[datetime, set[int]] = {}
        self._gone: dict[datetime, set[int]] = {}
        self._reach: dict[int, Reach] = {}
        self._kinds: dict[int, str] | None = None

    def look(self, at: datetime) -> None:
        """Read all that the policies name, to answer for every step of them at one instant without asking again."""
        if self._rotas:
            self._on_call[at] = watch.on_call(self._rotas, at)
        if self._teams or self._led:
            self._staff.update(people.staff(self._teams | self._led))
        self._away(self._come_up(at), at)

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
                persons = self._of(target.id).members
            case TargetKind.LEAD:
                persons = self._of(target.id).chain[:1]
            case TargetKind.MANAGER:
                persons = self._of(target.id).chain[target.level : target.level + 1]
        gone = self._away(persons, at)
        return tuple(Called(target, person=person) for person in persons if person not in gone)

    def _away(self, persons: Iterable[int], at: datetime) -> set[int]:
        """Who is not there at an instant: asked of everybody who has come up so far, once."""
        asked, gone = self._asked.setdefault(at, set()), self._gone.setdefault(at, set())
        if not asked.issuperset(persons):
            fresh = (self._come_up(at) | set(persons)) - asked
            names, away = rows.presence(fresh, since=at, until=at + _MOMENT)
            self.names |= names
            gone |= {person for person in away if is_on_leave(away, person, at)} | (fresh - names.keys())
            asked |= fresh
        return gone

    def is_inside(self, calendar: int, at: datetime) -> bool:
        """Whether an instant is within the hours of a calendar; of one that is gone, always."""
        found = self._calendars.get(calendar)
        return found is None or hours.is_open(found, at)

    def reaches(self, one: Called) -> bool:
        """Whether there is a way to one that is called."""
        if one.webhook is not None:
            return True
        if one.room is not None:
            return one.room in self.rooms()
        found = self.reach([one.person or 0]).get(one.person or 0)
        return found is not None and found.has_way

    def reach(self, persons: Iterable[int]) -> dict[int, Reach]:
        """How people are reached: asked of everybody who has come up so far, once."""
        if not self._reach.keys() >= set(persons):
            fresh = (set().union(*self._asked.values()) | set(persons)) - self._reach.keys()
            self._reach |= dict.fromkeys(fresh, Reach()) | contacts.reachable(fresh)
        return self._reach

    def rooms(self) -> dict[int, str]:
        """The rooms that the policies name and that can be reached: by which kind of way."""
        if self._kinds is None:
            self._kinds = {room: kind for room, (kind, _, _) in contacts.ways(self._rooms).items()} if self._rooms else {}
        return self._kinds

    def _come_up(self, at: datetime) -> set[int]:
        """Everybody some target named so far."""
        said = [answer for levels in self._on_call.get(at, {}).values() for answer in levels.values()]
        on_call = {person for answer in said for person in (answer.person, answer.held) if person is not None}
        return self._people | on_call | {pk for team in self._staff.values() for pk in (*team.members, *team.chain)}

    def _of_rota(self, target: Target, at: datetime) -> list[int]:
        if at not in self._on_call:
            self._on_call[at] = watch.on_call(self._rotas | {target.id}, at)
        answer = self._on_call[at].get(target.id, {}).get(target.level)
        # who has not been relieved yet is called beside whoever should have taken over
        return [person for person in (answer.person, answer.held) if person is not None] if answer is not None else []

    def _of(self, team: int) -> people.Staff:
        if team not in self._staff:
            self._staff[team] = people.staff([team]).get(team, people.Staff([], []))
        return self._staff[team]


def next_called(row: Escalation) -> tuple[Called, ...]:
    """Whom a run calls next if nobody answers (or no word comes), as things stand; nobody when it ends then. Its ticket is loaded."""
    run = escalations.stands(row)
    if not run.is_open or run.next_at is None:
        return ()
    policy = Policy.parse(row.definition)
    came = advance(run, policy, priority=row.ticket.priority, at=run.next_at, world=Around([policy]))
    return next((taken.called for taken in came.taken if taken.empty is None), ())


def names_of(called: Iterable[Called]) -> list[str]:
    """The people among those that are called, by name."""
    wanted = [one.person for one in called if one.person is not None]
    names = dict(people.people().filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}
    return [names[person] for person in wanted if person in names]
