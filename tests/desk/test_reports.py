"""Reports with numbers that can be counted by hand, on what the viewer sees and nothing else."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from typing import Any

import pytest

from allswell.desk import calendars, reports
from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import engine
from allswell.kernel.errors import NotAllowed
from allswell.people.models import Person
from allswell.reporting import telling
from allswell.reporting.models import Place, Stretch
from allswell.reporting.queries.stretches import is_behind
from allswell.reporting.rules.counting import share, spread
from allswell.tickets.models import Ticket
from allswell.tickets.rules import LinkKind, WaitingOn
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


def _agrees(world: World, name: str, by: str, line: telling.Line, column: telling.Column, **given: str) -> None:
    """That a number can be counted again from the rows it opens."""
    asked = telling.asked(name, {**given, "by": by}, zone="UTC", now=world.now)
    seen: dict[str, Any] = {"actor": world.actor(world.jonas), "now": world.now}
    rows = telling.rows(name, asked, column.key, line.key, **seen)
    value, where = line.values[column.key], (name, by, line.key, column.key)
    if column.what == "count":
        assert len(rows) == value, where
    elif column.what == "share":
        assert (share(sum(row.outcome == "kept" for row in rows), len(rows)) or None) == value, where
    else:
        lengths = [row.value or 0 for row in rows]
        assert lengths == sorted(lengths, reverse=True), where
        again = spread(lengths)
        assert value == {"total": again.total, "mean": again.mean, "median": again.median, "p90": again.p90}[column.key], where
        assert telling.measured(name, asked, column.key, line.key, start=0, **seen).rows == rows, where
    assert rows == list(telling.every_row(name, asked, column.key, line.key, **seen)), where
    assert telling.total(name, asked, line.key, **seen) == line.values, where


def test_the_numbers_and_their_rows_agree_for_every_cut(world: World, resolved: dict[str, Ticket]) -> None:
    for by in telling.KINDS["attainment"].cuts:
        told = _told(world, world.jonas, period="2026-Q4", by=by)
        for line in told.lines:
            for column in told.columns:
                _agrees(world, "attainment", by, line, column, period="2026-Q4")


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


def _times(line: telling.Line) -> tuple[Any, ...]:
    """(n, mean, median, p90) in minutes."""
    minutes = (line.values[key] for key in ("mean", "median", "p90"))
    return (line.values["n"], *(None if value is None else int(value) / 60_000 for value in minutes))


@pytest.fixture
def worked(world: World) -> dict[str, Ticket]:
    """Four tickets taken up after 10, 20, 30 and 60 minutes, answered 5 minutes later, restored after that in 10, resolved in 20;
    and a duplicate, a child, one cancelled and one reopened, which count nowhere."""
    found: dict[str, Ticket] = {}
    by_jonas = lambda: world.by(world.jonas)  # noqa: E731
    for minutes in (10, 20, 30, 60):
        ticket = world.report(title=f"After {minutes}", service=world.printing.slug if minutes < 60 else world.lookup.slug)
        found[str(minutes)] = ticket
        world.forward(minutes=minutes)
        desk.take(ticket.pk, **by_jonas())
        world.forward(minutes=5)
        desk.reply(ticket.pk, body="On it", **by_jonas())
        world.forward(minutes=5)
        desk.restore(ticket.pk, **by_jonas())
        world.forward(minutes=10)
        desk.resolve(ticket.pk, code="fixed", resolution="Done", **by_jonas())
    out = {name: world.report(title=name) for name in ("child", "duplicate", "cancelled", "reopened")}
    world.forward(hours=9)
    desk.link(out["child"].pk, kind=LinkKind.CHILD_OF, target=found["10"].pk, **by_jonas())
    desk.link(out["duplicate"].pk, kind=LinkKind.DUPLICATE_OF, target=found["10"].pk, **by_jonas())
    for name in ("child", "duplicate", "reopened"):
        desk.resolve(out[name].pk, code="fixed", resolution="Done", **by_jonas())
    desk.reopen(out["reopened"].pk, reason="Not so", **by_jonas())
    desk.cancel(out["cancelled"].pk, reason="mistake", **by_jonas())
    return found | out


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("restore", (4, 40, 35, 70)),
        ("resolve", (4, 50, 45, 80)),
    ],
)
def test_times_as_the_glossary_defines_them(world: World, worked: dict[str, Ticket], name: str, expected: Any) -> None:
    assert _times(_told(world, world.jonas, name, period="2026-11").total) == expected


def test_the_first_acknowledgement_and_response_stay_when_reopened(world: World, worked: dict[str, Ticket]) -> None:
    # the reopened ticket was taken up and answered after 9 hours, when it was resolved first
    assert _times(_told(world, world.jonas, "acknowledgement", period="2026-11").total) == (5, 132, 30, 540)
    assert _times(_told(world, world.jonas, "first-response", period="2026-11").total) == (5, 136, 35, 540)


def test_times_by_service_and_their_rows(world: World, worked: dict[str, Ticket]) -> None:
    told = _told(world, world.jonas, "resolve", period="2026-11", by="service")
    assert {line.name: _times(line) for line in told.lines} == {
        "Account look-up": (1, 80, 80, 80),
        "Printing": (3, 40, 40, 50),
    }
    behind = _rows(world, world.jonas, "n", "printing", name="resolve", period="2026-11", by="service")
    assert behind == [worked["30"].pk, worked["20"].pk, worked["10"].pk]
    assert _told(world, world.oskar, "resolve", period="2026-11").is_empty


def test_harm_known_to_be_older_counts_from_its_beginning(world: World) -> None:
    ticket = world.report(occurred_at=world.now - timedelta(hours=2))
    world.forward(hours=1)
    desk.resolve(ticket.pk, code="fixed", resolution="Done", **world.by(world.jonas))
    assert _times(_told(world, world.jonas, "restore", period="2026-11").total) == (1, 180, 180, 180)
    assert _times(_told(world, world.jonas, "resolve", period="2026-11").total) == (1, 60, 60, 60)


def test_acknowledgement_counts_in_the_hours_agreed(world: World) -> None:
    """Opened Monday 20:00 in Paris, taken up Tuesday 10:00: two of the agreed hours, from 8."""
    by_ada = world.by(world.ada)
    calendars.create_calendar(
        name="Office",
        zone="Europe/Paris",
        hours=calendars.Hours(week=[[(480, 1080)]] * 7),
        effective_on=date(2026, 1, 1),
        **by_ada,
    )
    promise(
        world,
        {"metric": "acknowledgement", "within": {"counting": "working", "amount": 600, "calendar": "office"}},
        zone="Europe/Paris",
    )
    world.forward(hours=10)
    ticket = world.report()
    world.forward(hours=14)
    desk.take(ticket.pk, **world.by(world.jonas))
    assert _times(_told(world, world.jonas, "acknowledgement", period="2026-11").total) == (1, 120, 120, 120)


def _count(world: World) -> None:
    while reports.count_stretches(limit=2, actor=engine(), now=world.now):
        pass


@pytest.fixture
def moved(world: World) -> Ticket:
    """20 minutes with the service desk, 60 with the databases (30 of them waiting for a supplier), 10 with the service desk again."""
    ticket = world.report(service=world.printing.slug)
    by_jonas, by_amir = (lambda: world.by(world.jonas)), (lambda: world.by(world.amir))
    world.forward(minutes=20)
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="A query", **by_jonas())
    world.forward(minutes=15)
    desk.wait(ticket.pk, on=WaitingOn.SUPPLIER, **by_amir())
    world.forward(minutes=30)
    desk.resume(ticket.pk, **by_amir())
    world.forward(minutes=15)
    desk.hand_over(ticket.pk, team=world.desk_team.pk, reason="Done here", **by_amir())
    world.forward(minutes=10)
    desk.resolve(ticket.pk, code="fixed", resolution="Done", **by_jonas())
    return ticket


def _stretches(line: telling.Line, *names: str) -> tuple[Any, ...]:
    """(total in minutes, then the columns named)."""
    return (int(line.values["total"] or 0) / 60_000, *(line.values[name] for name in names))


def test_time_by_team_and_by_hop(world: World, moved: Ticket) -> None:
    _count(world)
    by_team = _told(world, world.jonas, "teams", period="2026-11")
    assert {line.name: _stretches(line, "stays", "hops", "returns") for line in by_team.lines} == {
        "Service desk": (30, 2, 1, 1),
        "Databases": (60, 1, 1, 0),
    }
    by_hop = _told(world, world.jonas, "teams", period="2026-11", by="hop")
    assert [(line.key, *_stretches(line, "stays")) for line in by_hop.lines] == [("1", 20, 1), ("2", 60, 1), ("3", 10, 1)]
    assert _rows(world, world.jonas, "returns", "service-desk", name="teams", period="2026-11", by="team") == [moved.pk]
    assert _rows(world, world.jonas, "returns", "databases", name="teams", period="2026-11", by="team") == []
    assert _told(world, world.oskar, "teams", period="2026-11").is_empty


def test_time_of_waiting_by_reason(world: World, moved: Ticket) -> None:
    _count(world)
    told = _told(world, world.jonas, "waiting", period="2026-11")
    assert [(line.key, *_stretches(line, "waits")) for line in told.lines] == [("supplier", 30, 1)]
    assert _rows(world, world.jonas, "waits", "supplier", name="waiting", period="2026-11", by="reason") == [moved.pk]
    assert _told(world, world.oskar, "waiting", period="2026-11").is_empty


def test_a_wait_for_no_reason_given_opens_its_rows(world: World, moved: Ticket) -> None:
    _count(world)
    Stretch.objects.filter(kind="wait").update(reason="")
    told = _told(world, world.jonas, "waiting", period="2026-11")
    assert [(line.key, line.values["waits"]) for line in told.lines] == [("-", 1)]
    assert _rows(world, world.jonas, "median", "-", name="waiting", period="2026-11") == [moved.pk]


def test_the_rows_of_a_length_begin_where_the_number_lies(world: World, worked: dict[str, Ticket]) -> None:
    asked = telling.asked("resolve", {"period": "2026-11"}, zone="UTC", now=world.now)
    seen: dict[str, Any] = {"actor": world.actor(world.jonas), "now": world.now, "limit": 1}

    def opened(part: str, start: int | None = None) -> tuple[int, list[int], Any]:
        found = telling.measured("resolve", asked, part, "", start=start, **seen)
        return found.start, [(row.value or 0) // 60_000 for row in found.rows], found.before and found.before // 60_000

    # 80, 50, 40 and 30 minutes: mean 50, median 45, nine of ten no longer than 80
    assert opened("total") == (0, [80], None)
    assert opened("p90") == (0, [80], None)
    assert opened("mean") == (1, [50], 80)
    assert opened("median") == (2, [40], 50)
    assert opened("median", 3) == (3, [30], 40)
    assert opened("median", 99) == (99, [], None)


def test_lengths_are_read_page_by_page(world: World, worked: dict[str, Ticket]) -> None:
    asked = telling.asked("resolve", {"period": "2026-11"}, zone="UTC", now=world.now)
    seen: dict[str, Any] = {"actor": world.actor(world.jonas), "now": world.now}
    whole = telling.rows("resolve", asked, "mean", "", **seen)
    pages: list[telling.Row] = []
    while found := telling.rows(
        "resolve", asked, "mean", "", after=(pages[-1].value or 0, pages[-1].id) if pages else None, limit=1, **seen
    ):
        pages += found
    assert pages == whole
    assert len(whole) == 4
    assert telling.rows("resolve", asked, "mean", "", after=(world.now, 1), **seen) == []  # of the other order


def test_what_happens_later_is_counted_later_and_nothing_twice(world: World, moved: Ticket) -> None:
    _count(world)
    assert not is_behind()
    world.forward(minutes=60)
    desk.reopen(moved.pk, reason="Again", **world.by(world.jonas))
    world.forward(minutes=5)
    desk.resolve(moved.pk, code="fixed", resolution="Now", **world.by(world.jonas))
    assert is_behind()
    for _again in range(2):
        _count(world)
        by_team = _told(world, world.jonas, "teams", period="2026-11")
        assert {line.name: _stretches(line, "stays") for line in by_team.lines} == {"Service desk": (35, 3), "Databases": (60, 1)}


def test_a_hand_over_taken_back_did_not_happen(world: World) -> None:
    ticket = world.report()
    world.forward(minutes=20)
    by_jonas = world.by(world.jonas)
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="A query", **by_jonas)
    world.forward(seconds=3)
    desk.undo(ticket.pk, action=by_jonas["actor"].action, actor=world.actor(world.jonas), now=world.now)
    world.forward(minutes=10)
    desk.resolve(ticket.pk, code="fixed", resolution="Done", **world.by(world.jonas))
    _count(world)
    told = _told(world, world.jonas, "teams", period="2026-11")
    assert [(line.name, *_stretches(line, "stays", "hops")) for line in told.lines] == [("Service desk", 30.05, 1, 0)]


def test_the_numbers_of_every_report_and_their_rows_agree(world: World, worked: dict[str, Ticket], moved: Ticket) -> None:
    _count(world)
    for name, kind in telling.KINDS.items():
        for by in kind.cuts:
            told = _told(world, world.jonas, name, period="2026-11", by=by)
            for line in told.lines:
                for column in told.columns:
                    _agrees(world, name, by, line, column, period="2026-11")


def test_numbers_of_the_journal_that_were_skipped_hold_nothing_up(world: World, moved: Ticket) -> None:
    # a database gives numbers that never become entries; the place of the count then lies far below the next entry
    Place.objects.update_or_create(pk=1, defaults={"entry": -10_000_000})
    assert reports.count_stretches(limit=100, actor=engine(), now=world.now) == 1
    assert Stretch.objects.filter(ticket=moved.pk).exists()
