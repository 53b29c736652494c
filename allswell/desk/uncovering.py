"""What an act would leave without cover is said before it is done: the act itself is tried, looked at, and taken back.

So nothing has to foresee what an act comes to: leave, a swap, a way that is removed, a policy nobody follows any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from allswell.kernel.actor import Actor
from allswell.oncall import queries as rotas
from allswell.oncall.queries import escalations
from allswell.oncall.queries.escalations import InForceEverywhere
from allswell.oncall.rules.policies import Policy, TargetKind
from allswell.people import queries as people
from allswell.services import queries as services

from . import coverage
from .coverage import Coverage, Opened
from .door import Around, around

if TYPE_CHECKING:
    from allswell.services.models import ConfigurationItem

#: how far one looks, and at how many policies: somebody waits for the answer
LONGEST = timedelta(weeks=2)
MOST_POLICIES = 40


class Uncovers(Exception):
    """An act would leave services without cover, and whoever acts did not say that they know."""

    def __init__(self, opened: tuple[Opened, ...]) -> None:
        super().__init__(f"{len(opened)} services would not be covered")
        self.opened = opened


@dataclass(frozen=True, slots=True)
class Concerned:
    """What an act is about, by ids: people who are called, rotas, policies, and services and teams that follow one; and when."""

    people: tuple[int, ...] = ()
    rotas: tuple[int, ...] = ()
    policies: tuple[int, ...] = ()
    services: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def time(self, now: datetime) -> tuple[datetime, datetime]:
        """When to look: when the act holds, from now on, at most two weeks."""
        since = max(now, self.since or now).replace(second=0, microsecond=0)
        until = since + LONGEST
        return since, max(min(self.until or until, until), since + timedelta(minutes=1))


@contextmanager
def watched(concerned: Concerned, *, actor: Actor, now: datetime, is_sure: bool = False) -> Iterator[None]:
    """Do a use case inside, unless it leaves services without cover of which the actor knows who answers for them.

    Raises Uncovers then, and nothing was done. `is_sure`: it is done whatever it comes to.
    """
    rows = [] if is_sure else _rows(concerned, actor=actor)
    if not rows:
        yield
        return
    since, until = concerned.time(now)
    before = coverage.proved(rows, escalations.in_force_everywhere(), since, until)
    token = around.set(_Watch(before, rows, around.get()))
    try:
        yield
    finally:
        around.reset(token)


class _Watch:
    """Looks when the act is done, still inside its transaction."""

    def __init__(self, before: Coverage, rows: Sequence[ConfigurationItem], outer: Around | None) -> None:
        self._before, self._rows, self._outer = before, rows, outer

    def before(self, *, now: datetime) -> None:
        if self._outer is not None:
            self._outer.before(now=now)

    def after(self, result: Any, *, now: datetime) -> None:
        after = coverage.proved(self._rows, escalations.in_force_everywhere(), self._before.since, self._before.until)
        if opened := coverage.opened(self._before, after):
            raise Uncovers(opened)
        if self._outer is not None:
            self._outer.after(result, now=now)


def _rows(concerned: Concerned, *, actor: Actor) -> list[ConfigurationItem]:
    """The services that may be concerned and whose inside the actor knows, the most critical first."""
    uses = escalations.in_force_everywhere()
    named = {row.pk for person in concerned.people for row in rotas.rotas_of(person)}
    touched = uses.touching(policies=concerned.policies, rotas={*concerned.rotas, *named})
    touched |= _calling(uses, concerned.people)
    own = {service for service, use in uses.services.items() if use.policy in touched}
    by_team = {team for team, use in uses.teams.items() if use.policy in touched}
    wanted = Q(pk__in={*own, *concerned.services}) | Q(team__in={*by_team, *concerned.teams})
    if not (own or by_team or concerned.services or concerned.teams):
        return []
    found: list[ConfigurationItem] = []
    policies: set[int] = set()
    rows = services.known_inside(actor).filter(wanted, is_active=True).select_related("team")
    for row in rows.order_by("criticality", "name", "id"):
        use = uses.of(service=row.pk, team=row.team_id)
        if use is None or len(policies | {use.policy}) > MOST_POLICIES:
            continue
        if use.policy in touched or row.pk in concerned.services or row.team_id in concerned.teams:
            policies.add(use.policy)
            found.append(row)
    return found


def _calling(uses: InForceEverywhere, person_ids: Sequence[int]) -> set[int]:
    """The policies in use that call one of these people by name, with their team, or as lead or manager."""
    if not person_ids:
        return set()
    wanted = set(person_ids)
    teams = {row.team_id for person in wanted for row in people.memberships(person)}
    all_of_them = {use.policy: use.definition for use in (*uses.services.values(), *uses.teams.values())}
    managed = {pk for said in all_of_them.values() for kind in (TargetKind.LEAD, TargetKind.MANAGER) for pk in said.ids(kind)}
    chains = people.manager_chains(managed, levels=2) if managed else {}
    led = {team for team, chain in chains.items() if wanted & set(chain)}

    def calls(said: Policy) -> bool:
        above = said.ids(TargetKind.LEAD) | said.ids(TargetKind.MANAGER)
        return bool(said.ids(TargetKind.PERSON) & wanted or said.ids(TargetKind.TEAM) & teams or above & led)

    return {policy for policy, said in all_of_them.items() if calls(said)}
