"""The dry run: what would happen if something failed at an instant and nobody answered, or somebody did. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid, NotFound
from allswell.kernel.instants import sensible
from allswell.oncall.queries import escalations
from allswell.oncall.queries.ahead import Ahead
from allswell.oncall.queries.escalations import Use
from allswell.oncall.rules import FARTHEST
from allswell.oncall.rules.policies import PRIORITIES, Policy
from allswell.oncall.rules.simulating import LONGEST, Answer, Moment, What, walk
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services

from .people import team_for
from .policies import checked, policy_for

if TYPE_CHECKING:
    from allswell.oncall.models import EscalationPolicy
    from allswell.people.models import Team
    from allswell.services.models import ConfigurationItem

#: minutes after which somebody may answer
MOST_MINUTES = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What a dry run is about: one of a service, a team, a policy, or a draft of one (`definition`)."""

    service: int | str | None = None
    team: int | str | None = None
    policy: int | str | None = None
    definition: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Simulated:
    """The answer. Without a `definition` nobody would be called; `row` is the policy it is, where it is not a draft.

    `starts` says whether an incident of this priority starts it by itself; `zones` are those of the people in it.
    """

    at: datetime
    priority: int
    service: ConfigurationItem | None = None
    team: Team | None = None
    row: EscalationPolicy | Use | None = None
    definition: Policy | None = None
    moments: tuple[Moment, ...] = ()
    names: dict[int, str] | None = None
    zones: dict[int, str] | None = None

    @property
    def starts(self) -> bool:
        """Whether it would start by itself."""
        return self.definition is not None and self.priority in self.definition.starts

    @property
    def calls(self) -> int:
        """How many people and rooms would be called."""
        return sum(len(moment.calls) for moment in self.moments)


def what_happens(asked: Asked, *, at: datetime, priority: int = 1, answer: Answer | None = None, actor: Actor) -> Simulated:
    """Who would be called when, and by what, if an incident of this priority began at `at`.

    Raises Invalid, NotFound, NotAllowed.
    """
    require(actor, Act.SEE_DESK, INSTALLATION)
    if priority not in PRIORITIES:
        raise Invalid("Priorities go from 1 to 5.", field="priority")
    at = sensible(at, field="at").astimezone(UTC)
    service, team, row, said = policy_asked(asked, actor=actor)
    if said is None:
        return Simulated(at, priority, service, team, names={}, zones={})
    if answer is not None and not 0 <= answer.step < len(said.steps):
        raise Invalid("The policy has no such step.", field="answered_step")
    ahead = Ahead([said], at, at + LONGEST + timedelta(days=1))
    moments = walk(said, priority=priority, at=at, world=ahead.world, reach=ahead.reach, rooms=ahead.rooms, answer=answer)
    called = {call.called.person for moment in moments for call in moment.calls if call.called.person is not None}
    names = {person: name for person, name in ahead.names.items() if person in called}
    return Simulated(at, priority, service, team, row, said, moments, names, ahead.zones)


def check_horizon(at: datetime, *, now: datetime) -> datetime:
    """An instant that is not too far ahead to be planned. Raises Invalid."""
    if sensible(at, field="at") > now + FARTHEST:
        raise Invalid("This is too far ahead.", field="at")
    return at


def policy_asked(
    asked: Asked, *, actor: Actor
) -> tuple[ConfigurationItem | None, Team | None, EscalationPolicy | Use | None, Policy | None]:
    """The service or team, and the policy that holds there, as far as the actor may know them. Raises Invalid, NotFound, NotAllowed."""
    if sum(one is not None for one in (asked.service, asked.team, asked.policy)) > 1:
        raise Invalid("Give one of service, team and policy.", field="policy")
    if asked.definition is not None:
        row = policy_for(asked.policy, actor=actor) if asked.policy is not None else None
        known = escalations.policy_definition(row) if row is not None else None
        return None, None, row, checked(asked.definition, known=known, actor=actor)
    if asked.policy is not None:
        row = policy_for(asked.policy, actor=actor)
        return None, None, row, escalations.policy_definition(row)
    service, team = _place(asked, actor=actor)
    use = escalations.use_in_force(service=service.pk if service else None, team=team.pk if team else None)
    return service, team, use, use.definition if use is not None else None


def _place(asked: Asked, *, actor: Actor) -> tuple[ConfigurationItem | None, Team | None]:
    if asked.service is not None:
        service = _service(asked.service, actor=actor)
        return service, service.team
    if asked.team is None:
        raise Invalid("Give one of service, team and policy.", field="service")
    if actor.is_system:
        team = people.team_by_ref(asked.team)
        if team is None:
            raise NotFound("There is no such team, or you may not know it.")
        return None, team
    return None, team_for(asked.team, Act.SEE_DESK, actor=actor)


def _service(ref: int | str, *, actor: Actor) -> ConfigurationItem:
    """A service whose inside the actor knows: who answers for it is not for everybody who may report about it."""
    row = services.named(ref, known=services.known_inside(actor))
    if row is None:
        raise NotFound("There is no such service, or you may not know it.")
    return row


# instants as people say them


@dataclass(frozen=True, slots=True)
class Local:
    """A time on the wall as an instant; `is_twice` where the clocks show it twice that night, `is_skipped` where never."""

    at: datetime
    is_twice: bool = False
    is_skipped: bool = False


def on_the_wall(naive: datetime, zone: tzinfo, *, is_second: bool = False) -> Local:
    """The instant at which the clocks of a place show a time: the first of two unless `is_second`; one they skip comes after the skip."""
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return Local(first)
    if first < second:
        return Local(second if is_second else first, is_twice=True)
    return Local(first, is_skipped=True)


__all__ = [
    "MOST_MINUTES",
    "Answer",
    "Asked",
    "Local",
    "Moment",
    "Simulated",
    "What",
    "check_horizon",
    "on_the_wall",
    "policy_asked",
    "what_happens",
]
