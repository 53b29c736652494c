"""The world of a time ahead, read once: for the dry run and the proof of coverage, which then ask the database nothing more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import IntegerField, Value

from allswell.calendars import queries as calendars
from allswell.notifications import queries as contacts
from allswell.notifications.rules import Reach
from allswell.oncall.models import Rota
from allswell.oncall.rules import Slot, Span, Version, merged
from allswell.oncall.rules.knowing import Known
from allswell.oncall.rules.policies import Policy, TargetKind
from allswell.people import queries as people

from . import rows, watch

_NONE = Value(None, output_field=IntegerField())
_MANAGED = frozenset({TargetKind.LEAD, TargetKind.MANAGER})


class Ahead:
    """What some policies may meet between two instants: the world, how everybody is reached, and what kind the teams' rooms are.

    `versions` of rotas stand in for those kept, `leave` is added: to see what an edit would come to.
    """

    def __init__(
        self,
        policies: Iterable[Policy],
        since: datetime,
        until: datetime,
        *,
        versions: Mapping[int, list[Version]] | None = None,
        leave: Mapping[int, Sequence[tuple[datetime, datetime]]] | None = None,
    ) -> None:
        held = list(policies)
        rotas = _ids(held, TargetKind.ROTA)
        slots = _slots(rotas, since, until, versions or {})
        members = people.members_of(_ids(held, TargetKind.TEAM))
        managed = [target for policy in held for step in policy.steps for target in step.targets if target.kind in _MANAGED]
        levels = max((target.level for target in managed if target.kind is TargetKind.MANAGER), default=0)
        chains = people.manager_chains({target.id for target in managed}, levels=levels)
        self.persons = {slot.person for found in slots.values() for slot in found if slot.person is not None}
        self.persons |= _ids(held, TargetKind.PERSON)
        self.persons |= {one for found in (*members.values(), *chains.values()) for one in found}
        self.names: dict[int, str] = {}
        self.zones: dict[int, str] = {}
        homes, away = self._look_at(since, until)
        for person, spans in (leave or {}).items():
            away.setdefault(person, []).extend(spans)
        self.reach: dict[int, Reach] = contacts.reachable(self.persons, homes=homes)
        rooms = _ids(held, TargetKind.ROOM)
        self.rooms = {room: kind for room, (kind, _, _) in contacts.ways(rooms).items()} if rooms else {}
        self.world = Known(
            since,
            until,
            slots=slots,
            leave={person: sorted(spans) for person, spans in away.items()},
            members=members,
            chains=chains,
            calendars=calendars.by_ids({pk for policy in held for pk in policy.calendars}) if held else {},
            reach=self.reach,
            rooms=self.rooms,
        )

    def _look_at(self, since: datetime, until: datetime) -> tuple[dict[int, contacts.Home], dict[int, list[Span]]]:
        """Where everybody is, and when they are not there, as `rows.leave_of` says it; one statement, in which leave has no name."""
        homes: dict[int, contacts.Home] = {}
        away: dict[int, list[Span]] = {}
        if not self.persons:
            return homes, away
        columns = ("pk", "name", "is_active", "away_from", "away_until", "time_zone", *contacts.QUIET)
        known = people.people().filter(pk__in=self.persons).values_list(*columns)
        spans = rows.leaves(self.persons, since=since, until=until).order_by()
        spans = spans.values_list("person_id", Value(""), Value(True), "starts_at", "ends_at", Value(""), _NONE, _NONE)
        for pk, name, is_active, away_from, away_until, zone, *quiet in known.union(spans, all=True):
            if not name:
                away.setdefault(pk, []).append((away_from, away_until))
                continue
            homes[pk] = (zone, quiet[0], quiet[1])
            self.names[pk], self.zones[pk] = name, zone or settings.DEFAULT_TIME_ZONE
            if not is_active:
                away.setdefault(pk, []).append((rows.EVER, rows.NEVER))
            elif away_from or away_until:
                away.setdefault(pk, []).append((away_from or rows.EVER, away_until or rows.NEVER))
        return homes, away


def _ids(policies: Iterable[Policy], kind: TargetKind) -> set[int]:
    return {pk for policy in policies for pk in policy.ids(kind)}


def _slots(
    rota_ids: Collection[int], since: datetime, until: datetime, versions: Mapping[int, list[Version]]
) -> dict[int, tuple[Slot, ...]]:
    """Who is on call in the rotas in use: what is written, and beyond that what the rules say; by `versions` all is worked out."""
    if not rota_ids:
        return {}
    read = watch.written_ahead(rota_ids, since, until)
    planned = {rota: ends_at for rota, (ends_at, _) in read.items()}
    if unwritten := set(rota_ids) - planned.keys():
        planned |= dict(Rota.objects.filter(pk__in=unwritten, is_active=True).values_list("pk", "planned_until"))
    planned |= {rota: since for rota in planned if rota in versions}
    slots = {rota: found for rota, (_, found) in read.items()}
    found = {rota: watch.clipped(slots.get(rota, ()), since, min(until, end)) for rota, end in planned.items()}
    short = [rota for rota, end in planned.items() if end < until]
    begins = min((planned[rota] for rota in short), default=until)
    worked_out = watch.plan(short, max(since, begins), until, versions=versions) if short else {}
    for rota, further in worked_out.items():
        both = (*found[rota], *watch.clipped(further, max(since, planned[rota]), until))
        found[rota] = merged(sorted(both, key=lambda slot: (slot.level, slot.starts_at)))
    return found
