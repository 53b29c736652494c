"""Every Monday a lead hears once which of their services are not covered, and nothing when all are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from allswell.desk import coverage_notices, shifts, teams
from allswell.engine.coverage import Coverage
from allswell.kernel.actor import engine
from allswell.notifications.models import Delivery
from allswell.oncall.models import CoverageNotice
from allswell.people.models import Person, Team
from tests.desk.test_paging import dba_policy, steps_of
from tests.desk.test_rotas import DAY
from tests.engine.test_rotas import heard, letters, told
from tests.support.world import START, World
from tests.web.test_proof_pages import reach_by_push

#: seven in the morning of the next Monday
MONDAY = START.replace(hour=7) + 7 * DAY


def run(world: World) -> None:
    """The engine does all that is due."""
    module = Coverage()
    while module.is_due(world.now):
        module.tick(world.now)


def covered_by(world: World, *steps: dict[str, Any]) -> None:
    """The databases are covered by these steps; of the other services the lead is nobody's."""
    dba_policy(world, steps=steps_of(*steps))
    Team.objects.filter(pk=world.desk_team.pk).update(lead=None)
    run(world)
    Delivery.objects.all().delete()


def at(world: World, instant: datetime) -> None:
    world.now = instant
    run(world)


def test_on_monday_the_lead_hears_once_where_nobody_would_be_called(world: World) -> None:
    covered_by(world, {"kind": "person", "person": world.amir.pk})
    reach_by_push(world, world.amir)
    shifts.add_leave(person=world.amir.pk, starts_at=MONDAY + 3 * DAY, ends_at=MONDAY + 5 * DAY, **world.by(world.amir))
    at(world, MONDAY - timedelta(minutes=1))
    assert heard(world.lena, "uncovered") == []
    at(world, MONDAY)
    run(world)
    ((sentence, body),) = told(world, world.lena)
    assert sentence == "1 service of your teams is not covered at all times in the next four weeks"
    assert "Ledger database, 3 Dec 2026, 07:00 – 5 Dec 2026, 06:55 (UTC): nobody is called" in body
    (letter,) = letters(world, world.lena)
    assert letter.startswith("1 service of your teams is not covered")
    assert "https://desk.example/oncall/coverage" in letter
    at(world, MONDAY + 6 * DAY)
    assert len(heard(world.lena, "uncovered")) == 1
    assert Delivery.objects.filter(topic="uncovered").exclude(person=world.lena.pk).count() == 0


def test_where_all_is_covered_nobody_hears_anything(world: World) -> None:
    covered_by(world, {"kind": "person", "person": world.amir.pk})
    reach_by_push(world, world.amir)
    at(world, MONDAY)
    assert heard(world.lena, "uncovered") == []
    assert CoverageNotice.objects.get(person=world.lena.pk).next_at == MONDAY + 7 * DAY


def test_a_lead_whose_services_page_nobody_at_all_is_left_alone(world: World) -> None:
    run(world)
    at(world, MONDAY)
    assert heard(world.lena, "uncovered") == []


def test_services_without_a_policy_are_counted_where_others_have_one(world: World) -> None:
    dba_policy(world)
    reach_by_push(world, world.amir, world.priya)
    run(world)
    at(world, MONDAY)
    (content,) = heard(world.lena, "uncovered")
    assert (content["services"], content["without_policy"], content["gaps"]) == (2, 2, [])


def test_their_monday_begins_where_they_are(world: World) -> None:
    Person.objects.filter(pk=world.lena.pk).update(time_zone="Asia/Tokyo")
    covered_by(world, {"kind": "person", "person": world.amir.pk})
    at(world, datetime(2026, 11, 29, 21, 59, tzinfo=UTC))
    assert heard(world.lena, "uncovered") == []
    at(world, datetime(2026, 11, 29, 22, 0, tzinfo=UTC))
    assert len(heard(world.lena, "uncovered")) == 1


def test_after_weeks_without_an_engine_one_notice_comes(world: World) -> None:
    covered_by(world, {"kind": "person", "person": world.amir.pk})
    at(world, MONDAY + 23 * DAY)
    assert len(heard(world.lena, "uncovered")) == 1
    assert CoverageNotice.objects.get().next_at == MONDAY + 28 * DAY


def test_of_two_engines_that_look_at_once_one_tells(world: World) -> None:
    covered_by(world, {"kind": "person", "person": world.amir.pk})
    world.now = MONDAY
    (mine,), (theirs,) = (coverage_notices.look(limit=5, now=world.now) for _ in range(2))
    assert coverage_notices.tell(mine, actor=engine(), now=world.now) is True
    assert coverage_notices.tell(theirs, actor=engine(), now=world.now) is False
    assert len(heard(world.lena, "uncovered")) == 1


def test_who_leads_no_longer_is_forgotten(world: World) -> None:
    covered_by(world, {"kind": "person", "person": world.amir.pk})
    teams.edit_team(world.dba_team.pk, lead=world.olga.pk, **world.by(world.ada))
    at(world, MONDAY)
    assert list(CoverageNotice.objects.values_list("person", flat=True)) == [world.olga.pk]
    assert not Delivery.objects.filter(topic="uncovered").exists()


def test_a_notice_names_only_what_its_reader_may_still_know(world: World) -> None:
    covered_by(world, {"kind": "person", "person": world.amir.pk})
    at(world, MONDAY)
    assert len(told(world, world.lena)) == 1
    Delivery.objects.filter(topic="uncovered").update(person=world.oskar)
    assert told(world, world.oskar) == []
