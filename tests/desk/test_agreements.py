"""What is promised to whom: agreements are set up, changed by versions, and asked in an order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from allswell.calendars import rules as hours
from allswell.desk import agreements as desk
from allswell.desk import calendars as desk_calendars
from allswell.desk import teams
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from allswell.people.models import RoleGrant
from allswell.sla import queries
from allswell.sla.models import Agreement, AgreementVersion
from allswell.sla.rules.terms import Metric
from allswell.tickets.models import Ticket
from tests.support.world import START, World

Json = dict[str, Any]


def working(minutes: int, calendar: str = "always") -> Json:
    """So many minutes of working time."""
    return {"counting": "working", "amount": minutes, "calendar": calendar}


def terms(*, within: Json | None = None, metric: str = "resolution", **more: Any) -> Json:
    """The terms of an agreement that promises one thing: an incident resolved in four hours."""
    target = {"metric": metric, "within": within or working(240)}
    return {"zone": "Europe/Zurich", "targets": [target], **more}


def office_hours(world: World, **more: Any) -> str:
    """A calendar: Monday to Friday, 08:00-18:00."""
    week = [hours.parse_hours("08:00-18:00", field="week")] * 5 + [(), ()]
    values: Json = {
        "name": "Office hours",
        "zone": "Europe/Zurich",
        "hours": desk_calendars.Hours(week),
        "effective_on": date(2026, 1, 1),
        **more,
    }
    return desk_calendars.create_calendar(**values, **world.by(world.ada)).slug


def agreement(world: World, name: str = "Standard", definition: Json | None = None, **more: Any) -> Agreement:
    """Ada sets up an agreement."""
    return desk.create(name=name, definition=definition or terms(), **more, **world.by(world.ada))


def due_of(ticket: Ticket) -> datetime | None:
    """When the next promise about a ticket is due."""
    return Ticket.objects.get(pk=ticket.pk).next_due_at


def test_an_agreement_holds_for_tickets_opened_from_then_on(world: World) -> None:
    before = world.report()
    world.forward(minutes=5)
    row = agreement(world)
    world.forward(minutes=5)
    after = world.report()
    assert due_of(before) is None
    assert due_of(after) == world.now + timedelta(hours=4)
    assert (row.slug, row.audience, row.is_active) == ("standard", "customer", True)
    told = Entry.objects.filter(about_kind="agreement", about_id=row.pk).order_by("id").values_list("verb", flat=True)
    assert list(told) == ["record.created", "agreement.agreed"]


def test_a_new_version_holds_from_its_instant_and_the_old_one_stays_for_what_was_opened_before(world: World) -> None:
    agreement(world)
    first = world.report()
    world.forward(hours=1)
    later = world.now + timedelta(hours=1)
    agreed = desk.agree("standard", definition=terms(within=working(60)), in_force_from=later, **world.by(world.ada))
    assert (agreed.version.number, agreed.touched) == (2, 0)
    between = world.report()
    world.forward(hours=1)
    second = world.report()
    assert due_of(first) == START + timedelta(hours=4)
    assert due_of(between) == START + timedelta(hours=5)
    assert due_of(second) == START + timedelta(hours=3)


def test_a_version_in_the_past_says_which_open_tickets_it_touches(world: World) -> None:
    agreement(world)
    world._grant(world.ada, "agent")  # who does not see them is told only how many there are
    tickets = [world.report(), world.report()]
    world.forward(minutes=10)
    world.report(title="Done already")
    agreed = desk.agree(
        "standard", definition=terms(within=working(60)), in_force_from=START - timedelta(days=1), **world.by(world.ada)
    )
    assert agreed.touched == 3
    assert list(agreed.numbers)[:2] == [ticket.pk for ticket in tickets]


def test_the_one_for_fewer_is_asked_first(world: World) -> None:
    agreement(world)
    agreement(world, "Bank", terms(within=working(120)), organization=world.bank.pk)
    agreement(world, "Branch", terms(within=working(60)), organization="lindenhof-branch")
    agreement(world, "Others", terms(within=working(30)), organization=world.other.pk)
    assert [row.slug for row in queries.agreements()] == ["branch", "bank", "others", "standard"]
    assert due_of(world.report(world.maria)) == world.now + timedelta(hours=1)
    assert due_of(world.report(world.otto)) == world.now + timedelta(minutes=30)
    desk.move("branch", by=1, **world.by(world.ada))
    assert due_of(world.report(world.maria)) == world.now + timedelta(hours=2)
    desk.move("branch", by=-5, **world.by(world.ada))
    assert [row.slug for row in queries.agreements()] == ["branch", "bank", "others", "standard"]
    desk.reorder(["standard", "others", "bank", "branch"], **world.by(world.ada))
    assert due_of(world.report(world.maria)) == world.now + timedelta(hours=4)
    with pytest.raises(Invalid):
        desk.reorder(["standard", "others"], **world.by(world.ada))


def test_out_of_use_it_promises_nothing_more(world: World) -> None:
    agreement(world)
    desk.set_active("standard", is_active=False, **world.by(world.ada))
    assert due_of(world.report()) is None
    desk.set_active("standard", is_active=True, **world.by(world.ada))
    assert due_of(world.report()) is not None


def test_a_new_organization_below_another_is_promised_the_same(world: World) -> None:
    agreement(world, organization=world.bank.pk)
    below = teams.create_organization(name="New branch", parent=world.bank.pk, **world.by(world.ada))
    world.maria.organization = below
    world.maria.save()
    assert due_of(world.report(world.maria)) is not None
    teams.edit_organization(below.pk, parent=world.other.pk, **world.by(world.ada))
    assert due_of(world.report(world.maria)) is None


def test_working_time_counts_in_the_calendar(world: World) -> None:
    agreement(world, definition=terms(within=working(600, office_hours(world))))
    ticket = world.report()  # Monday 10:00 in Zurich: eight hours today, two tomorrow
    assert due_of(ticket) == datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"zone": "Europe/Nowhere"}, "zone"),
        ({"targets": []}, "targets"),
        ({"targets": [{"metric": "resolution", "within": {"counting": "working", "amount": 0, "calendar": "always"}}]},
         "targets.0.within.amount"),
        ({"targets": [{"metric": "resolution", "within": working(60, "lunar")}]}, "targets.0.within.calendar"),
        ({"targets": [{"metric": "team_time", "within": working(60)}]}, "targets.0.metric"),
        ({"targets": [{"metric": "resolution", "within": working(60), "warn": {"minutes": 60}}]}, "targets.0.warn.minutes"),
        ({"targets": [{"metric": "resolution", "within": working(60)}] * 2}, "targets.1.key"),
        ({"services": [987654]}, "services"),
        ({"services": ["no-such-service"]}, "services"),
        ({"priorities": [9]}, "priorities"),
        ({"kinds": ["problem"]}, "kinds"),
        ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_what_cannot_be_agreed_is_refused_beside_its_field(world: World, wrong: Json, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        agreement(world, definition={**terms(), **wrong})
    assert refused.value.field == field
    assert not Agreement.objects.exists()


def test_a_target_no_instant_can_meet_is_refused_with_a_sentence(world: World) -> None:
    one_hour_a_week = [hours.parse_hours("09:00-10:00", field="week")] + [()] * 6
    slug = office_hours(world, name="Mondays", hours=desk_calendars.Hours(one_hour_a_week))
    with pytest.raises(Invalid) as refused:
        agreement(world, definition=terms(within=working(60 * 24 * 365, slug)))
    assert refused.value.field == "targets.0.within.amount"
    assert "50 years" in str(refused.value)
    agreement(world, definition=terms(within=working(60 * 52, slug)))  # a year of Mondays is fine


def test_a_calendar_out_of_use_is_not_agreed_on_any_more(world: World) -> None:
    slug = office_hours(world)
    agreement(world, definition=terms(within=working(60, slug)))
    desk_calendars.deactivate_calendar(slug, **world.by(world.ada))
    assert due_of(world.report()) is not None
    with pytest.raises(Invalid, match="out of use"):
        desk.agree("standard", definition=terms(within=working(90, slug)), **world.by(world.ada))


def test_services_are_named_by_slug_or_id(world: World) -> None:
    agreement(world, definition=terms(services=["printing", world.lookup.pk]))
    assert AgreementVersion.objects.get().definition["services"] == sorted([world.printing.pk, world.lookup.pk])
    assert due_of(world.report(service=world.printing.pk)) is not None
    assert due_of(world.report(service=world.ledger.pk)) is None


def test_between_teams_the_time_a_team_holds_a_ticket_is_agreed(world: World) -> None:
    row = agreement(
        world, "Databases", terms(metric="team_time", within=working(60)), audience="internal", team=world.dba_team.slug
    )
    assert row.team == world.dba_team
    ticket = world.report(world.jonas, team=world.dba_team.pk)
    assert [(clock.metric, clock.due_at) for clock in queries.clocks(ticket.pk)] == [
        (Metric.TEAM_TIME.value, world.now + timedelta(hours=1))
    ]
    with pytest.raises(Invalid) as refused:
        agreement(world, "Customers of one team", team=world.dba_team.pk)
    assert refused.value.field == "team"


def test_two_at_once_and_nothing_new(world: World) -> None:
    agreement(world)
    with pytest.raises(Conflict):
        desk.agree("standard", definition=terms(), **world.by(world.ada))
    with pytest.raises(Stale):
        desk.agree("standard", definition=terms(within=working(5)), seen=0, **world.by(world.ada))
    assert desk.agree("standard", definition=terms(within=working(5)), seen=1, **world.by(world.ada)).version.number == 2
    with pytest.raises(Invalid) as refused:
        desk.agree("standard", definition=terms(), in_force_from=datetime(2026, 1, 1), **world.by(world.ada))
    assert refused.value.field == "in_force_from"


def test_only_who_sets_up_agrees_and_each_only_for_their_own(world: World) -> None:
    agreement(world)
    agreement(world, "Others", terms(within=working(30)), organization=world.other.pk)
    with pytest.raises(NotFound):
        desk.change("standard", name="Mine", **world.by(world.jonas))
    with pytest.raises(NotAllowed):
        desk.change("standard", name="Mine", **world.by(world.audrey))
    assert len(desk.visible_to(world.actor(world.audrey))) == 2
    RoleGrant.objects.create(
        person=world.oskar, role="administrator", scope="organization", organization=world.other, granted_at=START
    )
    assert [row.slug for row in desk.visible_to(world.actor(world.oskar))] == ["others"]
    desk.change("others", name="Ours", **world.by(world.oskar))
    desk.agree("others", definition=terms(within=working(20)), **world.by(world.oskar))
    with pytest.raises(NotFound):
        desk.agree("standard", definition=terms(within=working(5)), **world.by(world.oskar))
    with pytest.raises(NotAllowed):
        desk.change("others", organization=None, **world.by(world.oskar))
    with pytest.raises(Invalid):
        desk.change("others", organization=world.bank.pk, **world.by(world.oskar))
    with pytest.raises(NotAllowed):
        desk.create(name="For all", definition=terms(), **world.by(world.oskar))
    with pytest.raises(NotAllowed):
        desk.move("others", by=1, **world.by(world.oskar))
