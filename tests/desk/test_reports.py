"""Reports with numbers that can be counted by hand, on what the viewer sees and nothing else."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from allswell.desk import reports
from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.errors import NotAllowed
from allswell.people.models import Person
from allswell.reporting import telling
from allswell.tickets.models import Ticket
from tests.support.promises import promise, target
from tests.support.world import World


def _told(world: World, person: Person, name: str = "attainment", **given: str) -> telling.Report:
    actor = world.actor(person)
    asked = telling.asked(name, given, zone="UTC", now=world.now)
    return reports.report(name, asked, actor=actor, now=world.now)


def _rows(world: World, person: Person, part: str, key: str = "", name: str = "attainment", **given: str) -> list[int]:
    asked = telling.asked(name, given, zone="UTC", now=world.now)
    return [row.ticket for row in telling.rows(name, asked, part, key, actor=world.actor(person), now=world.now)]


def _numbers(line: telling.Line) -> tuple[Any, ...]:
    return tuple(line.values[key] for key in ("share", "completed", "kept", "broken", "rerated", "open"))


@pytest.fixture
def resolved(world: World) -> dict[str, Ticket]:
    """Resolution within 4 hours. In November: two kept, one late, one late only because of its priority, one open and late, one
    cancelled, one merged; in December one kept."""
    promise(world, target("resolution", 240, priorities=[3, 4, 5]), target("resolution", 60, priorities=[1, 2], key="fast"))
    by_jonas = lambda: world.by(world.jonas)  # noqa: E731
    found = {
        "kept": world.report(title="Kept", service=world.printing.slug),
        "also": world.report(title="Also kept", service=world.printing.slug),
        "late": world.report(title="Late", service=world.lookup.slug),
        "rerated": world.report(title="Re-rated", service=world.printing.slug),
        "open": world.report(title="Open", service=world.printing.slug),
        "cancelled": world.report(title="Cancelled"),
        "merged": world.report(title="Merged"),
    }
    for ticket in found.values():
        desk.override_priority(ticket.pk, priority=4, reason="the same for all", **world.by(world.lena))
    world.forward(hours=2)
    for name in ("kept", "also"):
        desk.resolve(found[name].pk, code="fixed", resolution="Done", **by_jonas())
    desk.cancel(found["cancelled"].pk, reason="mistake", **by_jonas())
    desk.merge(found["merged"].pk, into=found["open"].pk, **by_jonas())
    desk.override_priority(found["rerated"].pk, priority=1, reason="the board asks", **world.by(world.lena))
    world.forward(minutes=5)
    desk.resolve(found["rerated"].pk, code="fixed", resolution="Done", **by_jonas())
    world.forward(hours=6)
    desk.resolve(found["late"].pk, code="fixed", resolution="Done", **by_jonas())
    world.forward(days=10)
    found["december"] = world.report(title="In December", service=world.printing.slug)
    desk.override_priority(found["december"].pk, priority=4, reason="as the others", **world.by(world.lena))
    desk.resolve(found["december"].pk, code="fixed", resolution="Done", **by_jonas())
    return found


def test_service_levels_by_month_of_due(world: World, resolved: dict[str, Ticket]) -> None:
    told = _told(world, world.jonas, period="2026-Q4")
    assert [(line.key, *_numbers(line)) for line in told.lines] == [
        ("2026-10", None, 0, 0, 0, 0, 0),
        ("2026-11", "50.00", 4, 2, 2, 1, 1),
        ("2026-12", "100.00", 1, 1, 0, 0, 0),
    ]
    assert _numbers(told.total) == ("60.00", 5, 3, 2, 1, 1)


def test_service_levels_by_service_team_and_agreement(world: World, resolved: dict[str, Ticket]) -> None:
    by_service = _told(world, world.jonas, period="2026-Q4", by="service")
    assert {line.name: _numbers(line) for line in by_service.lines} == {
        "Account look-up": ("0.00", 1, 0, 1, 0, 0),
        "Printing": ("75.00", 4, 3, 1, 1, 1),
    }
    for by in ("team", "agreement", "metric", "organization"):
        told = _told(world, world.jonas, period="2026-Q4", by=by)
        assert [_numbers(line) for line in told.lines] == [("60.00", 5, 3, 2, 1, 1)], by
    assert _numbers(_told(world, world.jonas, period="2026-Q4", service="account-look-up").total) == ("0.00", 1, 0, 1, 0, 0)
    assert _numbers(_told(world, world.jonas, period="2026-Q4", metric="fulfilment").total) == (None, 0, 0, 0, 0, 0)


def test_every_number_opens_its_tickets(world: World, resolved: dict[str, Ticket]) -> None:
    ids = {name: ticket.pk for name, ticket in resolved.items()}
    november = {"period": "2026-Q4", "by": "month"}
    assert set(_rows(world, world.jonas, "kept", "2026-11", **november)) == {ids["kept"], ids["also"]}
    assert set(_rows(world, world.jonas, "broken", "2026-11", **november)) == {ids["late"], ids["rerated"]}
    assert _rows(world, world.jonas, "rerated", **november) == [ids["rerated"]]
    assert _rows(world, world.jonas, "open", **november) == [ids["open"]]
    assert _rows(world, world.jonas, "broken", "account-look-up", period="2026-Q4", by="service") == [ids["late"]]


def test_the_numbers_and_their_rows_agree_for_every_cut(world: World, resolved: dict[str, Ticket]) -> None:
    for by in telling.KINDS["attainment"].cuts:
        told = _told(world, world.jonas, period="2026-Q4", by=by)
        for line in told.lines:
            for column in told.columns:
                if column.part:
                    behind = _rows(world, world.jonas, column.part, line.key, period="2026-Q4", by=by)
                    assert len(behind) == line.values[column.key], (by, line.key, column.key)


def test_nobody_counts_what_they_do_not_see(world: World, resolved: dict[str, Ticket]) -> None:
    assert _numbers(_told(world, world.oskar, period="2026-Q4").total) == (None, 0, 0, 0, 0, 0)
    assert _numbers(_told(world, world.ada, period="2026-Q4").total) == (None, 0, 0, 0, 0, 0)
    for person in (world.maria, world.otto):
        with pytest.raises(NotAllowed):
            _told(world, person)
    desk.restrict(resolved["late"].pk, **world.by(world.jonas))
    assert _numbers(_told(world, world.olga, period="2026-Q4").total) == ("75.00", 4, 3, 1, 1, 1)
    assert _numbers(_told(world, world.jonas, period="2026-Q4").total) == ("60.00", 5, 3, 2, 1, 1)  # of its team
    assert _rows(world, world.olga, "broken", period="2026-Q4") == [resolved["rerated"].pk]


def test_a_page_of_rows_begins_where_the_one_before_ended(world: World, resolved: dict[str, Ticket]) -> None:
    asked = telling.asked("attainment", {"period": "2026-Q4"}, zone="UTC", now=world.now)
    by = {"actor": world.actor(world.jonas), "now": world.now}
    whole = telling.rows("attainment", asked, "completed", "", **by)
    seen: list[telling.Row] = []
    while found := telling.rows(
        "attainment", asked, "completed", "", after=(seen[-1].at, seen[-1].id) if seen else None, limit=2, **by
    ):
        seen += found
    assert seen == whole
    assert len(whole) == 5


def test_a_report_is_taken_out_as_csv(world: World, resolved: dict[str, Ticket]) -> None:
    world.printing.name = "=cmd|' /C calc'!A1"
    world.printing.save()
    Ticket.objects.filter(pk=resolved["late"].pk).update(title='=HYPERLINK("x")')
    asked = telling.asked("attainment", {"period": "2026-Q4", "by": "service"}, zone="UTC", now=world.now)
    by = {"actor": world.actor(world.jonas), "now": world.now}
    figures = list(csv.reader("".join(reports.figures_csv("attainment", asked, **by)).splitlines()))
    assert figures[0] == ["service", "name", "share_percent", "completed", "kept", "broken", "rerated", "open"]
    assert ["printing", "'=cmd|' /C calc'!A1", "75.00", "4", "3", "1", "1", "1"] in figures
    assert figures[-1] == ["sum", "", "60.00", "5", "3", "2", "1", "1"]
    rows = list(csv.reader("".join(reports.rows_csv("attainment", asked, "broken", "account-look-up", **by)).splitlines()))
    assert [row[2] for row in rows[1:]] == ['\'=HYPERLINK("x")']
    assert Entry.objects.filter(verb=Verb.EXPORTED, person=world.jonas).count() == 2
