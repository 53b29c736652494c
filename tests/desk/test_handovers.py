"""The handover between two shifts: drafted, signed, taken; and what happens when nobody takes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from allswell.desk import handovers, shifts
from allswell.desk import rotas as rotas_desk
from allswell.desk import tickets as desk
from allswell.engine.handovers import Handovers
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.notifications.models import Delivery
from allswell.oncall import queries
from allswell.oncall.models import Handover, Rota
from allswell.oncall.rules import Definition, Handing
from allswell.people.models import Person
from allswell.tickets.models import Ticket
from tests.desk.test_rotas import DAY, HOUR, dbas, week
from tests.support.world import START, World

CHANGE = START + 7 * DAY
MINUTE = timedelta(minutes=1)
WANTED = Handing(wanted=True)
HOLDING = Handing(wanted=True, holds=True)


def run(world: World) -> int:
    """The engine does all that is due."""
    module, done = Handovers(), 0
    while module.is_due(world.now):
        done += module.tick(world.now).done
    return done


def at(world: World, when: datetime) -> None:
    world.forward(seconds=(when - world.now).total_seconds())
    run(world)


def drafted(world: World, handing: Handing = WANTED, **more: Any) -> Handover:
    """Half an hour before Amir goes and Priya comes."""
    dbas(world, handover=handing, **more)
    at(world, CHANGE - 30 * MINUTE)
    return Handover.objects.get()


def steps(person: Person) -> list[str]:
    rows = Delivery.objects.filter(person=person, topic="handover", channel="app").order_by("id")
    return [content["step"] for content in rows.values_list("content", flat=True)]


def on_call(row: Rota | int, when: datetime) -> tuple[int | None, int | None]:
    said = queries.on_call([row if isinstance(row, int) else row.pk], when)[row if isinstance(row, int) else row.pk][1]
    return said.person, said.held


def test_half_an_hour_before_the_change_it_is_drafted_then_signed_then_taken(world: World) -> None:
    dbas(world, handover=WANTED)
    at(world, CHANGE - 31 * MINUTE)
    assert not Handover.objects.exists()
    major = world.report(title="Ledger is down", service=world.ledger.pk, impact=1, urgency=1)
    at(world, CHANGE - 30 * MINUTE)
    row = Handover.objects.get()
    assert (row.outgoing, row.incoming, row.changes_at, row.state) == (world.amir, world.priya, CHANGE, "drafted")
    assert row.draft["major"] == [major.pk]
    assert steps(world.amir) == ["drafted"]
    handovers.write_notes(row.pk, "Roll back **4.18** if it comes again.", **world.by(world.amir))
    handovers.sign(row.pk, **world.by(world.amir))
    assert steps(world.priya) == ["signed"]
    world.forward(minutes=5)
    handovers.accept(row.pk, **world.by(world.priya))
    row.refresh_from_db()
    assert (row.state, row.accepted_by, row.accepted_at) == ("accepted", world.priya, world.now)
    assert steps(world.amir) == ["drafted", "accepted"]
    at(world, CHANGE + DAY)
    assert (steps(world.priya), Handover.objects.count()) == (["signed"], 1)
    verbs = Entry.objects.filter(verb__startswith="handover.").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == ["handover.drafted", "handover.signed", "handover.accepted"]
    assert all("Roll back" not in str(data) for data in verbs.values_list("data", flat=True))


def test_where_the_team_does_not_ask_for_it_nothing_is_drafted(world: World) -> None:
    dbas(world)
    at(world, CHANGE + MINUTE)
    assert not Handover.objects.exists()


def test_who_hands_over_to_themselves_hands_nothing_over(world: World) -> None:
    dbas(world, week(world.amir), handover=WANTED)
    at(world, CHANGE + MINUTE)
    assert not Handover.objects.exists()


def test_not_taken_in_time_it_escalates_to_the_lead_and_may_still_be_taken(world: World) -> None:
    row = drafted(world)
    at(world, CHANGE)
    assert steps(world.priya) == ["begins"]
    at(world, CHANGE + 29 * MINUTE)
    assert steps(world.lena) == []
    at(world, CHANGE + 30 * MINUTE)
    row.refresh_from_db()
    assert (row.state, row.escalated_to, row.escalated_at) == ("escalated", world.lena, world.now)
    assert (steps(world.lena), steps(world.priya)) == (["escalated"], ["begins", "missed"])
    assert run(world) == 0
    handovers.accept(row.pk, **world.by(world.priya))
    assert steps(world.lena) == ["escalated", "accepted"]
    with pytest.raises(Conflict, match="taken already"):
        handovers.accept(row.pk, **world.by(world.priya))


def test_nobody_ever_takes_it_and_it_is_over(world: World) -> None:
    row = drafted(world)
    at(world, CHANGE + HOUR)
    at(world, CHANGE + 4 * HOUR)
    row.refresh_from_db()
    assert (row.state, row.ended_at, row.next_at) == ("lapsed", world.now, None)
    assert steps(world.lena) == ["escalated", "lapsed"]
    with pytest.raises(Conflict, match="over"):
        handovers.accept(row.pk, **world.by(world.priya))


def test_nobody_goes_off_call_by_the_clock_alone_where_the_team_asks_for_it(world: World) -> None:
    row = drafted(world, HOLDING)
    assert on_call(row.rota_id, world.now) == (world.amir.pk, None)
    assert on_call(row.rota_id, CHANGE - MINUTE) == (world.amir.pk, None)
    at(world, CHANGE + 10 * MINUTE)
    assert on_call(row.rota_id, world.now) == (world.priya.pk, world.amir.pk)
    handovers.accept(row.pk, **world.by(world.priya))
    assert on_call(row.rota_id, world.now) == (world.priya.pk, None)
    assert on_call(row.rota_id, CHANGE + 5 * MINUTE) == (world.priya.pk, world.amir.pk)  # as it was then


def test_the_outgoing_goes_after_four_hours_at_the_latest(world: World) -> None:
    row = drafted(world, HOLDING)
    at(world, CHANGE + 4 * HOUR - MINUTE)
    assert on_call(row.rota_id, world.now) == (world.priya.pk, world.amir.pk)
    assert on_call(row.rota_id, CHANGE + 4 * HOUR) == (world.priya.pk, None)  # even before the engine comes round


def test_taken_ahead_of_its_time_nobody_is_held(world: World) -> None:
    row = drafted(world, HOLDING)
    with pytest.raises(Conflict, match="Amir Haddad has not signed it yet"):
        handovers.accept(row.pk, **world.by(world.priya))
    handovers.sign(row.pk, notes="Nothing special.", **world.by(world.amir))
    handovers.accept(row.pk, **world.by(world.priya))
    assert on_call(row.rota_id, CHANGE - MINUTE) == (world.amir.pk, None)
    assert on_call(row.rota_id, CHANGE + MINUTE) == (world.priya.pk, None)


def test_a_swap_meanwhile_changes_who_takes_over(world: World) -> None:
    row = drafted(world, HOLDING)
    handovers.sign(row.pk, **world.by(world.amir))
    handovers.accept(row.pk, **world.by(world.priya))
    span = {"starts_at": CHANGE, "ends_at": CHANGE + DAY}
    shifts.add_override(row.rota_id, level=1, person=world.lena.pk, **span, **world.by(world.lena))
    row.refresh_from_db()
    assert (row.incoming, row.state, row.accepted_at) == (world.lena, "signed", None)
    with pytest.raises(NotAllowed, match="Lena Frei takes this shift"):
        handovers.accept(row.pk, **world.by(world.priya))
    at(world, CHANGE + MINUTE)
    assert on_call(row.rota_id, world.now) == (world.lena.pk, world.amir.pk)
    handovers.accept(row.pk, **world.by(world.lena))
    assert on_call(row.rota_id, world.now) == (world.lena.pk, None)


def test_when_the_outgoing_stays_there_is_nothing_to_hand_over(world: World) -> None:
    row = drafted(world)
    span = {"starts_at": CHANGE, "ends_at": CHANGE + DAY}
    made = shifts.add_override(row.rota_id, level=1, person=world.amir.pk, **span, **world.by(world.lena))
    row.refresh_from_db()
    assert (row.state, steps(world.amir)) == ("lapsed", ["drafted", "called_off"])
    world.forward(minutes=1)
    shifts.cancel_override(row.rota_id, made.pk, **world.by(world.lena))
    run(world)
    row.refresh_from_db()
    assert (row.state, row.incoming) == ("drafted", world.priya)


def test_who_takes_a_shift_at_once_has_it_already(world: World) -> None:
    row = dbas(world, handover=HOLDING)
    world.forward(hours=3)
    shifts.take_shift(row.pk, level=1, **world.by(world.priya))
    run(world)
    assert not Handover.objects.exists()
    assert on_call(row, world.now) == (world.priya.pk, None)


def test_who_takes_over_from_the_late_one_takes_the_handover_along(world: World) -> None:
    row = drafted(world, HOLDING)
    at(world, CHANGE + 40 * MINUTE)
    shifts.take_shift(row.rota_id, level=1, **world.by(world.lena))
    run(world)
    row.refresh_from_db()
    assert (row.incoming, row.state, Handover.objects.count()) == (world.lena, "escalated", 1)
    handovers.accept(row.pk, **world.by(world.lena))
    assert on_call(row.rota_id, world.now) == (world.lena.pk, None)


def test_whoever_is_on_leave_by_then_is_not_held_back(world: World) -> None:
    dbas(world, handover=HOLDING)
    world.forward(days=1)
    shifts.add_leave(person=world.amir.pk, starts_at=CHANGE, ends_at=CHANGE + DAY, **world.by(world.amir))
    at(world, CHANGE + MINUTE)
    row = Handover.objects.get()
    assert row.held_until is None
    assert on_call(row.rota_id, world.now) == (world.priya.pk, None)


def test_the_engine_was_down_over_the_change_so_it_is_drafted_late_and_says_so(world: World) -> None:
    dbas(world, handover=HOLDING)
    world.forward(days=7, hours=1)
    assert on_call(Rota.objects.get(), world.now) == (world.priya.pk, None)
    run(world)
    row = Handover.objects.get()
    assert (row.state, row.due_at) == ("drafted", world.now + 30 * MINUTE)
    assert (steps(world.amir), steps(world.priya)) == (["late"], ["begins"])
    assert on_call(row.rota_id, world.now) == (world.priya.pk, world.amir.pk)
    assert on_call(row.rota_id, CHANGE + MINUTE) == (world.priya.pk, None)
    world.forward(hours=8)
    run(world)
    row.refresh_from_db()
    assert row.state == "lapsed"


def test_too_long_ago_is_not_drafted_at_all(world: World) -> None:
    dbas(world, handover=WANTED)
    world.forward(days=7, hours=5)
    assert run(world) == 0
    assert not Handover.objects.exists()


def test_what_comes_into_it(world: World) -> None:
    """Tickets stand where they matter; what is done, of others, or of no concern is left out."""
    world.promise()
    made = {"service": world.ledger.pk, "impact": 3, "urgency": 3}
    old = world.report(title="Old and calm", **made)
    dbas(world, handover=WANTED)
    world.forward(days=1)
    new = world.report(title="New", **made)
    waits = world.report(title="Waits", **made)
    done = world.report(title="Done", **made)
    desk.resolve(done.pk, resolution="Done", **world.by(world.amir))
    Ticket.objects.filter(pk__in=[old.pk, new.pk, waits.pk]).update(team=world.dba_team, next_due_at=None, asked_at=None)
    Ticket.objects.filter(pk=old.pk).update(opened_at=START - DAY)
    Ticket.objects.filter(pk=waits.pk).update(waiting_until=CHANGE + DAY, state="waiting", opened_at=START - DAY)
    at(world, CHANGE - 30 * MINUTE)
    draft = {name: numbers for name, numbers in Handover.objects.get().draft.items() if numbers}
    assert draft == {"came_in": [new.pk], "waiting": [waits.pk]}
    Ticket.objects.filter(pk=old.pk).update(next_due_at=CHANGE + HOUR)
    handovers.sign(Handover.objects.get().pk, **world.by(world.amir))
    assert Handover.objects.get().draft["at_risk"] == [old.pk]


def test_refusals_say_why(world: World) -> None:
    row = drafted(world)
    with pytest.raises(NotAllowed, match="Amir Haddad hands over and writes here"):
        handovers.write_notes(row.pk, "Mine", **world.by(world.priya))
    with pytest.raises(NotAllowed, match="Amir Haddad hands over"):
        handovers.sign(row.pk, **world.by(world.lena))
    for person in (world.jonas, world.maria, world.oskar, world.audrey):
        with pytest.raises(NotFound):
            handovers.sign(row.pk, **world.by(person))
    with pytest.raises(Invalid):
        handovers.write_notes(row.pk, "x" * 10_001, **world.by(world.amir))
    handovers.sign(row.pk, **world.by(world.amir))
    with pytest.raises(Conflict, match="signed this already"):
        handovers.sign(row.pk, **world.by(world.amir))


@pytest.mark.parametrize("handing", [{"wanted": 1}, {"within": 4}, {"within": 241}, {"within": "30"}, [], {"holds": "yes"}])
def test_a_rota_says_how_it_hands_over_or_is_refused(world: World, handing: Any) -> None:
    said = Definition("UTC", (week(world.amir, world.priya),)).as_json() | {"handover": handing}
    with pytest.raises(Invalid):
        rotas_desk.create_rota(name="Databases", team="databases", definition=said, **world.by(world.lena))


def test_a_rota_out_of_use_hands_nothing_over(world: World) -> None:
    row = drafted(world)
    rotas_desk.deactivate_rota(row.rota_id, **world.by(world.lena))
    row.refresh_from_db()
    assert row.state == "lapsed"
