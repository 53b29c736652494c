"""The inside of `bench.clocks`: works on the database the environment names, and prints one line of JSON.

ALLSWELL_DATABASE_URL=… python -m bench.clocks_played fill-journal 1000000 | replay | fill-clocks 1000000 500 60 | engine 60
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allswell.boot.settings")
django.setup()

from django.db import connection, transaction

from allswell.calendars.rules import parse_hours
from allswell.desk import calendars, clocks
from allswell.engine import loop
from allswell.engine.clocks import Clocks
from allswell.journal.bulk import insert_columns, update_columns
from allswell.journal.models import Entry
from allswell.kernel import actor as actors
from allswell.kernel import clock
from allswell.notifications.models import Delivery
from allswell.sla import operations as sla
from allswell.sla.models import Agreement, Clock
from allswell.sla.rules.terms import Audience, Terms
from allswell.tickets.models import Ticket
from bench import corpus

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
YEARS = 10
_MINUTE = 60_000_000


def agreement(since: datetime) -> Agreement:
    """Office hours with lunch and the holidays of ten years; four promises to customers, one between teams."""
    by: dict[str, Any] = {"actor": actors.setup(), "now": NOW}
    week = (parse_hours("08:30-12:00, 13:00-17:30", field="week"),) * 5 + ((), ())
    hours = calendars.Hours(week=week, country="CH", subdivision="ZH")
    calendars.create_calendar(name="Office", zone="Europe/Zurich", hours=hours, effective_on=since.date(), **by)
    targets = [_target("acknowledgement", 30), _target("first_response", 60)]
    targets += [_target("resolution", 960, pauses=["requester"], warn={"share": 0.75})]
    targets += [_target("fulfilment", 2400, pauses=["requester"], warn={"share": 0.75})]
    row = _agreement("Standard", Audience.CUSTOMER, targets, since, by)
    _agreement("Between teams", Audience.INTERNAL, [_target("team_time", 480, pauses=["requester"])], since, by)
    return row


def _agreement(name: str, audience: Audience, targets: list[Any], since: datetime, by: dict[str, Any]) -> Agreement:
    row = Agreement(name=name, slug=name.lower().replace(" ", "-"), audience=audience.value)
    sla.create(row, **by)
    terms = Terms.parse({"zone": "Europe/Zurich", "targets": targets}, audience=audience)
    sla.add_version(row, terms, in_force_from=since, note="", **by)
    return row


def _target(metric: str, minutes: int, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "within": {"counting": "working", "amount": minutes, "calendar": "office"}, **more}


# -- replay --------------------------------------------------------------------------------------------------------------------

#: (verb, minutes later, data): ten entries of one life, as the desk writes them; {0} is the first team, {1} the second
_LIFE: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("incident.reported", 0, {"impact": 3, "urgency": 3, "priority": 3}),
    ("ticket.assigned", 20, {"from": None, "to": 1, "before": {"assignee_id": None}}),
    ("ticket.acknowledged", 0, {"from": "new", "to": "in_progress", "before": {"state": "new", "acknowledged_at": None}}),
    ("ticket.replied", 25, {"comment": 1, "before": {"first_response_at": None}}),
    ("ticket.waited", 0, {"from": "in_progress", "to": "waiting", "on": "requester", "before": {"state": "in_progress"}}),
    ("ticket.resumed", 900, {"from": "waiting", "to": "in_progress", "before": {"state": "waiting"}}),
    ("ticket.handed_over", 60, {"from": "{0}", "to": "{1}", "before": {"team_id": "{0}"}}),
    ("ticket.noted", 30, {"comment": 2}),
    ("ticket.resolved", 400, {"from": "in_progress", "to": "resolved", "code": "fixed", "before": {"state": "in_progress"}}),
    ("ticket.closed", 7200, {"from": "resolved", "to": "closed", "before": {"state": "resolved"}}),
)


def fill_journal(entries: int) -> dict[str, Any]:
    """Tickets of ten entries each over ten years, a fifth of them still open; no clocks yet."""
    count, pick, began = entries // len(_LIFE), random.Random(7), time.perf_counter()
    requesters, agents, teams, services, _ = corpus.people()
    first = NOW - timedelta(days=365 * YEARS)
    agreement(first)
    written = 0
    for start in range(0, count, 5000):
        tickets, stories = [], []
        for index in range(start, min(start + 5000, count)):
            opened = first + timedelta(days=365 * YEARS) / count * index
            requester, pace = requesters[index % 500], pick.uniform(0.2, 3)
            is_open, team = index % 5 == 0, index % 10
            lives = _LIFE[: 8 if is_open else 10]
            at, story = opened, []
            for verb, minutes, said in lives:
                at += timedelta(minutes=minutes * pace)
                story.append((verb, at, _said(said, teams[team].pk, teams[(team + 1) % 10].pk)))
            stories.append((story, agents[index % 40].pk, requester.pk, services[index % 20].pk, requester.organization_id))
            done = None if is_open else story[8][1]
            tickets.append(
                {
                    "kind": "incident",
                    "title": f"Replayed {index}",
                    "state": "in_progress" if is_open else "closed",
                    "impact": 3,
                    "urgency": 3,
                    "priority": 3,
                    "queue_rank": 3,
                    "queue_at": opened,
                    "team_id": teams[(team + 1) % 10].pk,
                    "assignee_id": agents[index % 40].pk,
                    "service_id": services[index % 20].pk,
                    "requester_id": requester.pk,
                    "reporter_id": requester.pk,
                    "organization_id": requester.organization_id,
                    "channel": "portal",
                    "opened_at": opened,
                    "updated_at": at,
                    "acknowledged_at": story[2][1],
                    "first_response_at": story[3][1],
                    "resolved_at": done,
                    "restored_at": done,
                    "done_at": done,
                    "closed_at": None if is_open else at,
                    "custom": {},
                }
            )
        with transaction.atomic():
            numbers = insert_columns(Ticket, tickets)
            rows = list(_entries(numbers, stories, teams))
            insert_columns(Entry, rows)
        written += len(rows)
    _count_rows()
    return {"tickets": count, "entries": written, "seconds": round(time.perf_counter() - began, 1)}


def _said(said: dict[str, Any], team: int, other: int) -> dict[str, Any]:
    known = {"{0}": team, "{1}": other}
    return {
        name: _said(value, team, other) if isinstance(value, dict) else known.get(value, value) for name, value in said.items()
    }


def _entries(numbers: list[int], stories: list[Any], teams: list[Any]) -> Iterator[dict[str, Any]]:
    for number, (story, agent, requester, service, organization) in zip(numbers, stories, strict=True):
        for place, (verb, at, said) in enumerate(story):
            opening = {"service": service, "organization": organization, "requester": requester, "team": story[6][2]["from"]}
            yield {
                "happened_at": at,
                "recorded_at": at,
                "verb": verb,
                "about_kind": "ticket",
                "about_id": number,
                "ticket_id": number,
                "person_id": agent if place else requester,
                "actor_kind": "person",
                "channel": "desk",
                "action": uuid.UUID(int=number * 100 + place),
                "data": said if place else said | opening,
            }


def _count_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def replay() -> dict[str, Any]:
    """Replay everything, writing; memory is looked at ten times on the way."""
    total, memory = Ticket.objects.count(), list[int]()
    entries = Entry.objects.count()
    step = max(1, total // 10)

    def numbers() -> Iterator[int]:
        last = seen = 0
        while found := list(Ticket.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:5000]):
            for number in found:
                if seen % step == 0:
                    memory.append(_resident())
                seen += 1
                yield number
            last = found[-1]

    began, used = time.perf_counter(), time.process_time()
    differences = sum(1 for _ in clocks.replay(numbers(), actor=actors.setup(), now=NOW, is_dry=False))
    return {
        "entries": entries,
        "tickets": total,
        "clocks": Clock.objects.count(),
        "differences": differences,
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
        "memory_mb": memory,
        "largest_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
    }


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1_000_000


# -- lateness ------------------------------------------------------------------------------------------------------------------


def fill_clocks(count: int, rate: int, seconds: int) -> dict[str, Any]:
    """Tickets with five open clocks each; of `rate` clocks a second over `seconds`, beginning in a moment, the time comes.

    Half of those give a warning, half are up. The teams have four agents and a lead.
    """
    began = time.perf_counter()
    requesters, agents, teams, services, _ = corpus.people()
    for number, team in enumerate(teams):
        team.lead = agents[(number + 11) % 40]
        team.save()
    held, opened = agreement(NOW - timedelta(days=30)), NOW - timedelta(days=20)
    far, numbers = datetime(2031, 1, 6, 9, 0, tzinfo=UTC), list[int]()
    for start in range(0, count // 5, 5000):
        rows = []
        for index in range(start, min(start + 5000, count // 5)):
            requester = requesters[index % 500]
            rows.append(
                {
                    "kind": "incident",
                    "title": f"Open {index}",
                    "state": "in_progress",
                    "impact": 3,
                    "urgency": 3,
                    "priority": 3,
                    "queue_rank": 0,
                    "queue_at": far,
                    "next_due_at": far,
                    "team_id": teams[index % 10].pk,
                    "assignee_id": agents[index % 40].pk if index % 4 else None,
                    "service_id": services[index % 20].pk,
                    "requester_id": requester.pk,
                    "reporter_id": requester.pk,
                    "organization_id": requester.organization_id,
                    "channel": "portal",
                    "opened_at": opened,
                    "updated_at": opened,
                    "custom": {},
                }
            )
        with transaction.atomic():
            made = insert_columns(Ticket, rows)
            insert_columns(Clock, [_clock(number, held.pk, place, far) for number in made for place in range(1, 6)])
        numbers += made
    _count_rows()
    due = _make_due(random.Random(3).sample(numbers, len(numbers)), rate, seconds)
    return {"clocks": Clock.objects.count(), "due": due, "seconds": round(time.perf_counter() - began, 1)}


def _clock(number: int, agreement_id: int, place: int, at: datetime) -> dict[str, Any]:
    opened = int((NOW - timedelta(days=20)).timestamp() * 1_000_000)
    due = at + timedelta(minutes=place)
    return {
        "ticket_id": number,
        "agreement_id": agreement_id,
        "version": 1,
        "metric": "resolution",
        "number": place,
        "target": "resolution",
        "state": "running",
        "started_at": NOW - timedelta(days=20),
        "due_at": due,
        "warn_at": due - timedelta(minutes=240),
        "alarm_at": due - timedelta(minutes=240),
        "budget": 960 * _MINUTE,
        "calendar": "office",
        "calendar_version": 1,
        "segments": [["r", opened, None, 1, ""]],
        "why": "everyone",
    }


def _make_due(numbers: list[int], rate: int, seconds: int) -> int:
    """Spread what comes due, evenly in time, over tickets all over the table; the first instant is in a while."""
    wanted = numbers[: rate * seconds]
    keys = dict(Clock.objects.filter(number=1).values_list("ticket_id", "pk"))
    first, step = clock.now() + timedelta(seconds=15 + len(wanted) / 1000), timedelta(seconds=1) / rate
    changes: list[tuple[int, dict[str, Any]]] = []
    for place, number in enumerate(wanted):
        at = first + step * place
        if place % 2:
            changes.append((keys[number], {"alarm_at": at, "warn_at": at, "due_at": at + timedelta(hours=4)}))
        else:
            before = at - timedelta(hours=4)
            changes.append((keys[number], {"alarm_at": at, "warn_at": before, "warned_at": before, "due_at": at}))
    with transaction.atomic():
        update_columns(Clock, changes)
    return len(wanted)


class Watched(Clocks):
    """The module, noting when each look was over: what it told is in the database by then."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[tuple[datetime, datetime, int]] = []

    def tick(self, now: datetime) -> loop.Work:
        work = super().tick(now)
        self.looks.append((now, clock.now(), work.done))
        return work


