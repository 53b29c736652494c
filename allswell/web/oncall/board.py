"""On call: who is on now, who will be, what needs somebody, whether it is fair."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from allswell.calendars import queries as calendars
from allswell.desk import covering, rotas, shifts
from allswell.jobs import queries as jobs
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import DeskError, NotFound
from allswell.oncall import queries
from allswell.oncall.queries import Answer, escalations
from allswell.oncall.rules import Duty, Slot, fairness, joined
from allswell.people import queries as people
from allswell.web import blind, inputs
from allswell.web.pages import PageRequest, SeeOther, back_to, desk_page, page, toast, words_of_error

from . import lanes, sure
from .lanes import Window

if TYPE_CHECKING:
    from allswell.oncall.models import Handover, Rota
    from allswell.people.models import Person

#: rotas that are shown as cards, and those that are drawn and counted
MOST_CARDS, MOST_LANES = 60, 12
#: how far back and ahead fairness is counted, how far ahead gaps are told
COUNTED, GAPS_AHEAD = timedelta(weeks=8), timedelta(weeks=4)
MOST_NEEDS = 12
#: for how long it is said here that nothing was watching, and how often
BLIND_SHOWN, MOST_BLIND = timedelta(days=1), 3
_DAY = timedelta(days=1)
#: who may make a rota of some team
MAKERS = (Role.LEAD, Role.DUTY_MANAGER, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Card:
    """A rota now: who is called first, and who then."""

    rota: Rota
    first: Answer | None
    others: list[Answer]
    may_take: bool


@dataclass(frozen=True, slots=True)
class Carried:
    """What somebody carries; `share` is the load as hundredths of the heaviest, `percent` of the mean."""

    person: int
    hours: int
    nights: int
    weekends: int
    holidays: int
    shifts: int
    share: int
    percent: int | None


@dataclass(frozen=True, slots=True)
class Mine:
    """Which rotas the viewer takes part in, and which they decide about."""

    member: frozenset[int]
    leads: frozenset[int]

    @property
    def both(self) -> frozenset[int]:
        """Where they may take a shift."""
        return self.member | self.leads


def with_mine(rows: QuerySet[Rota], *, actor: Actor) -> QuerySet[Rota]:
    """Rotas with `names_me`: whether their newest version names the viewer."""
    mine = queries.rotas_of(actor.person or 0).order_by().filter(pk=OuterRef("pk"))
    return rows.annotate(names_me=Exists(mine))


def rotas_for(actor: Actor) -> list[Rota]:
    """The rotas in use the viewer may know, `with_mine` and their teams, by name."""
    rows = with_mine(queries.visible_to(actor).filter(is_active=True), actor=actor)
    return list(rows.select_related("team").order_by("name", "id"))


def unpaged(actor: Actor) -> list[tuple[str, str]]:
    """The teams the viewer may know whose tickets page nobody, by short name and name; the first and one more."""
    found = escalations.teams_without_policy(people.teams_visible_to(actor))
    return list(found.values_list("slug", "name")[: MOST_NEEDS + 1])


def mine_of(rows: Collection[Rota], *, actor: Actor) -> Mine:
    """What of these rotas, read `with_mine`, is the viewer's."""
    member = {row.pk for row in rows if getattr(row, "names_me", False) or row.team_id in actor.teams}
    return Mine(frozenset(member), frozenset(row.pk for row in rows if rotas.may_edit(row.team, actor=actor)))


def known(person_ids: Iterable[int | None]) -> dict[int, Person]:
    """The people that are shown."""
    return people.people().in_bulk({pk for pk in person_ids if pk is not None})


@require_safe
@desk_page
def board(request: PageRequest) -> HttpResponse:
    """Every rota the viewer may know, the own ones first."""
    now, actor = request.now, request.actor
    everything = rotas_for(actor)
    teams = sorted({(row.team.slug, row.team.name) for row in everything}, key=lambda one: one[1])
    team = request.GET.get("team", "")
    rows = [row for row in everything if row.team.slug == team] if team in dict(teams) else everything
    mine = mine_of(rows, actor=actor)
    rows.sort(key=lambda row: (row.pk not in mine.member, row.pk not in mine.leads))
    drawn = rows[:MOST_LANES]
    window = Window.asked(request.GET, now=now)
    shown = rows[:MOST_CARDS]
    answers = queries.on_call([row.pk for row in shown], now, levels=max((row.levels for row in shown), default=0))
    since, until = min(now - COUNTED, window.since), max(now + COUNTED, window.until)
    slots = queries.written([row.pk for row in drawn], since, until)
    asked = list(queries.waiting_for(actor.person, now=now)[:MOST_NEEDS]) if actor.person else []
    who = everybody(answers, slots)
    names = {pk: row.name for pk, row in who.items()}
    cards = [_card(row, answers.get(row.pk, {}), may_take=row.pk in mine.both) for row in shown]
    cards.sort(key=lambda card: not (card.first and card.first.is_gap))
    return page(
        request,
        "oncall/board.html",
        cards=cards,
        people=who,
        names=names,
        lanes=lanes.lanes(drawn, slots, window, names=names, now=now),
        gaps=gaps_of(drawn, slots, now=now),
        blind=blind.lines(jobs.blind_times(now - BLIND_SHOWN, now)[:MOST_BLIND]),
        mine=mine,
        may_make=actor.has_role(*MAKERS),
        asked=asked,
        handovers=handed_over(rows, mine, now=now),
        fair=carried(
            {pk: found for pk, found in slots.items() if pk in mine.both or team in dict(teams)},
            who,
            since=now - COUNTED,
            until=now + COUNTED,
        ),
        fair_since=now - COUNTED,
        fair_until=now + COUNTED,
        rotas=len(rows),
        drawn=len(drawn),
        unpaged=unpaged(actor),
        teams=teams,
        team=team if team in dict(teams) else "",
        **lanes.said(window, now),
        here="oncall",
    )


