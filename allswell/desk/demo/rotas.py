"""Who of Northbank is on call: eight rotas that have run for three months, and what is going on with them this week."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from allswell.calendars import queries as calendars
from allswell.desk import covering, handing, handovers, promises, shifts, watch
from allswell.desk import people as desk_people
from allswell.desk.door import use_case
from allswell.desk.rotas import create_rota_step
from allswell.kernel.actor import Actor, Channel
from allswell.oncall import queries
from allswell.oncall.rules import Turnover
from allswell.people import operations as people_operations
from allswell.people import queries as people

from .company import ZONE, Company

if TYPE_CHECKING:
    from allswell.oncall.models import Handover, Rota

#: those of the demo who work elsewhere
ELSEWHERE = {"Yuki Tanaka": "Asia/Tokyo", "Sofia Rossi": "America/New_York"}

_DAYS = [["07:00-19:00"]] * 7
_NIGHTS = [["00:00-07:00", "19:00-24:00"]] * 7


def _layer(name: str, *people: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "people": list(people), "first_time": "09:00", **more}


#: team, name, layers with people by name, whether only in office hours
ROTAS: tuple[tuple[str, str, tuple[dict[str, Any], ...], bool], ...] = (
    (
        "Service desk",
        "Service desk",
        (
            _layer("Early", "Jonas Berg", "Julia Roth", "Samir Aziz", "Nina Kovac", "Tom Becker", unit="day", first_time="07:00"),
            _layer("Lead", "Lena Frei", level=2),
        ),
        True,
    ),
    ("Workplace", "Workplace", (_layer("Week", "Ines Costa", "Marek Nowak", "Paul Weber"),), True),
    (
        "Application support",
        "Applications, follow the sun",
        (
            _layer("Tokyo", "Yuki Tanaka", zone="Asia/Tokyo", week=[["08:00-17:00"]] * 7),
            _layer("Zurich", "Daniel Stein", "Grace Okafor", week=[["09:00-18:00"]] * 7, rank=1),
            _layer("New York", "Sofia Rossi", zone="America/New_York", week=[["10:00-20:00"]] * 7),
            _layer("Backup", "Grace Okafor", "Daniel Stein", level=2),
        ),
        False,
    ),
    (
        "Payments",
        "Payments, days and nights",
        (
            _layer("Days", "Mei Lin", "Pavel Horak", week=_DAYS, first_time="07:00"),
            _layer("Nights", "Pavel Horak", "Mei Lin", week=_NIGHTS, first_time="07:00"),
            _layer("Backup", "Thomas Keller", level=2),
        ),
        False,
    ),
    ("Security and access", "Security", (_layer("Week", "Leo Fischer", "Ruth Simmons"),), False),
    (
        "Network",
        "Network",
        (_layer("Week", "Elena Petrova", "Ben Carter", on_leave="open"), _layer("Backup", "Viktor Lang", level=2)),
        False,
    ),
    (
        "Databases",
        "Databases",
        (_layer("Week", "Amir Haddad", "Priya Nair"), _layer("Backup", "Henrik Dahl", "Priya Nair", "Amir Haddad", level=2)),
        False,
    ),
    (
        "Systems",
        "Systems",
        (_layer("Week", "Oliver Hart", "Aisha Rahman", "Carla Mendes"), _layer("Backup", "Carla Mendes", level=2)),
        False,
    ),
)


@use_case
def _reached(company: Company, *, actor: Actor, now: datetime) -> None:
    """Everybody has opened the link that confirms their address: pages reach them by mail at least."""
    for person in company.people.values():
        row = people.addresses(person.pk).first()
        if row is not None:
            people_operations.confirm_address(row, actor=actor, now=now)


#: the rota whose shifts are handed over, and what was written last
HANDS_OVER = "Payments, days and nights"
NOTES = (
    "The salary file must leave before **15:30**; if the check hangs again, restart it once and call Thomas.\n\n"
    "Branch Winterthur waits for a technician: tell them when he is on his way."
)


def run(company: Company, *, actor: Actor, begin: datetime, now: datetime) -> None:
    """The rotas as they have run since `begin`, and what is up with them today."""
    _reached(company, actor=actor, now=begin)
    _make(company, actor=actor, now=begin)
    lately = now - timedelta(days=1)
    while watch.extend(actor=actor, now=lately):
        pass
    _this_week(company, actor=actor, now=lately)
    while watch.extend(actor=actor, now=now):
        pass
    _hand_over(actor=actor, now=now)


def _hand_over(*, actor: Actor, now: datetime) -> None:
    """The last change of shift of the payments was handed over: drafted, signed with a word, taken."""
    (row,) = queries.rotas().filter(name=HANDS_OVER).select_related("team")
    slots = [slot for slot in queries.written([row.pk], now - timedelta(days=2), now)[row.pk] if slot.level == 1]
    for gone, come in reversed(list(pairwise(slots))):
        giver, taker = people.person(gone.person or 0), people.person(come.person or 0)
        if giver is not None and taker is not None and giver != taker and come.starts_at < now - timedelta(minutes=10):
            at = come.starts_at
            turnover = Turnover(row.pk, 1, at, giver.pk, taker.pk, gone.starts_at, come.ends_at)
            handed = _drafted(row, turnover, actor=actor, now=at - timedelta(minutes=30))
            outgoing = people.actor_for(giver, channel=Channel.DESK)
            handovers.sign(handed.pk, notes=NOTES, actor=outgoing, now=at - timedelta(minutes=8))
            handovers.accept(handed.pk, actor=people.actor_for(taker, channel=Channel.DESK), now=at + timedelta(minutes=4))
            return


@use_case
def _drafted(row: Rota, turnover: Turnover, *, actor: Actor, now: datetime) -> Handover:
    return handing.begin(row, turnover, queries.definition(row).handover, actor=actor, now=now)


@use_case
def _make(company: Company, *, actor: Actor, now: datetime) -> None:
    office = calendars.by_ref(promises.OFFICE_HOURS)
    monday = now.date() - timedelta(days=now.weekday() + 7)
    for team, name, layers, is_by_day in ROTAS:
        said = [
            layer | {"people": [company.people[person].pk for person in layer["people"]], "first_on": monday.isoformat()}
            for layer in layers
        ]
        handing = {"wanted": name == HANDS_OVER, "holds": name == HANDS_OVER}
        definition = {"handover": handing, "zone": ZONE, "calendar": office.pk if office and is_by_day else None, "layers": said}
        create_rota_step(name=name, team=company.teams[team], definition=definition, actor=actor, now=now, is_told=False)


def _this_week(company: Company, *, actor: Actor, now: datetime) -> None:
    """Somebody is away while on call, which leaves a gap two days ahead; somebody has a date; somebody asks to be covered."""
    for name, zone in ELSEWHERE.items():
        desk_people.edit_person(company.people[name].pk, time_zone=zone, actor=actor, now=now)
    today = now.astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)

    def on_call(rota: str, at: datetime) -> int:
        row = queries.by_ref(rota)
        said = queries.on_call([row.pk], at)[row.pk][1] if row else None
        return said.person or 0 if said else 0

    gap = today + timedelta(days=2, hours=18)
    away = on_call("network", gap)
    shifts.add_leave(person=away, starts_at=gap, ends_at=gap + timedelta(hours=14), note="Family", actor=actor, now=now)
    dentist = today + timedelta(days=1, hours=13)
    shifts.add_override(
        "payments-days-and-nights",
        level=1,
        starts_at=dentist,
        ends_at=dentist + timedelta(hours=4),
        person=company.people["Thomas Keller"].pk,
        reason="Dentist",
        actor=actor,
        now=now,
    )
    asked = today + timedelta(days=3, hours=18)
    asker = people.person(on_call("databases", asked))
    if asker is not None:
        me = people.actor_for(asker, channel=Channel.DESK)
        note = "My sister gets married. I take one of yours any time."
        covering.ask_cover(
            "databases", level=1, starts_at=asked, ends_at=asked + timedelta(hours=15), note=note, actor=me, now=now
        )