def engine(seconds: int) -> dict[str, Any]:
    """Run the module until all is told; how late it claimed, and how late what it told was written, in milliseconds."""
    due = Clock.objects.filter(alarm_at__lt=clock.now() + timedelta(days=1))
    first, begins = due.count(), due.order_by("alarm_at").values_list("alarm_at", flat=True)[0]
    if begins < clock.now() + timedelta(seconds=1):
        raise SystemExit("The first clocks were due before the engine ran: the machine is too slow for this measurement.")
    module, stop = Watched(), threading.Event()
    seconds += int((begins - clock.now()).total_seconds()) + 10
    used = time.process_time()
    threading.Timer(seconds, stop.set).start()
    loop.run([module], stop)
    used = time.process_time() - used
    over = {claimed: written for claimed, written, _ in module.looks}
    claimed, written = [], []
    rows = Entry.objects.filter(verb__startswith="clock.").values_list("recorded_at", "data", "about_id", "verb")
    dues = dict(Clock.objects.filter(number=1, warned_at__isnull=False).values_list("ticket_id", "warn_at"))
    for at, data, ticket, verb in rows:
        instant = datetime.fromisoformat(data["due_at"]) if verb == "clock.breached" else dues[ticket]
        claimed.append((at - instant).total_seconds() * 1000)
        written.append((over[at] - instant).total_seconds() * 1000)
    fired = [done for *_, done in module.looks if done]
    return {
        "due": first,
        "told": len(claimed),
        "claimed_ms": _spread(claimed),
        "written_ms": _spread(written),
        "looks": len(fired),
        "largest_batch": max(fired, default=0),
        "notices": Delivery.objects.count(),
        "cpu_ms_per_clock": round(used * 1000 / max(1, len(claimed)), 2),
    }


def _spread(values: list[float]) -> dict[str, float]:
    found = statistics.quantiles(values, n=100) if len(values) > 1 else [0.0] * 99
    return {"p50": round(found[49], 1), "p99": round(found[98], 1), "most": round(max(values, default=0), 1)}


def main() -> None:
    """Do what the first argument says."""
    what, *numbers = sys.argv[1:]
    parts = {"fill-journal": fill_journal, "replay": replay, "fill-clocks": fill_clocks, "engine": engine}
    print(json.dumps(parts[what](*map(int, numbers))))


if __name__ == "__main__":
    main()