def everybody(answers: queries.Answers, slots: dict[int, tuple[Slot, ...]]) -> dict[int, Person]:
    """Those named by who is on call, and by a plan."""
    said = [answer for levels in answers.values() for answer in levels.values()]
    named = [pk for answer in said for pk in (answer.person, answer.next_person, answer.stands_for, answer.held)]
    return known(named + [slot.person for found in slots.values() for slot in found])


def handed_over(rows: Collection[Rota], mine: Mine, *, now: datetime) -> list[Handover]:
    """The handovers in one's own rotas that wait to be taken."""
    asked = [row.pk for row in rows if row.hands_over and row.pk in mine.both]
    return list(queries.open_handovers(asked, now)[:MOST_NEEDS]) if asked else []


def _card(row: Rota, levels: dict[int, Answer], *, may_take: bool) -> Card:
    return Card(row, levels.get(1), [levels[level] for level in sorted(levels) if level > 1], may_take)


def gaps_of(drawn: Collection[Rota], slots: dict[int, tuple[Slot, ...]], *, now: datetime) -> list[tuple[Rota, Slot]]:
    """The gaps of the next weeks, the soonest first."""
    found = [
        (row, slot)
        for row in drawn
        for slot in joined(slots.get(row.pk, ()))
        if slot.is_gap and slot.ends_at > now and slot.starts_at < now + GAPS_AHEAD
    ]
    return sorted(found, key=lambda one: one[1].starts_at)


def carried(slots: dict[int, tuple[Slot, ...]], who: dict[int, Person], *, since: datetime, until: datetime) -> list[Carried]:
    """How the load of these rotas lies on people."""
    duties = [
        Duty(rota, slot.level, slot.person, slot.starts_at, slot.ends_at)
        for rota, found in slots.items()
        for slot in queries.clipped(found, since, until)
        if slot.person is not None
    ]
    zone = timezone.get_current_timezone_name()
    zones = {duty.person: who[duty.person].time_zone or zone for duty in duties}
    free = calendars.holidays_in(zones.values(), since.date() - _DAY, until.date() + _DAY) if zones else {}
    found = fairness(duties, [], zones=zones, zone=zone, holidays=free)
    most = max((load.total for load in found.loads), default=timedelta())
    return [
        Carried(
            person=load.person,
            hours=round(load.total / timedelta(hours=1)),
            nights=round(load.nights / timedelta(hours=1)),
            weekends=round(load.weekends / timedelta(hours=1)),
            holidays=round(load.holidays / timedelta(hours=1)),
            shifts=load.shifts,
            share=round(100 * (load.total / most)) if most else 0,
            percent=round(100 * share) if (share := found.share(load)) is not None else None,
        )
        for load in found.loads
    ]


@require_POST
@desk_page
@sure.asks_first
def take(request: PageRequest, slug: str) -> HttpResponse:
    """Take the running shift at once."""
    there = back_to(request, "/oncall/")
    try:
        level = inputs.number(request.POST, "level") or 1
        until = inputs.instant(request.POST, "until")
        found = queries.by_ref(slug)
        with sure.watching(request, rotas=(found.pk if found else None,), until=until):
            made = shifts.take_shift(slug, level=level, until=until, actor=request.actor, now=request.now)
    except NotFound:
        raise
    except DeskError as error:
        toast(request, words_of_error(error), is_bad=True)
        return SeeOther(there)
    toast(request, _("You are on call until %(time)s.") % {"time": lanes.until_text(made.ends_at)})
    return SeeOther(there)


@require_POST
@desk_page
@sure.asks_first
def answer(request: PageRequest, asked: int, word: str) -> HttpResponse:
    """Accept, decline or withdraw a request."""
    act = {
        "accept": (covering.accept_request, _("The shift is yours. Whoever asked is told.")),
        "decline": (covering.decline_request, _("Declined. Whoever asked is told.")),
        "withdraw": (covering.withdraw_request, _("Withdrawn.")),
    }.get(word)
    if act is None:
        raise NotFound("There is no such page.")
    try:
        row = queries.shift_request(asked) if word == "accept" else None
        since, until = (row.starts_at, row.ends_at) if row and row.kind == "cover" else (None, None)
        with sure.watching(request, rotas=(row.rota_id if row else None,), since=since, until=until):
            act[0](asked, actor=request.actor, now=request.now)
    except NotFound:
        raise
    except DeskError as error:
        toast(request, words_of_error(error), is_bad=True)
    else:
        toast(request, act[1])
    return SeeOther(back_to(request, "/oncall/"))
