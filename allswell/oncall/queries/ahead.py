"""The world of a time ahead, read once: for the dry run and the proof of coverage, which then ask the database nothing more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from allswell.calendars import queries as calendars
from allswell.notifications import queries as contacts
from allswell.notifications.rules import Reach
from allswell.oncall.models import Rota
from allswell.oncall.rules import Slot, Version, merged
from allswell.oncall.rules.knowing import Known
from allswell.oncall.rules.policies import Policy, TargetKind
from allswell.people import queries as people

from . import rows, watch

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
        chains = people.manager_chains(frozenset().union(*(_ids(held, kind) for kind in _MANAGED)))
        self.persons = {slot.person for found in slots.values() for slot in found if slot.person is not None}
        self.persons |= _ids(held, TargetKind.PERSON)
        self.persons |= {one for found in (*members.values(), *chains.values()) for one in found}
        away = rows.leave_of(self.persons, since=since, until=until) if self.persons else {}
        self.world = Known(
            since,
            until,
            slots=slots,
            leave={person: sorted([*away.get(person, ()), *(leave or {}).get(person, ())]) for person in self.persons},
            members=members,
            chains=chains,
            calendars=calendars.by_ids({pk for policy in held for pk in policy.calendars}) if held else {},
        )
        self.reach: dict[int, Reach] = contacts.reachable(self.persons)
        rooms = _ids(held, TargetKind.ROOM)
        self.rooms = {room: kind for room, (kind, _, _) in contacts.ways(rooms).items()} if rooms else {}


def _ids(policies: Iterable[Policy], kind: TargetKind) -> set[int]:
    return {pk for policy in policies for pk in policy.ids(kind)}


def _slots(
    rota_ids: Collection[int], since: datetime, until: datetime, versions: Mapping[int, list[Version]]
) -> dict[int, tuple[Slot, ...]]:
    """Who is on call in the rotas in use: what is written, and beyond that what the rules say; by `versions` all is worked out."""
    if not rota_ids:
        return {}
    planned = dict(Rota.objects.filter(pk__in=rota_ids, is_active=True).values_list("pk", "planned_until"))
    planned |= {rota: since for rota in planned if rota in versions}
    read = watch.written([rota for rota, end in planned.items() if end > since], since, until)
    found = {rota: watch.clipped(read.get(rota, ()), since, min(until, end)) for rota, end in planned.items()}
    short = [rota for rota, end in planned.items() if end < until]
    begins = min((planned[rota] for rota in short), default=until)
    worked_out = watch.plan(short, max(since, begins), until, versions=versions) if short else {}
    for rota, slots in worked_out.items():
        both = (*found[rota], *watch.clipped(slots, max(since, planned[rota]), until))
        found[rota] = merged(sorted(both, key=lambda slot: (slot.level, slot.starts_at)))
    return found
