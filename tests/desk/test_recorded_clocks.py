"""A history of the shape in which other desks record their clocks: weekly hours with lunch, holidays, one priority around the clock.

Brought in through the real import as an audit log, its rows mixed and spread over two files; each due instant and verdict is compared, to
the second, with a slow method that shares nothing with the clocks: it walks second by second where it must and hour by hour where it may.
"""

from __future__ import annotations

import csv
import random
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from allswell.desk import agreement_files, clocks, importing
from allswell.intake import readers
from allswell.kernel import actor
from allswell.sla.models import Clock
from allswell.tickets.models import Ticket

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PLACE = ZoneInfo("Europe/Zurich")
HOLIDAYS = {date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1)}
PERIODS = [(time(8, 30), time(12, 0)), (time(13, 0), time(17, 30))]
LIMITS = {1: 4 * 3600, 2: 8 * 3600, 3: 20 * 3600}
SECOND = timedelta(seconds=1)

AGREEMENTS = """
name: recorded
zone: Europe/Zurich
in_force_from: 2020-01-01
organization: {name: Old desk, kind: customer}
calendars:
  - slug: old-hours
    name: Old hours
    zone: Europe/Zurich
    week:
      monday: 08:30-12:00, 13:00-17:30
      tuesday: 08:30-12:00, 13:00-17:30
      wednesday: 08:30-12:00, 13:00-17:30
      thursday: 08:30-12:00, 13:00-17:30
      friday: 08:30-12:00, 13:00-17:30
    days: {2026-04-03: Good Friday, 2026-04-06: Easter Monday, 2026-05-01: Labour Day}
agreements:
  - name: Recorded
    targets:
      - {key: p1, metric: resolution, priorities: [1], pauses: [requester], within: {counting: working, amount: 240, calendar: always}}
      - {key: p2, metric: resolution, priorities: [2], pauses: [requester], within: {counting: working, amount: 480, calendar: old-hours}}
      - {key: p3, metric: resolution, pauses: [requester], within: {counting: working, amount: 1200, calendar: old-hours}}
"""
MAPPING = """
name: old-desk-log
rows: entry
date_order: ymd
timezone: Europe/Zurich
organization: {name: Old desk, kind: customer}
columns:
  ref: ref
  at: at
  kind: {value: incident}
  title: {value: Something}
  state: {column: state, values: {New: new, Work: in_progress, Asked: waiting on requester, Done: resolved, Shut: closed}}
  impact: {value: 2}
  urgency: {value: 2}
  priority: rank
  opened_at: opened
"""


def _stories(count: int) -> list[list[dict[str, Any]]]:
    """Tickets with what happened to them, in whole seconds of local time that exists once."""
    chance = random.Random(3)
    found = []
    for number in range(count):
        at = datetime(2026, 3, 23, tzinfo=UTC) + timedelta(seconds=chance.randrange(50 * 86_400))
        rank, state = chance.choice([1, 2, 3, 3]), "New"
        opened = at
        rows = [(at, state, rank)]
        for _ in range(chance.randrange(1, 7)):
            at += timedelta(seconds=chance.choice([chance.randrange(1, 7200), chance.randrange(1, 200_000)]))
            state = {
                "New": chance.choice(["Work", "Asked", "Done"]),
                "Work": chance.choice(["Work", "Asked", "Asked", "Done"]),
                "Asked": chance.choice(["Work", "Work", "Done"]),
                "Done": chance.choice(["Work", "Shut"]),
                "Shut": "Shut",
            }[state]
            rank = chance.choice([rank, rank, rank, 1, 2, 3]) if state in ("Work", "Asked") else rank
            rows.append((at, state, rank))
            if state == "Shut":
                break
        found.append(
            [{"ref": f"R{number}", "at": at, "state": state, "rank": rank, "opened": opened} for at, state, rank in rows]
        )
    return found


