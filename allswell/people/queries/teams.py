"""Reading teams: who works in them, who leads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from allswell.database.rows import PreparedModel
from allswell.people.models import Membership, Person, Team
from allswell.people.rules import is_away

from .organizations import by_ref

_TEAM = PreparedModel(Team, lambda pk: Team.objects.filter(pk=pk, is_active=True))


def team(team_id: int) -> Team | None:
    """An active team."""
    found: Team | None = _TEAM.record(team_id)
    return found


def first_line() -> Team | None:
    """Where a ticket goes that names neither team nor service: the first team of line 1."""
    return Team.objects.filter(is_active=True, line=1).order_by("id").first()


def teams() -> QuerySet[Team]:
    """All teams."""
    return Team.objects.all()


def members(team_id: int) -> QuerySet[Person]:
    """The active members of a team."""
    return Person.objects.filter(memberships__team=team_id, is_active=True).order_by("name", "id")


def members_of(team_ids: Iterable[int]) -> dict[int, list[int]]:
    """Team id -> ids of its active members, in the order of `members`."""
    wanted = list(team_ids)
    found: dict[int, list[int]] = defaultdict(list)
    if wanted:
        rows = Membership.objects.filter(team__in=wanted, person__is_active=True).order_by("person__name", "person_id")
        for team, person in rows.values_list("team_id", "person_id"):
            found[team].append(person)
    return dict(found)


def present_members(team_id: int, *, now: datetime) -> list[int]:
    """Ids of the active members of a team who are not away."""
    rows = members(team_id).values_list("pk", "away_from", "away_until")
    return [person for person, away_from, away_until in rows if not is_away(away_from, away_until, now=now)]


def led_teams() -> QuerySet[Team]:
    """The teams in use whose lead is in use."""
    return Team.objects.filter(is_active=True, lead__is_active=True)


@dataclass(frozen=True, slots=True)
class Crew:
    """Who a team is at this hour: its active members, those of them who are not away, and its lead."""

    members: tuple[int, ...]
    present: tuple[int, ...]
    lead: int | None


def crews(team_ids: Iterable[int], *, now: datetime) -> dict[int, Crew]:
    """Several teams at once, in two statements."""
    wanted = set(team_ids)
    if not wanted:
        return {}
    leads = dict(Team.objects.filter(pk__in=wanted, is_active=True).values_list("pk", "lead_id"))
    found: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    rows = Membership.objects.filter(team__in=wanted, person__is_active=True).order_by("person_id")
    for of_team, person, away_from, away_until in rows.values_list(
        "team_id", "person_id", "person__away_from", "person__away_until"
    ):
        found[of_team].append((person, is_away(away_from, away_until, now=now)))
    return {
        team: Crew(
            members=tuple(person for person, _ in found[team]),
            present=tuple(person for person, is_gone in found[team] if not is_gone),
            lead=lead,
        )
        for team, lead in leads.items()
    }


@dataclass(frozen=True, slots=True)
class Staff:
    """The active members of a team by name, and its `manager_chain` (of a team that is in use)."""

    members: list[int]
    chain: list[int]


_LEADS = [f"lead{'__manager' * up}__{name}" for up in range(3) for name in ("pk", "is_active", "manager_id")]
_ABOVE = [f"{'manager__' * up}{name}" for up in range(3) for name in ("pk", "is_active", "manager_id")]


def staff(team_ids: Iterable[int]) -> dict[int, Staff]:
    """The staff of several teams at once: one statement, and one more for every three people of the longest chain beyond."""
    members: dict[int, list[tuple[str, int]]] = {}
    leads: dict[int, int | None] = {}
    known: dict[int, tuple[bool, int | None]] = {}
    columns = ("pk", "is_active", "memberships__person", "memberships__person__name", "memberships__person__is_active")
    for pk, is_active, person, name, is_member, *above in Team.objects.filter(pk__in=list(team_ids)).values_list(
        *columns, *_LEADS
    ):
        leads[pk] = above[0] if is_active else None
        _learn(above, known)
        members.setdefault(pk, [])
        if is_member:
            members[pk].append((name, person))
    while wanted := {manager for _, manager in known.values() if manager is not None and manager not in known}:
        for found in Person.objects.filter(pk__in=wanted).values_list(*_ABOVE):
            _learn(list(found), known)
    return {pk: Staff([person for _, person in sorted(rows)], _chain(leads[pk], known)) for pk, rows in members.items()}


def _learn(facts: list[Any], known: dict[int, tuple[bool, int | None]]) -> None:
    """Note who of three people is in use, and who is above each."""
    for person, is_active, manager in zip(facts[::3], facts[1::3], facts[2::3], strict=True):
        if person is not None:
            known[person] = (is_active, manager)


def _chain(person: int | None, known: dict[int, tuple[bool, int | None]]) -> list[int]:
    seen: list[int] = []
    while person is not None and person not in seen:
        seen.append(person)
        person = known[person][1]
    return [one for one in seen if known[one][0]]


def manager_chain(team: Team) -> list[int]:
    """Who hierarchic escalation goes to, in order: the lead, then up the managers. Ends at a loop."""
    chain: list[int] = []
    seen: set[int] = set()
    person = team.lead
    while person is not None and person.pk not in seen:
        seen.add(person.pk)
        if person.is_active:
            chain.append(person.pk)
        person = person.manager
    return chain


def manager_chains(team_ids: Iterable[int], *, levels: int = 9) -> dict[int, list[int]]:
    """Team id -> its `manager_chain` up to so many managers above the lead; one statement where the first two are enough."""
    wanted = list(team_ids)
    leads: dict[int, int | None] = {}
    above: dict[int, tuple[int | None, bool]] = {}
    rows = Team.objects.filter(pk__in=wanted, is_active=True).values_list(*_LED) if wanted else ()
    for team, lead, is_active, manager, manager_is_active, further in rows:
        leads[team] = lead
        if lead is not None:
            above[lead] = (manager, bool(is_active))
        if manager is not None:
            above.setdefault(manager, (further, bool(manager_is_active)))
    while missing := {end for lead in leads.values() if (end := _up(lead, above, levels)[1]) is not None}:
        found = Person.objects.filter(pk__in=missing).values_list("pk", "manager_id", "is_active")
        above |= {pk: (manager, is_active) for pk, manager, is_active in found}
    return {team: _up(lead, above, levels)[0] for team, lead in leads.items()}


_LED = ("pk", "lead_id", "lead__is_active", "lead__manager_id", "lead__manager__is_active", "lead__manager__manager_id")


def _up(lead: int | None, above: dict[int, tuple[int | None, bool]], levels: int) -> tuple[list[int], int | None]:
    """Those in use from a lead up, and whom one must know to go on."""
    chain: list[int] = []
    seen: set[int] = set()
    person = lead
    while person is not None and person not in seen and len(chain) <= levels:
        if person not in above:
            return chain, person
        seen.add(person)
        manager, is_active = above[person]
        if is_active:
            chain.append(person)
        person = manager
    return chain, None


def team_sizes() -> dict[int, int]:
    """Team id -> number of active members."""
    sizes: dict[int, int] = defaultdict(int)
    for team in Membership.objects.filter(person__is_active=True).values_list("team_id", flat=True):
        sizes[team] += 1
    return sizes


def memberships(person_id: int) -> QuerySet[Membership]:
    """The teams somebody works in."""
    return Membership.objects.filter(person=person_id).select_related("team").order_by("team__name")


@dataclass(frozen=True, slots=True)
class TeamChoice:
    """A team for somebody: whether they work in it, and whether it may be chosen."""

    pk: int
    name: str
    slug: str
    is_held: bool
    is_open: bool


def teams_around(person_id: int, *, known: QuerySet[Team]) -> list[TeamChoice]:
    """The known teams and those somebody works in, by name."""
    held = Exists(Membership.objects.filter(team=OuterRef("pk"), person=person_id))
    rows = Team.objects.annotate(is_held=held, is_open=Exists(known.filter(pk=OuterRef("pk"))))
    rows = rows.filter(Q(is_held=True) | Q(is_open=True)).order_by("name")
    return [TeamChoice(*row) for row in rows.values_list("pk", "name", "slug", "is_held", "is_open")]


def team_by_ref(ref: int | str) -> Team | None:
    """A team by id or slug, in use or not."""
    return Team.objects.select_related("organization", "lead").filter(**by_ref(ref)).first()
