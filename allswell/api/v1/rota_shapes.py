"""The shapes of rotas: what a version says, who is on call when, what an edit moves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Body, Id
from allswell.kernel.errors import Invalid
from allswell.oncall.rules import Caution, Moved, Slot
from allswell.people import queries as people

from .shapes import Instant, NamedRef, PersonRef, named_ref, person_ref

READ, EDIT, TAKE_PART = "services:read", "setup:write", "people:write"

RotaName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
RotaNote = Annotated[str, Meta(max_length=200)]
RotaLevel = Annotated[int, Meta(ge=1, le=5, description="1 is called first, 2 is its backup.")]
Face = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="A time of day such as 09:00.")]
Period = Annotated[str, Meta(max_length=20, description='"08:30-12:00"; a day ends at 24:00.')]
Week = Annotated[list[Annotated[list[Period], Meta(max_length=24)]], Meta(max_length=7)]
Zone = Annotated[str, Meta(max_length=60)]
Why = Literal["gap", "on_leave", "off_hours", "nobody"]


class RotaLayer(Body):
    """People who take turns, in order, each for `every` units; somebody may be named more than once.

    The first handoff is a time on the wall of `zone` (empty: that of the rota). Within a level the greater `rank` wins. `week` are
    the hours of seven weekdays, Monday first; empty for always. `key` is the same in every version; leave it out for a new layer.
    """

    name: RotaName
    people: Annotated[list[Id], Meta(min_length=1, max_length=50)]
    first_on: date
    first_time: Face = "09:00"
    every: Annotated[int, Meta(ge=1, le=8784)] = 1
    unit: Literal["hour", "day", "week"] = "week"
    level: RotaLevel = 1
    rank: Annotated[int, Meta(ge=0, le=99)] = 0
    zone: Zone = ""
    week: Week = []
    begins_at: Instant | None = None
    ends_at: Instant | None = None
    on_leave: Literal["next", "open"] = "next"
    key: Annotated[int, Meta(ge=0, le=100_000)] = 0


class RotaHandover(Body):
    """Whether shifts are handed over: not accepted `within` minutes, it escalates; `holds`: the outgoing stays until it is accepted."""

    wanted: bool = False
    within: Annotated[int, Meta(ge=5, le=240)] = 30
    holds: bool = False


class RotaDefinition(Body):
    """What a rota says: `calendar` is the id of the calendar of its support hours, null where around the clock is wanted.

    `minimum_rest` and `maximum_week` are minutes to warn of; null warns of nothing.
    """

    zone: Annotated[str, Meta(min_length=1, max_length=60, description="An IANA time zone such as Europe/Zurich.")]
    layers: Annotated[list[RotaLayer], Meta(max_length=20)]
    calendar: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    minimum_rest: Annotated[int, Meta(ge=1, le=10_080)] | None = 660
    maximum_week: Annotated[int, Meta(ge=1, le=10_080)] | None = None
    handover: RotaHandover = msgspec.field(default_factory=RotaHandover)


class Rota(Struct):
    """A rota; `version` is the number of its newest version. Shifts are written ahead up to `planned_until`."""

    id: int
    slug: str
    name: str
    team: NamedRef | None
    version: int
    levels: int
    is_active: bool
    planned_until: datetime


class RotaVersion(Struct):
    """What a rota says from `effective_at` on, until a version with a greater number says otherwise."""

    version: int
    effective_at: datetime
    definition: dict[str, Any]
    note: str
    created_at: datetime
    created_by: PersonRef | None


class RotaDetails(Rota):
    """A rota with what its newest version says, and the names of those in it."""

    newest: RotaVersion | None = None
    people: list[PersonRef] = []


class RotaShift(Struct):
    """Who is on call at a level from one instant to another; nobody where `why` says why. `is_gap`: somebody should be.

    `stands_for` is who would have been.
    """

    level: int
    starts_at: datetime
    ends_at: datetime
    person: PersonRef | None
    why: Why | None
    is_gap: bool
    stands_for: PersonRef | None
    override: int | None


class RotaMove(Struct):
    """A time that goes from one to another; null is nobody, and then `why` says why."""

    level: int
    starts_at: datetime
    ends_at: datetime
    before: PersonRef | None
    after: PersonRef | None
    why: Why | None


class RotaChange(Struct):
    """How much moves for a person, in minutes."""

    person: PersonRef | None
    gains: int
    loses: int


class RotaCaution(Struct):
    """What is not good about the plan: from when to when first, how many `times`, the worst of them in minutes."""

    trouble: Literal["short_rest", "long_week", "twice", "on_leave"]
    person: PersonRef | None
    starts_at: datetime
    ends_at: datetime
    worst: int
    times: int


class Names:
    """The names of people by id, all read at once."""

    def __init__(self, ids: Iterable[int | None]) -> None:
        wanted = {pk for pk in ids if pk is not None}
        self.known = dict(people.people().filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}

    def ref(self, pk: int | None) -> PersonRef | None:
        """The person, or nobody."""
        return person_ref(pk, self.known.get(pk, "")) if pk is not None else None


def rota_ref(row: Any) -> NamedRef | None:
    """A rota, as other things name it."""
    return named_ref(row.pk, row.slug, row.name)


def shifts(slots: Iterable[Slot]) -> list[RotaShift]:
    """Slots, with names."""
    found = list(slots)
    names = Names(pk for slot in found for pk in (slot.person, slot.stands_for))
    return [
        RotaShift(
            slot.level,
            slot.starts_at,
            slot.ends_at,
            names.ref(slot.person),
            slot.why.value if slot.why else None,
            slot.is_gap,
            names.ref(slot.stands_for),
            slot.override,
        )
        for slot in found
    ]


def move(moved: Moved, names: Names) -> RotaMove:
    """One time that changes hands."""
    why: Any = moved.why.value if moved.why and moved.after is None else None
    return RotaMove(moved.level, moved.starts_at, moved.ends_at, names.ref(moved.before), names.ref(moved.after), why)


def caution(one: Caution, names: Names) -> RotaCaution:
    """One thing that is not good."""
    return RotaCaution(one.trouble.value, names.ref(one.person), one.starts_at, one.ends_at, minutes(one.worst), one.times)


def minutes(length: timedelta) -> int:
    """Whole minutes."""
    return length // timedelta(minutes=1)


def as_said(body: RotaDefinition | UnsetType) -> dict[str, Any] | None:
    """The definition as the use cases take it; None when it was not sent."""
    if body is UNSET:
        return None
    found: dict[str, Any] = msgspec.to_builtins(body)
    found.setdefault("layers", [])
    return found


_INSIDE = frozenset(RotaDefinition.__struct_fields__)


def beside(error: Invalid) -> Invalid:
    """An error in a definition, named as it was sent."""
    is_inside = error.field.split(".")[0] in _INSIDE
    return Invalid(error.template, field=f"definition.{error.field}", **error.params) if is_inside else error
