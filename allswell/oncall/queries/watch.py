"""Who is on call: read from the shifts that are written, worked out beyond them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet, Subquery

from allswell.calendars import queries as calendars
from allswell.oncall import rules
from allswell.oncall.models import Rota, Shift
from allswell.oncall.rules import Duty, Slot, Why

from . import rows

#: how far one looks for who comes next where nothing is written yet
_NEXT = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Answer:
    """Who is on call at a level: from when until when, and who comes next; nobody where `why` says why.

    `held` is who was on call before and stays until the shift is taken.
    """

    rota: int
    level: int
    person: int | None
    starts_at: datetime
    ends_at: datetime
    why: Why | None = None
    stands_for: int | None = None
    override: int | None = None
    next_person: int | None = None
    next_why: Why | None = None
    held: int | None = None

    @property
    def is_gap(self) -> bool:
        """Whether somebody should be on call and nobody is."""
        return self.why in rules.GAPS


Answers = dict[int, dict[int, Answer]]


def on_call(rota_ids: Iterable[int], at: datetime, *, levels: int = 0) -> Answers:
    """Rota id -> level -> who is on call at an instant, for the rotas in use: for every page, call and message the one answer.

    A level that nobody had defined by then is left out. Whoever knows how many `levels` these rotas have at most saves a statement.
    """
    known: dict[int, tuple[int, datetime]] = {}
    keys: dict[int, tuple[int | None, ...]] = {}
    held: dict[tuple[int, int], int] = {}
    in_use = (
        Rota.objects.filter(pk__in=list(rota_ids), is_active=True).annotate(kept=_not_relieved(at)).order_by("kept__changes_at")
    )
    wanted = _wanted(levels, at)
    columns = ("pk", "levels", "planned_until", "kept__level", "kept__outgoing_id")
    for pk, of_rota, planned_until, level, outgoing, *found in in_use.annotate(**wanted).values_list(*columns, *wanted):
        known[pk] = of_rota, planned_until
        keys[pk] = tuple(found)
        if outgoing is not None:
            held[pk, level] = outgoing
    answers: Answers = {rota: {} for rota in known}
    written = [rota for rota, (_, until) in known.items() if at < until]
    if written and not levels:
        wanted = _wanted(max(known[rota][0] for rota in written), at)
        keys = {
            row[0]: tuple(row[1:]) for row in Rota.objects.filter(pk__in=written).annotate(**wanted).values_list("pk", *wanted)
        }
    if written:
        _read([keys[rota] for rota in written if rota in keys], at, answers)
    beyond = [rota for rota, (_, until) in known.items() if until <= at]
    for rota, slots in plan(beyond, at, at + _NEXT).items() if beyond else ():
        _answered(rota, slots, at, answers)
    for (rota, level), person in held.items():
        said = answers[rota].get(level)
        if said is not None and said.person != person:
            answers[rota][level] = replace(said, held=person)
    return answers


def _not_relieved(at: datetime) -> FilteredRelation:
    """The handovers whose outgoing stays on call at an instant."""
    holds = Q(handovers__held_until__gt=at, handovers__changes_at__lte=at, handovers__drafted_at__lte=at)
    return FilteredRelation("handovers", condition=holds)


def _wanted(levels: int, at: datetime) -> dict[str, Any]:
    """The shift that holds at each level and the one after it: two looks into the index for each, however many shifts there are."""
    wanted: dict[str, Any] = {}
    for level in range(1, levels + 1):
        ahead = Shift.objects.filter(rota=OuterRef("pk"), level=level, ends_at__gt=at).order_by("ends_at").values("pk")
        wanted |= {f"now_{level}": Subquery(ahead[:1]), f"next_{level}": Subquery(ahead[1:2])}
    return wanted


def _read(rotas: Collection[tuple[int | None, ...]], at: datetime, answers: Answers) -> None:
    """What is written of some rotas, from the keys that `_wanted` found of each."""
    keys = {pk for row in rotas for pk in row if pk is not None}
    shifts = {row[0]: row[1:] for row in Shift.objects.filter(pk__in=keys).values_list(*_READ)}
    for found in rotas:
        for current, following in zip(found[::2], found[1::2], strict=True):
            if current is None or shifts[current][2] > at:
                continue
            rota, level, starts_at, ends_at, person, why, override, stands_for = shifts[current]
            after = shifts.get(following, _NOBODY)
            answers[rota][level] = Answer(
                rota, level, person, starts_at, ends_at, _why(why), stands_for, override, after[4], _why(after[5])
            )


_READ = ("pk", "rota_id", "level", "starts_at", "ends_at", "person_id", "why", "override_id", "stands_for_id")
_COLUMNS = (*_READ, "layer", "turn")
_NOBODY = (None,) * len(_READ)


def _why(kept: str | None) -> Why | None:
    return Why(kept) if kept else None


def _answered(rota: int, slots: tuple[Slot, ...], at: datetime, answers: Answers) -> None:
    for slot in slots:
        said = answers[rota].get(slot.level)
        if slot.starts_at <= at < slot.ends_at:
            answers[rota][slot.level] = Answer(
                rota, slot.level, slot.person, slot.starts_at, slot.ends_at, slot.why, slot.stands_for, slot.override
            )
        elif said and said.ends_at == slot.starts_at:
            answers[rota][slot.level] = replace(said, next_person=slot.person, next_why=slot.why)


def of_teams(team_ids: Iterable[int]) -> dict[int, list[int]]:
    """Team id -> its rotas in use, by name."""
    found: dict[int, list[int]] = defaultdict(list)
    rotas = Rota.objects.filter(team__in=list(team_ids), is_active=True).order_by("name", "id")
    for team, rota in rotas.values_list("team_id", "pk"):
        found[team].append(rota)
    return dict(found)


def on_call_for(teams: Mapping[int, int], at: datetime) -> dict[int, list[Answer]]:
    """Who answers for things by their teams ({service: team}): thing -> answers of all rotas of its team, first who is called first."""
    rotas = of_teams(set(teams.values()))
    answers = on_call({rota for found in rotas.values() for rota in found}, at)
    by_team = {
        team: sorted((answer for rota in found for answer in answers[rota].values()), key=lambda answer: answer.level)
        for team, found in rotas.items()
    }
    return {thing: by_team.get(team, []) for thing, team in teams.items()}


# plans


def written(rota_ids: Collection[int], since: datetime, until: datetime) -> dict[int, tuple[Slot, ...]]:
    """Rota id -> the shifts that are written and touch a time, by level and time."""
    found: dict[int, list[Slot]] = {rota: [] for rota in rota_ids}
    for rota, _, slot in _slots_of(Shift.objects.filter(rota__in=rota_ids), since, until):
        found[rota].append(slot)
    return {rota: tuple(slots) for rota, slots in found.items()}


def written_ahead(rota_ids: Collection[int], since: datetime, until: datetime) -> dict[int, tuple[datetime, list[Slot]]]:
    """Rota id -> up to when it is written, and the shifts that touch a time; of the rotas in use that have any."""
    found: dict[int, tuple[datetime, list[Slot]]] = {}
    for rota, planned_until, slot in _slots_of(Shift.objects.filter(rota__in=rota_ids, rota__is_active=True), since, until):
        found.setdefault(rota, (planned_until, []))[1].append(slot)
    return found


def _slots_of(shifts: QuerySet[Shift], since: datetime, until: datetime) -> Iterable[tuple[int, datetime, Slot]]:
    rows = shifts.filter(ends_at__gt=since, starts_at__lt=until).order_by("rota", "level", "starts_at")
    for planned, _, rota, level, starts_at, ends_at, person, why, override, stands_for, layer, turn in rows.values_list(
        "rota__planned_until", *_COLUMNS
    ):
        yield rota, planned, Slot(level, starts_at, ends_at, person, _why(why), layer, turn, override, stands_for)


def plan(
    rota_ids: Collection[int], since: datetime, until: datetime, *, versions: Mapping[int, list[rules.Version]] | None = None
) -> dict[int, tuple[Slot, ...]]:
    """Rota id -> the time from `since` to `until` worked out by the rules, whatever is written; `versions` instead of those kept."""
    said = {**rows.versions_of(rota_ids), **(versions or {})}
    in_force = {
        rota: [definition for _, _, definition in rules.ruling(found, since, until)] for rota, found in said.items() if found
    }
    everyone = {person for found in in_force.values() for definition in found for person in definition.people}
    used = {definition.calendar for found in in_force.values() for definition in found if definition.calendar is not None}
    hours = calendars.by_ids(used) if used else {}
    overrides = rows.overrides_of(rota_ids, since=since, until=until)
    leave = rows.leave_of(everyone, since=since, until=until)
    return {
        rota: rules.resolve(said.get(rota, ()), since, until, overrides=overrides.get(rota, ()), leave=leave, calendars=hours)
        for rota in rota_ids
    }


def slots(rotas: Iterable[Rota], since: datetime, until: datetime) -> dict[int, tuple[Slot, ...]]:
    """Rota id -> who is on call from `since` to `until`, cut off at both: what is written, and beyond that what the rules say."""
    held = list(rotas)
    read = written([row.pk for row in held], since, until)
    short = [row for row in held if row.is_active and row.planned_until < until]
    found: dict[int, tuple[Slot, ...]] = {}
    for row in held:
        end = min(until, row.planned_until) if row.is_active else until
        found[row.pk] = clipped(read[row.pk], since, end)
    for row in short:
        begins = max(since, row.planned_until)
        both = (*found[row.pk], *plan([row.pk], begins, until)[row.pk])
        found[row.pk] = rules.merged(sorted(both, key=lambda slot: (slot.level, slot.starts_at)))
    return found


def clipped(found: Iterable[Slot], since: datetime, until: datetime) -> tuple[Slot, ...]:
    """What of some slots lies within a time."""
    cut = (replace(slot, starts_at=max(slot.starts_at, since), ends_at=min(slot.ends_at, until)) for slot in found)
    return tuple(slot for slot in cut if slot.starts_at < slot.ends_at)


def duties(since: datetime, until: datetime, *, people: Collection[int]) -> list[Duty]:
    """What people are on call for over all rotas in a time, as it is written."""
    shifts = Shift.objects.filter(person__in=people, ends_at__gt=since, starts_at__lt=until, rota__is_active=True)
    rows = shifts.values_list("rota_id", "level", "person_id", "starts_at", "ends_at")
    return [Duty(rota, level, person or 0, starts_at, ends_at) for rota, level, person, starts_at, ends_at in rows]


def shifts_of(person: int, *, since: datetime, until: datetime) -> QuerySet[Shift]:
    """The shifts of somebody that touch a time, in order, their rota loaded."""
    shifts = Shift.objects.filter(person=person, ends_at__gt=since, starts_at__lt=until, rota__is_active=True)
    return shifts.select_related("rota", "stands_for").order_by("starts_at", "rota_id", "level")


def joined(shifts: Iterable[Shift]) -> list[Shift]:
    """Shifts of one person, in order, as they read them: one where they hand over to themselves. To be shown, not to be saved."""
    found: list[Shift] = []
    last: dict[tuple[int, int], Shift] = {}
    for shift in shifts:
        before = last.get((shift.rota_id, shift.level))
        if before is not None and before.ends_at == shift.starts_at and _as_read(before) == _as_read(shift):
            before.ends_at = shift.ends_at
        else:
            found.append(shift)
            last[shift.rota_id, shift.level] = shift
    return found


def _as_read(shift: Shift) -> tuple[object, ...]:
    return shift.person_id, shift.override_id is not None, shift.stands_for_id


def gaps(rota_ids: Collection[int], *, since: datetime, until: datetime) -> QuerySet[Shift]:
    """The times in which somebody should be on call and nobody is, as they are written, in order."""
    shifts = Shift.objects.filter(
        rota__in=rota_ids, ends_at__gt=since, starts_at__lt=until, why__in=[why.value for why in rules.GAPS]
    )
    return shifts.select_related("rota").order_by("starts_at", "rota_id", "level")


def is_behind(until: datetime) -> bool:
    """Whether the shifts of some rota in use are not written up to `until`."""
    return Rota.objects.filter(is_active=True, planned_until__lt=until).exists()


def starts_soon(*, now: datetime, until: datetime) -> bool:
    """Whether a shift begins soon of which nobody was told."""
    return Shift.objects.filter(person__isnull=False, told_at=None, starts_at__gt=now, starts_at__lte=until).exists()


def goes_on(shifts: Collection[Shift]) -> set[int]:
    """Those of these shifts whose person is on call at that level already when they begin."""
    before = Shift.objects.filter(
        rota=OuterRef("rota"), level=OuterRef("level"), person=OuterRef("person"), ends_at=OuterRef("starts_at")
    )
    return set(Shift.objects.filter(Exists(before), pk__in=[shift.pk for shift in shifts]).values_list("pk", flat=True))
