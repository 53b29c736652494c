"""The week of the DBAs: who is on call, and what follows when somebody edits, falls ill, swaps, or takes over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from allswell.desk import calendars, covering, people, planning, rotas, shifts
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from allswell.oncall import queries
from allswell.oncall.models import Override, Rota, Shift, ShiftRequest
from allswell.oncall.rules import Definition, Layer, Trouble, Why
from allswell.people.models import Person
from tests.support.world import START, World

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def week(*people: Person, level: int = 1, **more: Any) -> Layer:
    """The people in turn, from Monday 09:00 to Monday 09:00."""
    values = {"key": level, "name": f"Level {level}", "level": level, "first_on": date(2026, 11, 23), **more}
    return Layer(people=tuple(person.pk for person in people), **values)


def dbas(world: World, *layers: Layer, **more: Any) -> Rota:
    """The rota of the databases, by its lead: Amir and Priya in turn unless said otherwise."""
    definition = Definition("UTC", layers or (week(world.amir, world.priya),), **more)
    return rotas.create_rota(name="Databases", team="databases", definition=definition, **world.by(world.lena))


def now_on_call(world: World, row: Rota, at: datetime | None = None) -> dict[int, int | None]:
    return {level: said.person for level, said in queries.on_call([row.pk], at or world.now)[row.pk].items()}


def tiles(row: Rota, since: datetime) -> None:
    """Each level is written without a hole up to where it is planned."""
    for level in set(Shift.objects.filter(rota=row).values_list("level", flat=True)):
        found = list(Shift.objects.filter(rota=row, level=level, ends_at__gt=since).order_by("starts_at"))
        assert all(one.ends_at == other.starts_at for one, other in pairwise(found))
        assert found[-1].ends_at == Rota.objects.get(pk=row.pk).planned_until


def told(found: Iterable[Shift]) -> list[tuple[str, int | None]]:
    return [(f"{shift.starts_at:%d %H:%M}", shift.person_id) for shift in found]


def test_lena_makes_a_rota_and_everybody_at_the_desk_sees_who_is_on_call(world: World) -> None:
    row = dbas(world)
    assert (row.slug, row.number, row.levels) == ("databases", 1, 1)
    assert row.planned_until == datetime(2027, 2, 22, tzinfo=UTC)
    tiles(row, START)
    (said,) = queries.on_call([row.pk], world.now)[row.pk].values()
    assert (said.person, said.next_person, said.ends_at) == (world.amir.pk, world.priya.pk, START + 7 * DAY)
    assert queries.visible_to(world.actor(world.jonas)).get() == row
    assert queries.visible_to(world.actor(world.audrey)).get() == row
    assert not queries.visible_to(world.actor(world.maria)).exists()
    assert queries.members(row.pk) == sorted([world.amir.pk, world.priya.pk])


def test_who_is_on_call_for_services_follows_from_their_teams(world: World) -> None:
    row = dbas(world, week(world.amir, world.priya), week(world.lena, level=2))
    teams = {world.ledger.pk: world.dba_team.pk, world.printing.pk: world.desk_team.pk}
    found = queries.on_call_for(teams, world.now)
    assert [(said.level, said.person) for said in found[world.ledger.pk]] == [(1, world.amir.pk), (2, world.lena.pk)]
    assert found[world.printing.pk] == []
    assert queries.of_teams([world.dba_team.pk]) == {world.dba_team.pk: [row.pk]}


def test_beyond_what_is_written_it_is_worked_out(world: World) -> None:
    row = dbas(world)
    at = row.planned_until + 3 * DAY
    (said,) = queries.on_call([row.pk], at)[row.pk].values()
    assert said.person == (world.amir.pk, world.priya.pk)[((at - START) // (7 * DAY)) % 2]
    assert said.next_person not in (None, said.person)
    seen = queries.slots([row], row.planned_until - 10 * DAY, row.planned_until + 10 * DAY)[row.pk]
    assert all(one.ends_at == other.starts_at for one, other in pairwise(seen))
    assert seen[-1].ends_at == row.planned_until + 10 * DAY


def test_before_there_was_a_rota_nobody_was_on_call(world: World) -> None:
    row = dbas(world)
    assert now_on_call(world, row, START - HOUR) == {}


def test_an_edit_says_what_moves_before_it_is_saved_and_moves_just_that(world: World) -> None:
    row = dbas(world)
    world.forward(days=2)
    asked = Definition("UTC", (week(world.priya, world.amir),))
    seen = rotas.what_moves(row.pk, asked, effective_at=START + 7 * DAY, **world.by(world.lena))
    assert seen.changes[world.amir.pk].gains == seen.changes[world.priya.pk].loses
    assert min(moved.starts_at for moved in seen.moves) == START + 7 * DAY
    assert Shift.objects.filter(rota=row, person=world.amir, starts_at=START + 7 * DAY).count() == 0
    rotas.change_rota(row.pk, definition=asked, effective_at=START + 7 * DAY, seen=1, **world.by(world.lena))
    (running, following) = Shift.objects.filter(rota=row).order_by("starts_at")[:2]
    assert told([running, following]) == [("23 09:00", world.amir.pk), ("30 09:00", world.amir.pk)]
    tiles(row, START)


def test_what_is_over_stays_and_the_running_shift_is_cut_only_when_its_person_changes(world: World) -> None:
    row = dbas(world)
    kept = Shift.objects.get(rota=row, starts_at=START)
    world.forward(days=2)
    same = Definition("UTC", (week(world.amir, world.priya, world.lena),))
    rotas.change_rota(row.pk, definition=same, **world.by(world.lena))
    assert Shift.objects.get(rota=row, starts_at=START).pk == kept.pk
    assert now_on_call(world, row) == {1: world.amir.pk}
    world.forward(days=1)
    rotas.change_rota(row.pk, definition=Definition("UTC", (week(world.priya),)), **world.by(world.lena))
    first, second = Shift.objects.filter(rota=row).order_by("starts_at")[:2]
    assert (first.person_id, first.starts_at, first.ends_at) == (world.amir.pk, START, START + 3 * DAY)
    assert (second.person_id, second.starts_at) == (world.priya.pk, START + 3 * DAY)
    assert now_on_call(world, row, START + DAY) == {1: world.amir.pk}
    tiles(row, START)
    assert queries.members(row.pk) == [world.priya.pk]


def test_what_a_new_rota_moves_is_told_to_those_who_may_make_it(world: World) -> None:
    asked = Definition("UTC", (week(world.amir),))
    with pytest.raises(NotAllowed):
        rotas.what_moves(None, asked, team="databases", **world.by(world.jonas))
    with pytest.raises(NotFound):
        rotas.what_moves(None, asked, team="no-such", **world.by(world.lena))
    for rota, team in ((None, None), (dbas(world).pk, "databases")):
        with pytest.raises(Invalid):
            rotas.what_moves(rota, asked, team=team, **world.by(world.lena))


def test_who_edits_what_somebody_has_edited_is_told(world: World) -> None:
    row = dbas(world)
    rotas.change_rota(row.pk, definition=Definition("UTC", (week(world.priya),)), seen=1, **world.by(world.lena))
    with pytest.raises(Stale):
        rotas.change_rota(row.pk, definition=Definition("UTC", (week(world.amir),)), seen=1, **world.by(world.lena))
    with pytest.raises(Conflict):
        rotas.change_rota(row.pk, definition=Definition("UTC", (week(world.priya),)), **world.by(world.lena))
    rotas.change_rota(row.pk, name="Data", **world.by(world.lena))
    assert Rota.objects.get().name == "Data"


def test_who_may_what(world: World) -> None:
    row = dbas(world)
    definition = Definition("UTC", (week(world.amir),))
    for person in (world.jonas, world.amir, world.audrey):
        with pytest.raises(NotAllowed):
            rotas.change_rota(row.pk, definition=definition, **world.by(person))
    for person in (world.maria, world.otto):
        with pytest.raises(NotFound):
            rotas.rota_for(row.slug, actor=world.actor(person))
    with pytest.raises(NotAllowed):
        rotas.create_rota(name="Desk", team="service-desk", definition=definition, **world.by(world.amir))
    with pytest.raises(NotAllowed):
        shifts.take_shift(row.pk, level=1, **world.by(world.jonas))
    with pytest.raises(NotAllowed):
        shifts.add_leave(person=world.amir.pk, starts_at=START, ends_at=START + DAY, **world.by(world.jonas))
    rotas.change_rota(row.pk, definition=definition, **world.by(world.ada))


def test_only_people_of_the_desk_are_called(world: World) -> None:
    for person in (world.maria, world.otto):
        with pytest.raises(Invalid) as refused:
            dbas(world, week(world.amir, person))
        assert refused.value.field == "layers.0.people"
    row = dbas(world)
    with pytest.raises(Invalid):
        override(world, row, START, START + DAY, world.maria)


def test_support_hours_are_no_gap_and_a_change_of_them_counts_at_once(world: World) -> None:
    office = calendars.Hours(week=[((480, 1080),)] * 5 + [(), ()])
    calendar = calendars.create_calendar(
        name="Office", zone="UTC", hours=office, effective_on=date(2026, 1, 1), **world.by(world.ada)
    )
    row = dbas(world, calendar=calendar.pk)
    evening = START.replace(hour=19)
    assert queries.on_call([row.pk], evening)[row.pk][1].why is Why.OFF_HOURS
    assert not queries.gaps([row.pk], since=START, until=row.planned_until).exists()
    longer = calendars.Hours(week=[((480, 1200),)] * 5 + [(), ()])
    calendars.change_calendar(calendar.pk, hours=longer, **world.by(world.ada))
    assert now_on_call(world, row, evening) == {1: world.amir.pk}
    assert Rota.objects.get().planned_until == world.now


# what differs


def override(world: World, row: Rota, starts_at: datetime, ends_at: datetime, person: Person | None, **more: Any) -> Override:
    values = {"level": 1, "starts_at": starts_at, "ends_at": ends_at, "person": person.pk if person else None, **more}
    return shifts.add_override(row.pk, **values, **world.by(world.lena))


def test_an_override_and_its_end(world: World) -> None:
    row = dbas(world)
    made = override(world, row, START + DAY, START + 2 * DAY, world.priya, reason="Dentist")
    assert told(Shift.objects.filter(rota=row).order_by("starts_at")[:3]) == [
        ("23 09:00", world.amir.pk),
        ("24 09:00", world.priya.pk),
        ("25 09:00", world.amir.pk),
    ]
    assert Shift.objects.get(override=made).stands_for_id == world.amir.pk
    world.forward(days=1, hours=6)
    shifts.cancel_override(row.pk, made.pk, **world.by(world.lena))
    assert now_on_call(world, row) == {1: world.amir.pk}
    assert now_on_call(world, row, world.now - HOUR) == {1: world.priya.pk}
    tiles(row, START)
    with pytest.raises(Conflict):
        shifts.cancel_override(row.pk, made.pk, **world.by(world.lena))


def test_what_cannot_be_an_override(world: World) -> None:
    row = dbas(world)
    for starts_at, ends_at in ((START - DAY, START - HOUR), (START + DAY, START + DAY), (START, START + 900 * DAY)):
        with pytest.raises(Invalid):
            override(world, row, starts_at, ends_at, world.priya)
    with pytest.raises(Invalid):
        override(world, row, START, START + DAY, world.priya, level=2)
    override(world, row, START, START + DAY, None)
    said = queries.on_call([row.pk], world.now)[row.pk][1]
    assert (said.person, said.why, said.is_gap) == (None, Why.NOBODY, False)


def test_amir_falls_ill_and_priya_has_his_turn_until_he_is_back(world: World) -> None:
    row = dbas(world)
    world.forward(hours=3)
    ill = shifts.add_leave(person=world.amir.pk, starts_at=START, ends_at=START + 3 * DAY, **world.by(world.amir))
    assert now_on_call(world, row) == {1: world.priya.pk}
    assert now_on_call(world, row, START + HOUR) == {1: world.amir.pk}
    assert now_on_call(world, row, START + 4 * DAY) == {1: world.amir.pk}
    world.forward(days=1)
    shifts.cancel_leave(ill.pk, **world.by(world.amir))
    assert now_on_call(world, row) == {1: world.amir.pk}
    tiles(row, START)


def test_out_of_office_counts_as_leave_and_so_does_being_out_of_use(world: World) -> None:
    row = dbas(world)
    away = {"away_from": START, "away_until": START + DAY, "stands_in": None}
    people.set_away(world.amir.pk, **away, **world.by(world.amir))
    assert now_on_call(world, row) == {1: world.priya.pk}
    people.set_away(world.amir.pk, away_from=None, away_until=None, stands_in=None, **world.by(world.amir))
    assert now_on_call(world, row) == {1: world.amir.pk}
    people.deactivate_person(world.amir.pk, **world.by(world.ada))
    assert not Shift.objects.filter(rota=row, person=world.amir, ends_at__gt=world.now).exists()
    people.activate_person(world.amir.pk, **world.by(world.ada))
    assert now_on_call(world, row) == {1: world.amir.pk}


def test_a_turn_that_stays_open_is_a_gap_that_says_why(world: World) -> None:
    from allswell.oncall.rules import OnLeave

    row = dbas(world, week(world.amir, world.priya, on_leave=OnLeave.OPEN))
    shifts.add_leave(person=world.priya.pk, starts_at=START + 8 * DAY, ends_at=START + 9 * DAY, **world.by(world.lena))
    (gap,) = queries.gaps([row.pk], since=START, until=row.planned_until)
    assert (gap.starts_at, gap.ends_at, gap.why, gap.stands_for_id) == (
        START + 8 * DAY,
        START + 9 * DAY,
        "on_leave",
        world.priya.pk,
    )


def test_taking_the_running_shift_at_once(world: World) -> None:
    row = dbas(world)
    world.forward(hours=5)
    shifts.take_shift(row.pk, level=1, reason="Amir does not answer", **world.by(world.priya))
    assert now_on_call(world, row) == {1: world.priya.pk}
    assert now_on_call(world, row, START + 7 * DAY - HOUR) == {1: world.priya.pk}
    with pytest.raises(Conflict):
        shifts.take_shift(row.pk, level=1, **world.by(world.priya))
    shifts.take_shift(row.pk, level=1, until=world.now + HOUR, **world.by(world.amir))
    assert [now_on_call(world, row, world.now + n * HOUR)[1] for n in (0, 2)] == [world.amir.pk, world.priya.pk]


# asking one another


def ask(world: World, row: Rota, **more: Any) -> ShiftRequest:
    values = {"level": 1, "starts_at": START + DAY, "ends_at": START + 3 * DAY, **more}
    return covering.ask_cover(row.pk, **values, **world.by(world.amir))


def test_somebody_of_the_rota_covers(world: World) -> None:
    row = dbas(world)
    asked = ask(world, row, note="School")
    assert list(queries.waiting_for(world.priya.pk, now=world.now)) == [asked]
    assert not queries.waiting_for(world.amir.pk, now=world.now).exists()
    with pytest.raises(NotAllowed):
        covering.accept_request(asked.pk, **world.by(world.jonas))
    with pytest.raises(NotAllowed):
        covering.accept_request(asked.pk, **world.by(world.amir))
    covering.accept_request(asked.pk, **world.by(world.priya))
    assert now_on_call(world, row, START + 2 * DAY) == {1: world.priya.pk}
    assert (asked.overrides.get().instead_of_id, asked.overrides.get().person_id) == (world.amir.pk, world.priya.pk)
    with pytest.raises(Stale):
        covering.withdraw_request(asked.pk, **world.by(world.amir))
    verbs = Entry.objects.filter(about_kind="shift_request", about_id=asked.pk).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["shift.asked", "shift.accepted"]


def test_several_shifts_are_covered_each_for_itself(world: World) -> None:
    row = dbas(world)
    asked = ask(world, row, ends_at=START + 20 * DAY, offered_to=world.lena.pk)
    covering.accept_request(asked.pk, **world.by(world.lena))
    assert asked.overrides.count() == 2
    assert now_on_call(world, row, START + 8 * DAY) == {1: world.priya.pk}
    tiles(row, START)


def test_two_swap(world: World) -> None:
    row = dbas(world)
    mine = {"level": 1, "starts_at": START + DAY, "ends_at": START + 2 * DAY, "offered_to": world.priya.pk}
    theirs = {"in_return_starts_at": START + 8 * DAY, "in_return_ends_at": START + 9 * DAY}
    with pytest.raises(Conflict):
        covering.ask_swap(row.pk, **mine, **{name: at - 7 * DAY for name, at in theirs.items()}, **world.by(world.amir))
    asked = covering.ask_swap(row.pk, **mine, **theirs, **world.by(world.amir))
    with pytest.raises(NotAllowed):
        covering.accept_request(asked.pk, **world.by(world.lena))
    covering.accept_request(asked.pk, **world.by(world.priya))
    assert now_on_call(world, row, START + 1.5 * DAY) == {1: world.priya.pk}
    assert now_on_call(world, row, START + 8.5 * DAY) == {1: world.amir.pk}


def test_what_one_does_not_hold_cannot_be_given_away(world: World) -> None:
    row = dbas(world)
    with pytest.raises(Conflict):
        ask(world, row, starts_at=START + 8 * DAY, ends_at=START + 9 * DAY)
    asked = ask(world, row)
    rotas.change_rota(row.pk, definition=Definition("UTC", (week(world.priya),)), **world.by(world.lena))
    with pytest.raises(Conflict):
        covering.accept_request(asked.pk, **world.by(world.priya))
    assert ShiftRequest.objects.get().state == "open"


def test_declined_and_withdrawn(world: World) -> None:
    row = dbas(world)
    first, second = ask(world, row, offered_to=world.priya.pk), ask(world, row)
    covering.decline_request(first.pk, **world.by(world.priya))
    with pytest.raises(NotAllowed):
        covering.decline_request(second.pk, **world.by(world.priya))
    covering.withdraw_request(second.pk, **world.by(world.amir))
    assert sorted(ShiftRequest.objects.values_list("state", flat=True)) == ["declined", "withdrawn"]
    with pytest.raises(NotFound):
        covering.accept_request(second.pk + 999, **world.by(world.priya))


# in use


def test_out_of_use_nobody_is_on_call_and_what_was_stays(world: World) -> None:
    row = dbas(world)
    world.forward(days=1)
    rotas.deactivate_rota(row.pk, **world.by(world.lena))
    assert queries.on_call([row.pk], world.now) == {}
    assert told(Shift.objects.filter(rota=row)) == [("23 09:00", world.amir.pk)]
    with pytest.raises(Conflict):
        override(world, row, world.now, world.now + DAY, world.priya)
    world.forward(days=1)
    rotas.activate_rota(row.pk, **world.by(world.lena))
    assert now_on_call(world, row) == {1: world.amir.pk}
    assert now_on_call(world, row, world.now - HOUR) == {}


def test_the_preview_warns_over_all_rotas_of_a_person(world: World) -> None:
    dbas(world)
    more = Definition("UTC", (week(world.amir, key=1, first_on=date(2026, 11, 23), first_minute=0, week=(((0, 60),),) * 7),))
    seen = rotas.what_moves(None, more, team="databases", effective_at=START + 10 * DAY, **world.by(world.lena))
    assert {one.trouble for one in seen.cautions} == set()
    twice = Definition("UTC", (week(world.amir), week(world.amir, level=2)))
    seen = rotas.what_moves(None, twice, team="databases", **world.by(world.lena))
    assert [(one.trouble, one.person) for one in seen.cautions] == [(Trouble.TWICE, world.amir.pk)]


def test_a_secret_address_reads_along_until_it_is_ended(world: World) -> None:
    row = dbas(world)
    link, secret = shifts.make_calendar_link(rota=row.pk, **world.by(world.amir))
    found = queries.calendar_link(secret)
    assert found is not None
    assert (found.person_id, found.rota_id) == (world.amir.pk, row.pk)
    assert secret not in str(link.digest)
    with pytest.raises(NotFound):
        shifts.revoke_calendar_link(link.pk, **world.by(world.priya))
    shifts.note_calendar_reading(link.pk, **world.by(world.amir))
    shifts.revoke_calendar_link(link.pk, **world.by(world.amir))
    assert queries.calendar_link(secret) is None
    assert queries.calendar_link("x" * 43) is None


def test_planning_again_changes_nothing(world: World) -> None:
    row = dbas(world, week(world.amir, world.priya), week(world.lena, level=2))
    override(world, row, START + DAY, START + 2 * DAY, None)
    before = list(Shift.objects.order_by("pk").values_list())
    from django.db import transaction

    from allswell.kernel.actor import engine
    from allswell.oncall import operations

    world.forward(hours=1)
    with transaction.atomic():
        assert planning.replan(operations.hold([row.pk]), actor=engine(), now=world.now) == []
    assert list(Shift.objects.order_by("pk").values_list()) == before