def _is_open(at: datetime, rank: int) -> bool:
    here = at.astimezone(PLACE)
    return rank == 1 or (
        here.weekday() < 5 and here.date() not in HOLIDAYS and any(since <= here.time() < until for since, until in PERIODS)
    )


def _slowly(rows: list[dict[str, Any]]) -> tuple[datetime | None, bool | None]:
    """(due, met). Hours begin and end at whole minutes: time goes by to the next minute or row. The rank is the one at the end."""
    ends = [place for place, row in enumerate(rows) if row["state"] in ("Done", "Shut")]
    is_over = bool(ends) and ends[-1] == len(rows) - 1
    stopped = rows[_first_of_last_run(rows)]["at"] if is_over else None
    rank = rows[_first_of_last_run(rows)]["rank"] if is_over else rows[-1]["rank"]
    left = LIMITS[rank]
    at, place = rows[0]["at"], 0
    while at < rows[0]["at"] + timedelta(days=120):
        while place + 1 < len(rows) and rows[place + 1]["at"] <= at:
            place += 1
        state = rows[place]["state"]
        runs = state in ("New", "Work") or (stopped is not None and at >= stopped)
        if state == "Asked" and place == len(rows) - 1:
            return None, None  # it waits for ever
        nearest = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
        if place + 1 < len(rows):
            nearest = min(nearest, rows[place + 1]["at"])
        if runs and _is_open(at, rank):
            step = int((nearest - at) / SECOND)
            if step >= left:
                due = at + left * SECOND
                return due, None if stopped is None else stopped <= due
            left -= step
        at = nearest
    raise AssertionError("never due")


def _first_of_last_run(rows: list[dict[str, Any]]) -> int:
    """The place at which it was resolved for good."""
    place = len(rows) - 1
    while place > 0 and rows[place - 1]["state"] in ("Done", "Shut"):
        place -= 1
    return place


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["ref", "at", "state", "rank", "opened"])
        for row in rows:
            told = [row[name].astimezone(PLACE).strftime("%Y-%m-%d %H:%M:%S") for name in ("at", "opened")]
            lines.writerow([row["ref"], told[0], row["state"], row["rank"], told[1]])


@pytest.mark.parametrize("order", ["as it happened", "mixed"])
def test_recorded_clocks_to_the_second(tmp_path: Path, order: str) -> None:
    stories = _stories(150)
    rows = [row for story in stories for row in story]
    if order == "mixed":
        random.Random(5).shuffle(rows)
    (tmp_path / "map.yaml").write_text(MAPPING)
    agreement_files.load(yaml.safe_load(AGREEMENTS), actor=actor.importer(), now=NOW)
    mapping, digest = readers.mapping(str(tmp_path / "map.yaml"))
    for part, those in enumerate((rows[: len(rows) // 2], rows[len(rows) // 2 :])):
        path = tmp_path / f"{part}.csv"
        _write(path, those)
        options = {"mapping_sha256": digest, "zone": PLACE, "rejects": None, "actor": actor.importer(), "now": lambda: NOW}
        assert importing.import_tickets(path, mapping, **options).rejected == 0
    numbers = dict(Ticket.objects.values_list("external_ref", "pk"))
    found = {clock.ticket_id: clock for clock in Clock.objects.exclude(state="cancelled")}
    waiting = met = missed = 0
    for story in stories:
        clock = found[numbers[story[0]["ref"]]]
        due, is_met = _slowly(story)
        waiting += due is None
        if due is None and clock.due_at is not None:  # used up before it began to wait
            assert clock.due_at <= story[-1]["at"]
            continue
        assert clock.due_at == due, story
        if is_met is not None:
            assert (clock.met_at is not None) == is_met, story
            met, missed = met + is_met, missed + (not is_met)
    assert waiting > 5
    assert met > 15
    assert missed > 15
    assert list(clocks.replay(None, actor=actor.engine(), now=NOW, is_dry=True)) == []
