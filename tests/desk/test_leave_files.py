"""Amir's absences out of a calendar file: what becomes leave, read once, read again, read by others."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from allswell.desk import leave_files, rotas
from allswell.desk.leave_files import LeaveRead, Which, absences_in
from allswell.journal.models import Entry
from allswell.kernel.errors import Invalid, NotAllowed, NotFound
from allswell.notifications.models import Delivery
from allswell.oncall import queries
from allswell.oncall.models import Leave
from allswell.oncall.rules import Definition, Layer
from tests.support.world import START, World

DAY = timedelta(days=1)
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n"


def event(uid: str, start: str, end: str = "", *lines: str) -> str:
    more = [f"DTEND{end}"] if end else []
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"DTSTART{start}", *more, *lines, "END:VEVENT"]) + "\r\n"


def file(*events: str) -> bytes:
    return (HEAD + "".join(events) + "END:VCALENDAR\r\n").encode()


HOLIDAYS = event("one@hr", ";VALUE=DATE:20261202", ";VALUE=DATE:20261205", "SUMMARY:Skiing")
DENTIST = event("two@hr", ":20261126T130000Z", ":20261126T150000Z", "SUMMARY:Dentist")


def read(world: World, *events: str, by: Any = None, **asked: Any) -> LeaveRead:
    return leave_files.read_leave(world.amir.pk, file(*events), **asked, **world.by(by or world.amir))


def spans(world: World) -> list[tuple[datetime, datetime, str]]:
    rows = Leave.objects.filter(person=world.amir, cancelled_at=None).order_by("starts_at")
    return [(row.starts_at, row.ends_at, row.note) for row in rows]


def found(*events: str, which: Which = Which.ALL, zone: str = "Europe/Zurich") -> list[tuple[str, str]]:
    known = absences_in(file(*events), which=which, zone=zone, since=START, until=START + 366 * DAY)
    return [(f"{one.starts_at:%d.%m. %H:%M}", f"{one.ends_at:%d.%m. %H:%M}") for one in known.absences]


@pytest.fixture
def rota(world: World) -> Any:
    layer = Layer(key=1, name="Days", people=(world.amir.pk, world.priya.pk), first_on=date(2026, 11, 23))
    return rotas.create_rota(name="Databases", team="databases", definition=Definition("UTC", (layer,)), **world.by(world.lena))


# what a file says


def test_whole_days_are_those_of_the_person_and_times_are_instants() -> None:
    assert found(HOLIDAYS, DENTIST) == [("26.11. 13:00", "26.11. 15:00"), ("01.12. 23:00", "04.12. 23:00")]
    assert found(HOLIDAYS, zone="Asia/Tokyo") == [("01.12. 15:00", "04.12. 15:00")]
    floating = event("x", ":20261201T080000", ":20261201T120000")
    assert found(floating, zone="America/New_York") == [("01.12. 13:00", "01.12. 17:00")]
    named = event("x", ";TZID=Asia/Tokyo:20261201T080000", ";TZID=Asia/Tokyo:20261201T120000")
    assert found(named) == [("30.11. 23:00", "01.12. 03:00")]
    assert found(event("x", ";VALUE=DATE:20261201")) == [("30.11. 23:00", "01.12. 23:00")]


def test_what_repeats_is_there_each_time_but_where_it_was_left_out_or_moved() -> None:
    fridays = event(
        "f", ";VALUE=DATE:20261127", ";VALUE=DATE:20261128", "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;VALUE=DATE:20261211"
    )
    moved = event("f", ";VALUE=DATE:20261203", ";VALUE=DATE:20261204", "RECURRENCE-ID;VALUE=DATE:20261204")
    off = event("f", ";VALUE=DATE:20261218", ";VALUE=DATE:20261219", "RECURRENCE-ID;VALUE=DATE:20261218", "STATUS:CANCELLED")
    assert [start for start, _ in found(fridays, moved, off)] == ["26.11. 23:00", "02.12. 23:00"]
    daily = event("d", ":20261130T080000Z", ":20261130T160000Z", "RRULE:FREQ=DAILY;COUNT=3")
    assert len(found(daily)) == 3


def test_one_cancelled_turn_of_a_series_with_hours_takes_only_itself_away() -> None:
    mornings = event(
        "m", ";TZID=Europe/Zurich:20261127T080000", ";TZID=Europe/Zurich:20261127T100000", "RRULE:FREQ=WEEKLY;COUNT=3"
    )
    other = event("o", ":20261204T070000Z", ":20261204T090000Z")
    for place in ("RECURRENCE-ID:20261204T070000Z", "RECURRENCE-ID;TZID=Europe/Zurich:20261204T080000"):
        off = event("m", ":20261204T070000Z", ":20261204T090000Z", place, "STATUS:CANCELLED")
        assert [start for start, _ in found(mornings, off)] == ["27.11. 07:00", "11.12. 07:00"]
        assert [start for start, _ in found(off, other, mornings)] == ["27.11. 07:00", "04.12. 07:00", "11.12. 07:00"]


def test_which_events_are_absences_is_chosen() -> None:
    events = [
        event("a", ":20261201T080000Z", ":20261201T090000Z", "X-MICROSOFT-CDO-BUSYSTATUS:OOF"),
        event("b", ":20261202T080000Z", ":20261202T090000Z"),
        event("c", ":20261203T080000Z", ":20261203T090000Z", "TRANSP:TRANSPARENT"),
        event("d", ":20261204T080000Z", ":20261204T090000Z", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"),
        event("e", ":20261205T080000Z", ":20261205T090000Z", "STATUS:CANCELLED"),
        event("f", ":20261206T080000Z", ":20261206T080000Z"),
        event("g", ":20261101T080000Z", ":20261101T090000Z"),
        event("h", ":20290101T080000Z", ":20290101T090000Z"),
    ]
    assert [len(found(*events, which=which)) for which in (Which.ALL, Which.BUSY, Which.AWAY)] == [4, 2, 1]
    assert absences_in(file(*events), which=Which.AWAY, zone="UTC", since=START, until=START + 366 * DAY).passed_over == 7


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not an iCalendar file"),
        (b"\xff\xfe\x00", "not an iCalendar file"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "not an iCalendar file"),
        (b"x" * 1_000_001, "larger than 1 MB"),
        (file(*(event(f"{n}", ":20261201T080000Z") for n in range(2001))), "more than 2000 events"),
        (file(*(event(f"{n}", ":20261201T080000Z", ":20261201T090000Z") for n in range(501))), "more than 500 absences"),
        (file(event("x", ":20261201T080000Z", ":20261201T090000Z", "RRULE:FREQ=MINUTELY")), "repeats within a day"),
        (file(event("x", ":20261201T080000Z", ":20261201T090000Z", "RRULE:FREQ=YEARLY;BYSECOND=1,2")), "repeats within a day"),
        (file(event("x", ":20261201T080000Z", ":20261130T090000Z")), "ends before it begins"),
        (file(event("x", ";VALUE=DATE:20261201", ";VALUE=DATE:20280101")), "longer than a year"),
    ],
)
def test_a_file_that_is_not_meant_is_refused_in_words(raw: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        absences_in(raw, which=Which.ALL, zone="UTC", since=START, until=START + 366 * DAY)
    assert caught.value.field == "file"


def test_a_file_without_an_event_comes_to_nothing() -> None:
    assert found() == []


# what it changes


def test_amirs_turns_go_to_priya_while_he_skis(world: World, rota: Any) -> None:
    told = Delivery.objects.count()
    looked = leave_files.preview_leave(world.amir.pk, file(HOLIDAYS, DENTIST), **world.by(world.amir))
    assert (looked.count("added"), spans(world), Delivery.objects.count()) == (2, [], told)
    done = read(world, HOLIDAYS, DENTIST)
    assert done.lines == looked.lines
    assert [note for *_, note in spans(world)] == ["", ""], "what events are called is nobody's business unless asked"
    at = datetime(2026, 11, 26, 14, tzinfo=UTC)
    assert queries.on_call([rota.pk], at)[rota.pk][1].person == world.priya.pk
    assert Delivery.objects.count() > told
    said = str(list(Entry.objects.filter(about_kind="leave").values_list("data", flat=True)))
    assert "Skiing" not in said
    assert "Dentist" not in said


def test_reading_it_again_changes_nothing_and_another_state_follows(world: World, rota: Any) -> None:
    read(world, HOLIDAYS, DENTIST)
    entries = Entry.objects.count()
    assert [line.outcome for line in read(world, HOLIDAYS, DENTIST).lines] == ["unchanged", "unchanged"]
    assert Entry.objects.count() == entries
    longer = HOLIDAYS.replace("20261205", "20261208")
    assert [(line.outcome, line.ends_at.day) for line in read(world, longer).lines] == [("cancelled", 26), ("changed", 8)]
    assert [end.day for _, end, _ in spans(world)] == [8]
    later = longer.replace("20261202", "20261203")
    assert [line.outcome for line in read(world, later).lines] == ["cancelled", "added"]
    assert read(world, is_whole=False).lines == ()
    assert read(world).count("cancelled") == 1
    assert spans(world) == []


def test_leave_that_was_typed_stays_and_so_does_what_is_over(world: World, rota: Any) -> None:
    rotas_leave = {"starts_at": START + DAY, "ends_at": START + 2 * DAY}
    Leave.objects.create(person=world.amir, created_at=START, **rotas_leave)
    read(world, DENTIST)
    world.forward(days=5)
    assert read(world).lines == ()
    assert len(spans(world)) == 2


def test_titles_are_kept_when_asked_for(world: World) -> None:
    read(world, HOLIDAYS, has_names=True)
    assert [note for *_, note in spans(world)] == ["Skiing"]


def test_a_uid_of_any_kind_is_the_same_event_again(world: World) -> None:
    odd = [DENTIST.replace("two@hr", "ü" * 900), DENTIST.replace("two@hr", "x" * 900), DENTIST.replace("UID:two@hr\r\n", "")]
    assert read(world, *odd).count("added") == 3
    assert read(world, *odd).count("unchanged") == 3


def test_only_who_may_say_when_somebody_is_not_there_reads_their_file(world: World, rota: Any) -> None:
    for act in (leave_files.preview_leave, leave_files.read_leave):
        with pytest.raises(NotAllowed):
            act(world.amir.pk, file(DENTIST), **world.by(world.jonas))
        with pytest.raises((NotFound, NotAllowed)):
            act(world.amir.pk, file(DENTIST), **world.by(world.otto))
        with pytest.raises(Invalid):
            act(world.amir.pk, file(DENTIST), which="x", **world.by(world.amir))
    assert read(world, DENTIST, by=world.lena).count("added") == 1
