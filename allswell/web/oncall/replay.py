"""A night again under another policy: what happened and what would have happened, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allswell.desk import replaying
from allswell.desk.replaying import Again, Fared, Other, Replayed
from allswell.kernel.errors import DeskError, Invalid
from allswell.tickets.rules import reference
from allswell.web import inputs, show
from allswell.web.pages import PageRequest, desk_page, field_errors, page

from . import lanes, simulate

#: runs and people that are shown
MOST_SHOWN, MOST_PEOPLE = 40, 30
#: what is last night: from ten in the evening to six in the morning, by the viewer's clocks
_EVENING, _MORNING = 22, 6


@dataclass(frozen=True, slots=True)
class Line:
    """One who was called, or would have been; "" for a room or a webhook."""

    after: str
    who: str
    person: int | None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a run: who was called when, and after how long somebody was reached first ("": nobody was)."""

    lines: list[Line]
    reached: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was, and as it would have been."""

    reference: str
    ticket: int
    title: str
    priority: int
    at: datetime
    before: Side
    after: Side
    starts: bool
    ended: str
    missed: str


@dataclass(frozen=True, slots=True)
class Person:
    """How often somebody was called and would have been, and of it at night."""

    pk: int
    name: str
    load: replaying.Load


@dataclass(frozen=True, slots=True)
class Compared:
    """All of it, ready to be shown: calls before and after, those at night, and how many runs would not have begun."""

    runs: list[Run]
    people: list[Person]
    before: int
    after: int
    before_at_night: int
    after_at_night: int
    silent: int
    count: int
    more: int
    is_cut: bool


def last_night(now: datetime) -> tuple[datetime, datetime]:
    """The night that is over, or that it is."""
    local = timezone.localtime(now)
    morning = local.replace(hour=_MORNING, minute=0, second=0, microsecond=0)
    if local.hour >= _EVENING:
        morning += timedelta(days=1)
    evening = (morning - timedelta(days=1)).replace(hour=_EVENING)
    return evening, min(morning, local)


def compared(found: Replayed) -> Compared:
    """A replay in words."""
    loads = found.persons.values()
    people = [Person(pk, found.names.get(pk, f"#{pk}"), load) for pk, load in found.persons.items()]
    people.sort(key=lambda one: (-max(one.load.before, one.load.after), one.name))
    return Compared(
        [_run(one, found) for one in reversed(found.runs[-MOST_SHOWN:])],
        people[:MOST_PEOPLE],
        sum(one.before.calls for one in found.runs),
        sum(one.after.calls for one in found.runs),
        sum(load.before_at_night for load in loads),
        sum(load.after_at_night for load in loads),
        sum(not one.starts for one in found.runs),
        len(found.runs),
        max(0, len(found.runs) - MOST_SHOWN),
        found.is_cut,
    )


def _run(one: Again, found: Replayed) -> Run:
    row, ticket = one.row, one.row.ticket
    answerer = row.acknowledged_by.name if row.acknowledged_by else ""
    return Run(
        reference(ticket.kind, ticket.pk),
        ticket.pk,
        ticket.title,
        one.priority,
        one.started_at,
        _side(one.before, found),
        _side(one.after, found),
        one.starts,
        _ended(one, answerer),
        answerer if one.misses_who_answered else "",
    )


def _side(fared: Fared, found: Replayed) -> Side:
    lines = [
        Line(simulate.offset(one.after), found.names.get(one.person, f"#{one.person}") if one.person else "", one.person)
        for one in fared.heard
    ]
    return Side(lines, simulate.offset(fared.reached_after) if fared.reached_after is not None else "")


def _ended(one: Again, answerer: str) -> str:
    """How the run really ended, which holds for both sides."""
    row = one.row
    if row.acknowledged_at is not None:
        after = simulate.offset(row.acknowledged_at - row.started_at)
        if not answerer:
            return _("Answered after %(after)s") % {"after": after}
        return _("%(name)s answered after %(after)s") % {"name": answerer, "after": after}
    if row.ended_at is None:
        return _("It is running.")
    values = {"after": simulate.offset(row.ended_at - row.started_at)}
    text = _("Nobody answered until it ended after %(after)s") if row.state == "exhausted" else _("It ended after %(after)s")
    return text % values


@require_safe
@desk_page
def replay(request: PageRequest) -> HttpResponse:
    """The runs of a night, or of some days, under another policy or another version of it."""
    sent = request.GET
    evening, morning = last_night(request.now)
    values = {
        "policy": sent.get("policy", "").strip()[:80],
        "version": sent.get("version", "").strip()[:9],
        "from": sent.get("from", "") or show.for_input(evening),
        "until": sent.get("until", "") or show.for_input(morning),
        "about": sent.get("about", "").strip()[:80],
    }
    errors: dict[str, str] = {}
    found: Replayed | None = None
    if values["policy"]:
        try:
            found = replaying.replay(**_asked(request, values, evening, morning), actor=request.actor, now=request.now)
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors = {{"since": "from"}.get(name, name): text for name, text in field_errors(error).items()}
    choices = simulate.choices_for(request, has_teams=True)
    return page(
        request,
        "oncall/replay.html",
        status=422 if errors else 200,
        values=values,
        errors=errors,
        policies=_of(choices, "policy"),
        services=_of(choices, "service", keeps=True),
        teams=_of(choices, "team", keeps=True),
        found=compared(found) if found is not None else None,
        zone=lanes.zone_name(),
        here="oncall",
    )


def _of(choices: Iterable[tuple[str, str]], kind: str, *, keeps: bool = False) -> list[tuple[str, str]]:
    """The choices of a kind, by short name, or as they are."""
    return [(key if keeps else key.partition(":")[2], name) for key, name in choices if key.startswith(f"{kind}:")]


def _asked(request: PageRequest, values: dict[str, str], evening: datetime, morning: datetime) -> dict[str, Any]:
    kind, _sep, ref = values["about"].partition(":")
    if values["about"] and (not ref or kind not in ("service", "team")):
        raise Invalid("Choose one of the list.", field="about")
    version = inputs.number(request.GET, "version")
    return {
        "other": Other(values["policy"], version),
        "since": inputs.instant(request.GET, "from") or evening,
        "until": inputs.instant(request.GET, "until") or morning,
        "service": ref if kind == "service" else None,
        "team": ref if kind == "team" else None,
    }
