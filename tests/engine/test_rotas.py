"""Shifts are written ahead by themselves, and those they concern hear of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allswell.desk import calendars, covering, notices, outbox, rotas, shifts
from allswell.engine.rotas import Rotas
from allswell.notifications import mail
from allswell.notifications.models import Delivery
from allswell.notifications.operations import claim_mails
from allswell.oncall import queries
from allswell.oncall.models import Rota, Shift, ShiftRequest
from allswell.oncall.rules import Definition
from allswell.people.models import Person
from tests.desk.test_rotas import DAY, HOUR, dbas, now_on_call, override, tiles, week
from tests.support.world import START, World


def heard(person: Person, topic: str) -> list[dict[str, Any]]:
    rows = Delivery.objects.filter(person=person, topic=topic, channel="app").order_by("id")
    return list(rows.values_list("content", flat=True))


def told(world: World, person: Person) -> list[tuple[str, str]]:
    """The notices of somebody in the app, in words: sentence and text."""
    from allswell.notifications import wording

    found, _ = notices.inbox(world.actor(person), before=None, limit=30, now=world.now)
    return [(wording.sentence(said, matter), said.body) for _, matter, said in found]


def letters(world: World, person: Person) -> list[str]:
    """The mails that are due to somebody, as they are sent."""
    world.forward(seconds=30)
    found = []
    for claim in claim_mails(now=world.now, limit=100):
        letter = outbox.letter(claim)
        assert not isinstance(letter, str)
        if letter.to_address == f"{person.name.split()[0].lower()}@example.org":
            message = mail.message(letter, sender="Desk <desk@example.org>", public_url="https://desk.example", now=world.now)
            found.append(f"{message['Subject']}\n{message.get_body(('plain',)).get_content()}")  # type: ignore[union-attr]
    return found


def run(world: World) -> int:
    """The engine does all that is due."""
    module, done = Rotas(), 0
    while module.is_due(world.now):
        done += module.tick(world.now).done
    return done


def test_every_day_the_shifts_reach_a_day_further_and_nobody_is_bothered(world: World) -> None:
    row = dbas(world)
    Delivery.objects.all().delete()
    assert run(world) == 0
    until = row.planned_until
    world.forward(days=1)
    assert run(world) == 1
    assert Rota.objects.get().planned_until == until + DAY
    tiles(row, START)
    assert run(world) == 0
    assert not Delivery.objects.exists()


def test_after_a_long_pause_the_shifts_go_on_without_a_hole(world: World) -> None:
    row = dbas(world, week(world.amir, world.priya), week(world.lena, level=2))
    world.forward(days=200)
    run(world)
    tiles(row, START)
    assert not queries.gaps([row.pk], since=START, until=world.now).exists()


def test_who_is_on_call_soon_is_told_once_and_who_just_goes_on_is_not(world: World) -> None:
    row = dbas(world, week(world.amir, world.priya), week(world.lena, world.lena, level=2))
    world.forward(days=6, hours=22)
    run(world)
    assert heard(world.priya, "shift_starts") == []
    world.forward(hours=1, minutes=30)
    assert run(world) == 2
    run(world)
    (told,) = heard(world.priya, "shift_starts")
    assert (told["rota"], told["level"]) == (row.pk, 1)
    assert heard(world.lena, "shift_starts") == []
    (letter,) = [text for text in letters(world, world.priya) if "soon" in text]
    assert letter.startswith("You are on call soon: Databases")
    assert "30 Nov 2026, 09:00 – 7 Dec 2026, 09:00" in letter
    assert "https://desk.example/oncall/me" in letter


def test_those_whose_shifts_move_are_told_from_whom_to_whom_and_who_moved_them_knows(world: World) -> None:
    row = dbas(world)
    Delivery.objects.all().delete()
    override(world, row, START + DAY, START + 2 * DAY, world.priya)
    (sentence, body) = told(world, world.amir)[0]
    assert sentence == "Lena Frei moved your shifts."
    assert "Priya Nair is on call instead of you: 24 Nov 2026, 09:00 – 25 Nov 2026, 09:00" in body
    assert "You are on call instead of Amir Haddad" in told(world, world.priya)[0][1]
    assert heard(world.lena, "shift_moved") == []
    shifts.take_shift(row.pk, level=1, **world.by(world.priya))
    assert len(heard(world.amir, "shift_moved")) == 2
    assert len(heard(world.priya, "shift_moved")) == 1


def test_what_a_calendar_moves_is_told_by_the_engine(world: World) -> None:
    hours = calendars.Hours(week=[((480, 1080),)] * 7)
    calendar = calendars.create_calendar(name="Office", zone="UTC", hours=hours, **world.by(world.ada))
    row = dbas(world, calendar=calendar.pk)
    Delivery.objects.all().delete()
    calendars.change_calendar(calendar.pk, hours=calendars.Hours(week=[((480, 1200),)] * 7), **world.by(world.ada))
    assert run(world) == 1
    tiles(row, START)
    assert now_on_call(world, row, START.replace(hour=19)) == {1: world.amir.pk}
    (sentence, body) = told(world, world.amir)[0]
    assert sentence == "Your shifts have moved."
    assert "and 43 more times" in body


def test_asking_and_answering_is_told(world: World) -> None:
    row = dbas(world)
    Delivery.objects.all().delete()
    span = {"level": 1, "starts_at": START + DAY, "ends_at": START + 2 * DAY}
    asked = covering.ask_cover(row.pk, **span, note="A *wedding*", **world.by(world.amir))
    assert told(world, world.priya)[0][0] == "Amir Haddad asks you to be on call in their stead."
    assert r"A \*wedding\*" in told(world, world.priya)[0][1]
    assert heard(world.amir, "shift_asked") == []
    covering.accept_request(asked.pk, **world.by(world.priya))
    assert told(world, world.amir)[1][0] == "Priya Nair is on call in your stead."


def test_what_nobody_accepts_expires_and_who_asked_hears_of_it(world: World) -> None:
    row = dbas(world)
    span = {"level": 1, "starts_at": START + HOUR, "ends_at": START + 2 * HOUR}
    covering.ask_cover(row.pk, **span, **world.by(world.amir))
    world.forward(hours=1, minutes=59)
    run(world)
    assert ShiftRequest.objects.get().state == "open"
    world.forward(minutes=1)
    assert run(world) == 1
    assert ShiftRequest.objects.get().state == "expired"
    assert told(world, world.amir)[0][0] == "Nobody offered to be on call in your stead."


def test_a_shift_that_goes_to_somebody_else_after_it_was_told_is_told_again(world: World) -> None:
    row = dbas(world)
    world.forward(days=6, hours=23, minutes=30)
    run(world)
    assert len(heard(world.priya, "shift_starts")) == 1
    rotas.change_rota(row.pk, definition=Definition("UTC", (week(world.amir, world.lena),)), **world.by(world.lena))
    run(world)
    assert len(heard(world.lena, "shift_starts")) == 1
    assert Shift.objects.filter(told_at=None, starts_at__gt=world.now, starts_at__lt=world.now + HOUR).count() == 0


def test_in_the_language_and_zone_of_the_reader(world: World) -> None:
    row = dbas(world)
    Person.objects.filter(pk=world.amir.pk).update(locale="de", time_zone="Europe/Zurich")
    Delivery.objects.all().delete()
    override(world, row, START + DAY, START + DAY + timedelta(hours=3), world.priya)
    (letter,) = letters(world, world.amir)
    assert letter.startswith("Ihre Dienste haben sich verschoben: Databases")
    assert "Priya Nair hat statt Ihnen Bereitschaft: 24 Nov. 2026, 10:00 – 24 Nov. 2026, 13:00 (Europe/Zurich)" in letter


def test_what_was_worked_out_until_it_was_written_stays_true(world: World) -> None:
    """Support hours grew; before the engine came round, somebody asked who was on call in the new hours, and later asks again."""
    hours = calendars.Hours(week=[((480, 1080),)] * 7)
    calendar = calendars.create_calendar(name="Office", zone="UTC", hours=hours, **world.by(world.ada))
    row = dbas(world, calendar=calendar.pk)
    calendars.change_calendar(calendar.pk, hours=calendars.Hours(week=[((480, 1200),)] * 7), **world.by(world.ada))
    evening = START.replace(hour=19)
    assert now_on_call(world, row, evening) == {1: world.amir.pk}
    world.forward(days=1)
    run(world)
    tiles(row, START)
    assert now_on_call(world, row, evening) == {1: world.amir.pk}
