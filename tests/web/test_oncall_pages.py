"""The pages of being on call: who is on now and when, asking, answering, taking over."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from allswell.calendars import rules
from allswell.calendars.rules import WEEKDAYS
from allswell.desk import calendars, covering, rotas, shifts
from allswell.kernel import clock
from allswell.oncall import queries
from allswell.oncall.models import Leave, Override, Rota, ShiftRequest
from allswell.oncall.rules import Definition, Layer
from allswell.people.models import Person
from allswell.web.oncall.lanes import COLUMNS, Window
from tests.support.world import World
from tests.web.test_agreement_pages import sent

Browser = Callable[..., Client]


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def read(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


def dbas(world: World, *people: Person, **more: Any) -> Rota:
    """The rota of the databases: from Monday to Monday."""
    order = tuple(person.pk for person in people or (world.amir, world.priya))
    layer = Layer(key=1, name="Week", people=order, first_on=date(2026, 11, 23), **more)
    definition = Definition("UTC", (layer,))
    return rotas.create_rota(name="Databases", team="databases", definition=definition, **world.by(world.lena))


def on_call(world: World, row: Rota) -> int | None:
    return queries.on_call([row.pk], world.now)[row.pk][1].person


def test_without_a_rota_it_says_that_nobody_is_called(world: World, browser: Browser) -> None:
    assert "There is no rota yet, so nobody is called." in read(browser(world.jonas), "/oncall/")


def test_everybody_at_the_desk_sees_who_is_on_now_and_who_then(world: World, browser: Browser) -> None:
    dbas(world)
    html = read(browser(world.jonas), "/oncall/")
    assert "On now" in html
    assert re.search(r"Amir.*until.*Then Priya", html, re.DOTALL)
    assert "Times in" in html


def test_amir_on_leave_alone_leaves_a_gap_that_priya_takes(world: World, browser: Browser) -> None:
    row = dbas(world, world.amir)
    away = {"starts_at": world.now - timedelta(hours=1), "ends_at": world.now + timedelta(hours=5)}
    shifts.add_leave(person=world.amir.pk, **away, **world.by(world.amir))
    priya = browser(world.priya)
    html = read(priya, "/oncall/")
    assert "all are on leave" in html
    assert "1 gap ahead" in html
    assert "Take it until then" in html
    assert "Take it until then" not in read(browser(world.jonas), "/oncall/")
    assert priya.post(f"/oncall/{row.slug}/take", {"level": "1"}).status_code == 303
    assert on_call(world, row) == world.priya.pk
    assert Override.objects.get().ends_at == world.now + timedelta(hours=5)
    assert "gap ahead" not in read(priya, "/oncall/")
    priya.post(f"/oncall/{row.slug}/take", {"level": "1"})
    assert "You are on call already." in read(priya, "/oncall/")


def asked(world: World, row: Rota, **more: Any) -> ShiftRequest:
    return covering.ask_cover(
        row.pk, level=1, starts_at=world.now, ends_at=world.now + timedelta(hours=4), **more, **world.by(world.amir)
    )


def test_who_is_asked_for_cover_takes_it_with_one_click(world: World, browser: Browser) -> None:
    row = dbas(world)
    request = asked(world, row, note="Dentist")
    priya = browser(world.priya)
    html = read(priya, "/oncall/")
    assert "asks for cover in Databases" in html
    assert "Dentist" in html
    assert "Decline" not in html, "everybody was asked, nobody needs to say no"
    assert "asks for cover" not in read(browser(world.jonas), "/oncall/")
    assert priya.post(f"/oncall/requests/{request.pk}/accept").status_code == 303
    assert on_call(world, row) == world.priya.pk
    priya.post(f"/oncall/requests/{request.pk}/accept")
    assert ShiftRequest.objects.get().state == "accepted"


def test_who_is_asked_alone_may_decline(world: World, browser: Browser) -> None:
    row = dbas(world)
    request = asked(world, row, offered_to=world.priya.pk)
    priya = browser(world.priya)
    assert "Decline" in read(priya, "/oncall/")
    assert priya.post(f"/oncall/requests/{request.pk}/decline").status_code == 303
    assert ShiftRequest.objects.get().state == "declined"
    assert on_call(world, row) == world.amir.pk
    assert priya.post(f"/oncall/requests/{request.pk}/eat").status_code == 404


@pytest.mark.parametrize("asks", ["?from=x", "?from=9999-12-31", "?from=0001-01-01&days=1", "?days=9", "?team=no-such"])
def test_what_makes_no_sense_is_answered_all_the_same(world: World, browser: Browser, asks: str) -> None:
    dbas(world)
    read(browser(world.jonas), f"/oncall/{asks}")


def test_every_day_is_as_wide_as_the_others_whatever_its_clocks_do() -> None:
    with timezone.override("Europe/Zurich"):
        window = Window(date(2026, 10, 19), 14)
        days = [
            datetime(2026, 10, 18, 22, tzinfo=UTC),
            datetime(2026, 10, 24, 22, tzinfo=UTC),
            datetime(2026, 10, 25, 23, tzinfo=UTC),
        ]
        assert [window.column(at) for at in days] == [0, 72, 84]
        assert window.column(window.until) == COLUMNS
        assert window.until - window.since == timedelta(days=14, hours=1)


def test_it_is_fair_by_the_hours_people_carry(world: World, browser: Browser) -> None:
    dbas(world)
    html = read(browser(world.amir), "/oncall/")
    assert "Hours on call in your rotas" in html
    assert "Choose a team to see how the load lies" in read(browser(world.jonas), "/oncall/")
    assert "Hours on call in the rotas of this team" in read(browser(world.jonas), "/oncall/?team=databases")


def test_holidays_are_those_of_the_calendars_where_somebody_lives(world: World, browser: Browser) -> None:
    open_days = [rules.parse_hours("08:00-17:00", field="week")] * 5 + [(), ()]
    hours = calendars.Hours(open_days, {"2026-11-25": rules.Day("Founders")})
    world.amir.time_zone = "Asia/Tokyo"
    world.amir.save(update_fields=["time_zone"])
    calendars.create_calendar(name="Tokyo", zone="Asia/Tokyo", hours=hours, **world.by(world.ada))
    dbas(world)
    table = read(browser(world.amir), "/oncall/databases/").split("Is it fair?")[-1]
    carried = [re.findall(r'<td class="n">(\d+)</td>', part)[-1] for part in table.split("<tr>")[2:]]
    assert carried == ["24", "0"]


def test_who_hands_over_to_themselves_is_on_call_once(world: World, browser: Browser) -> None:
    dbas(world, world.amir, world.amir, world.priya)
    amir = browser(world.amir)
    shown = read(amir, "/oncall/me")
    assert "Mon 23 Nov 09:00 to Mon 7 Dec 09:00" in shown
    keys = mine_of(world, read(amir, "/oncall/databases/ask"))
    assert keys[0] in shown
    asked = {"shift": keys[0], "starts_at": "", "ends_at": "", "offered_to": str(world.priya.pk), "in_return": "", "note": ""}
    assert amir.post("/oncall/databases/ask", asked).status_code == 303
    covering.accept_request(ShiftRequest.objects.get().pk, **world.by(world.priya))
    shown = read(browser(world.priya), "/oncall/me")
    for line in ("Mon 23 Nov 09:00 to Mon 7 Dec 09:00", "Mon 7 Dec 09:00 to Mon 14 Dec 09:00"):
        assert line in shown, "three turns, two of them for Amir, are two lines"


# a rota


def test_a_rota_shows_its_days_what_it_says_and_what_differs(world: World, browser: Browser) -> None:
    row = dbas(world)
    shifts.add_override(
        row.pk,
        level=1,
        starts_at=world.now + timedelta(days=1),
        ends_at=world.now + timedelta(days=2),
        person=world.priya.pk,
        reason="Course",
        **world.by(world.lena),
    )
    jonas = browser(world.jonas)
    html = read(jonas, "/oncall/databases/")
    assert "every week on Monday at 09:00" in html
    assert "Course" in html
    assert "Take it back" not in html
    assert "Take over now" not in html
    for days in (1, 7, 14):
        read(jonas, f"/oncall/databases/?days={days}&from=2026-12-01")
    assert "Take over now" in read(browser(world.priya), "/oncall/databases/")
    assert "Take it back" in read(browser(world.lena), "/oncall/databases/")
    assert jonas.get("/oncall/no-such/").status_code == 404


def test_lena_puts_somebody_on_call_and_takes_it_back(world: World, browser: Browser) -> None:
    row = dbas(world)
    lena = browser(world.lena)
    assert "Make the override" in read(lena, "/oncall/databases/override?level=1&ends_at=2026-11-24T09:00")
    typed = {
        "level": "1",
        "starts_at": "2026-11-23T08:00",
        "ends_at": "2026-11-24T09:00",
        "person": str(world.priya.pk),
        "reason": "ill",
    }
    for wrong, sentence in (
        ({"person": ""}, "Choose somebody, or nobody on purpose."),
        ({"ends_at": ""}, "Give a date and a time."),
        ({"ends_at": "2026-11-20T09:00"}, "The end is before the beginning."),
        ({"person_other": "Nobody Known"}, "Nobody is known by this name."),
    ):
        answer = lena.post("/oncall/databases/override", {**typed, **wrong})
        assert answer.status_code == 422
        html = answer.content.decode()
        assert sentence in html
        assert 'value="ill"' in html, "what was typed stays"
    assert lena.post("/oncall/databases/override", typed).status_code == 303
    assert on_call(world, row) == world.priya.pk
    made = Override.objects.get()
    assert lena.post(f"/oncall/databases/overrides/{made.pk}/cancel").status_code == 303
    assert on_call(world, row) == world.amir.pk
    lena.post(f"/oncall/databases/overrides/{made.pk}/cancel")
    assert "This is over already." in read(lena, "/oncall/databases/")
    assert lena.post("/oncall/databases/override", {**typed, "person": "nobody"}).status_code == 303
    assert on_call(world, row) is None
    assert browser(world.jonas).get("/oncall/databases/override").status_code == 403


# asking


def mine_of(world: World, html: str) -> list[str]:
    """The shifts a form offers."""
    return re.findall(r'<option value="(1\.\d+\.\d+)"', html)


def test_amir_asks_for_cover_of_a_part_of_his_shift(world: World, browser: Browser) -> None:
    row = dbas(world)
    amir = browser(world.amir)
    first = mine_of(world, read(amir, "/oncall/databases/ask"))[0]
    typed = {"shift": first, "starts_at": "2026-11-24T08:00", "ends_at": "2026-11-24T12:00", "note": "Dentist"}
    refused = amir.post("/oncall/databases/ask", {**typed, "starts_at": "2027-03-01T08:00"})
    assert refused.status_code == 422
    assert "This is not within your shift." in refused.content.decode()
    assert "Dentist" in refused.content.decode()
    assert amir.post("/oncall/databases/ask", typed).status_code == 303
    made = ShiftRequest.objects.get()
    assert (made.kind, made.offered_to_id, made.ends_at - made.starts_at) == ("cover", None, timedelta(hours=4))
    html = read(amir, "/oncall/me")
    assert "Nobody has answered yet" in html
    assert amir.post(f"/oncall/requests/{made.pk}/withdraw", {"next": "/oncall/me"}).status_code == 303
    assert ShiftRequest.objects.get().state == "withdrawn"
    assert on_call(world, row) == world.amir.pk


def test_amir_swaps_with_priya(world: World, browser: Browser) -> None:
    row = dbas(world)
    amir = browser(world.amir)
    html = read(amir, "/oncall/databases/ask")
    mine, theirs = (mine_of(world, part) for part in html.split('name="in_return"'))
    assert amir.post("/oncall/databases/ask", {"shift": mine[0], "in_return": "1.1.2"}).status_code == 422
    assert amir.post("/oncall/databases/ask", {"shift": "", "in_return": ""}).status_code == 422
    assert amir.post("/oncall/databases/ask", {"shift": mine[0], "in_return": theirs[0]}).status_code == 303
    made = ShiftRequest.objects.get()
    assert (made.kind, made.offered_to_id) == ("swap", world.priya.pk)
    assert "would swap in Databases" in read(browser(world.priya), "/oncall/me")
    assert browser(world.priya).post(f"/oncall/requests/{made.pk}/accept").status_code == 303
    assert on_call(world, row) == world.priya.pk


def test_who_holds_no_shift_has_nothing_to_give_away(world: World, browser: Browser) -> None:
    dbas(world)
    assert "nothing to give away" in read(browser(world.jonas), "/oncall/databases/ask")


# one's own


def test_leave_is_written_down_and_cancelled(world: World, browser: Browser) -> None:
    row = dbas(world)
    amir = browser(world.amir)
    html = read(amir, "/oncall/me")
    assert "You are on call now in Databases" in html
    typed = {"starts_at": "2026-11-23T08:00", "ends_at": "2026-11-25T08:00", "note": "Moving"}
    refused = amir.post("/oncall/me/leave", {**typed, "ends_at": ""})
    assert refused.status_code == 422
    assert 'value="Moving"' in refused.content.decode()
    assert amir.post("/oncall/me/leave", typed).status_code == 303
    assert on_call(world, row) == world.priya.pk
    html = read(amir, "/oncall/me")
    (number,) = re.findall(r'action="/oncall/me/leave/(\d+)/cancel"', html.split("toasts")[0])
    assert browser(world.priya).post(f"/oncall/me/leave/{number}/cancel").status_code == 404
    assert amir.post(f"/oncall/me/leave/{number}/cancel").status_code == 303
    assert on_call(world, row) == world.amir.pk


def test_a_calendar_program_reads_at_an_address_that_is_shown_once_and_ended(world: World, browser: Browser) -> None:
    dbas(world)
    amir = browser(world.amir)
    for rota, words in (("", "it shows your shifts"), ("databases", "it shows who is on call in Databases")):
        answer = amir.post("/oncall/me/calendar", {"rota": rota})
        html = answer.content.decode()
        assert words in html
        assert answer.headers["Cache-Control"] == "no-store"
        (path,) = re.findall(r"(/shifts/[\w-]+\.ics)", html)
        assert "BEGIN:VCALENDAR" in browser(None).get(path).content.decode()
        html = read(amir, "/oncall/me")
        assert path not in html
        number = re.findall(r'action="/oncall/me/calendar/(\d+)/end"', html)[-1]
        assert browser(world.priya).post(f"/oncall/me/calendar/{number}/end").status_code == 404
        assert amir.post(f"/oncall/me/calendar/{number}/end").status_code == 303
        assert browser(None).get(path).status_code == 404
    assert amir.post("/oncall/me/calendar", {"rota": "no-such"}).status_code == 404


def test_a_rota_goes_out_of_use_and_comes_back(world: World, browser: Browser) -> None:
    dbas(world)
    lena = browser(world.lena)
    assert lena.post("/oncall/databases/deactivate").status_code == 303
    html = read(lena, "/oncall/databases/")
    assert "Out of use" in html
    assert "/oncall/databases/activate" in html
    assert "There is no rota yet" in read(lena, "/oncall/")
    assert lena.post("/oncall/databases/activate").status_code == 303
    assert "Out of use" not in read(lena, "/oncall/databases/")
    assert browser(world.amir).post("/oncall/databases/deactivate").status_code == 403


# making and changing one

ROTA = {
    "name": "Nights",
    "team": "databases",
    "zone": "Europe/Zurich",
    "calendar": "",
    "minimum_rest": "11",
    "maximum_week": "",
    "rows": "1",
    "l0_name": "Week",
    "l0_level": "1",
    "l0_rank": "0",
    "l0_people": "Amir Haddad\npriya@example.org",
    "l0_every": "1",
    "l0_unit": "week",
    "l0_first_on": "2026-11-23",
    "l0_first_time": "09:00",
    "l0_on_leave": "next",
}


def marked(html: str) -> str:
    """What a preview hands to the save that follows it."""
    found = re.search(r'name="mark" value="(\w*)"', html)
    assert found
    return found[1]


def seen(html: str) -> str:
    found = re.search(r'name="seen" value="(\d*)"', html)
    assert found
    return found[1]


def test_lena_makes_a_rota_and_sees_first_what_it_will_do(world: World, browser: Browser) -> None:
    lena = browser(world.lena)
    assert "Make a rota" in read(lena, "/oncall/")
    assert "See what moves" in read(lena, "/oncall/new")
    hurried = lena.post("/oncall/new", {**ROTA, "do": "save"})
    assert hurried.status_code == 200
    assert not Rota.objects.exists(), "what was not previewed is not saved"
    html = lena.post("/oncall/new", {**ROTA, "do": "preview"}).content.decode()
    assert "Amir Haddad" in html
    assert "from nobody to Amir Haddad" in html
    assert lena.post("/oncall/new", {**ROTA, "do": "save", "mark": marked(html)}).status_code == 303
    row = Rota.objects.get()
    assert (row.name, queries.definition(row).layers[0].people) == ("Nights", (world.amir.pk, world.priya.pk))
    other = lena.post("/oncall/new", {**ROTA, "l0_every": "2", "do": "save", "mark": marked(html)})
    assert other.status_code == 200
    assert Rota.objects.count() == 1, "it is another form than the one that was previewed"


def test_another_layer_is_a_round_trip_that_loses_nothing(world: World, browser: Browser) -> None:
    html = browser(world.lena).post("/oncall/new", {**ROTA, "l0_every": "soon", "do": "add"}).content.decode()
    assert 'name="l1_people"' in html
    assert 'value="soon"' in html
    assert "priya@example.org" in html


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"name": ""}, "name", "This is needed."),
        ({"zone": "Mars/Olympus"}, "zone", "There is no time zone Mars/Olympus."),
        ({"minimum_rest": "much"}, "minimum_rest", "Write a number of hours"),
        ({"l0_people": "Nobody Known"}, "l0_people", "Nobody is known as Nobody Known."),
        ({"l0_people": ""}, "l0_people", "Name who takes turns."),
        ({"l0_every": "x"}, "l0_every", "Use a whole number."),
        ({"l0_every": "0"}, "l0_every", "A turn is between one and"),
        ({"l0_first_on": "soon"}, "l0_first_on", "soon is no date."),
        ({"l0_first_time": "25:00"}, "l0_first_time", "25:00 is no time of day."),
        ({"l0_zone": "Mars"}, "l0_zone", "There is no time zone Mars."),
        ({"l0_monday": "late"}, "l0_monday", ""),
        ({"l0_begins_at": "x"}, "l0_begins_at", "Give a date and a time."),
        ({"l0_unit": "eon"}, "l0_unit", "Choose one of the list."),
        ({"effective_at": "x"}, "effective_at", "Give a date and a time."),
        ({"l0_people": "Maria Keller"}, "l0_people", "Name people of the desk who are in use."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_stays(
    world: World, browser: Browser, wrong: dict[str, str], field: str, sentence: str
) -> None:
    answer = browser(world.lena).post("/oncall/new", {**ROTA, "note": "kept", **wrong, "do": "preview"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}-error"' in html
    assert sentence in html
    assert 'value="kept"' in html


def test_a_change_says_who_gets_what_from_whom(world: World, browser: Browser) -> None:
    row = dbas(world)
    lena = browser(world.lena)
    html = read(lena, "/oncall/databases/edit")
    typed = {
        **ROTA,
        "name": "Databases",
        "zone": "UTC",
        "l0_key": "1",
        "seen": seen(html),
        "l0_people": "Priya Nair\nAmir Haddad",
    }
    assert all(name in html for name in ("Amir Haddad", "Priya Nair"))
    preview = lena.post("/oncall/databases/edit", {**typed, "do": "preview"}).content.decode()
    assert "from Amir Haddad to Priya Nair" in preview
    assert "from Priya Nair to Amir Haddad" in preview
    assert on_call(world, row) == world.amir.pk
    assert lena.post("/oncall/databases/edit", {**typed, "do": "save", "mark": marked(preview)}).status_code == 303
    assert on_call(world, row) == world.priya.pk


def test_who_was_slower_sees_what_it_would_move_now_and_keeps_what_was_typed(world: World, browser: Browser) -> None:
    row = dbas(world)
    lena = browser(world.lena)
    typed = {**ROTA, "name": "Databases", "zone": "UTC", "l0_key": "1", "seen": "1", "l0_people": "Priya Nair", "note": "mine"}
    preview = lena.post("/oncall/databases/edit", {**typed, "do": "preview"}).content.decode()
    layer = Layer(key=1, name="Week", people=(world.priya.pk, world.amir.pk), first_on=date(2026, 11, 23))
    rotas.change_rota(row.pk, definition=Definition("UTC", (layer,)), **world.by(world.lena))
    stale = lena.post("/oncall/databases/edit", {**typed, "do": "save", "mark": marked(preview)})
    html = stale.content.decode()
    assert stale.status_code == 422
    assert "Somebody has changed this rota in the meantime." in html
    assert 'value="mine"' in html
    assert seen(html) == "2"
    again = {**typed, "seen": "2", "do": "save", "mark": marked(html)}
    assert lena.post("/oncall/databases/edit", again).status_code == 303
    assert queries.definition(Rota.objects.get()).layers[0].people == (world.priya.pk,)


def test_two_of_the_same_name_are_told_apart_by_their_address(world: World, browser: Browser) -> None:
    twin = world._person("Twin Haddad", world.bank, role="agent", teams=[world.dba_team])
    Person.objects.filter(pk=twin.pk).update(name="Amir Haddad")
    lena = browser(world.lena)
    refused = lena.post("/oncall/new", {**ROTA, "do": "preview"}).content.decode()
    assert "Several people are called Amir Haddad." in refused
    dbas(world, twin, world.amir)
    html = read(lena, "/oncall/databases/edit")
    lines = re.search(r'id="l0_people"[^>]*>([^<]*)<', html)
    assert lines
    assert lines[1].count("Amir Haddad &lt;") == 2


def test_who_decides_about_no_team_makes_no_rota(world: World, browser: Browser) -> None:
    dbas(world)
    assert browser(world.amir).get("/oncall/new").status_code == 403
    assert browser(world.amir).get("/oncall/databases/edit").status_code == 403
    assert "New rota" not in read(browser(world.amir), "/oncall/")


def as_it_stands(html: str) -> dict[str, Any]:
    """What a browser would send of the form of a rota."""
    form = html[html.index('class="form stack-l agreement"') :]
    lines = {
        name: unescape(inside) for name, inside in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.S)
    }
    plain = re.sub(r'type="(date|time)"', 'type="text"', form)
    return {**sent('class="form stack-l agreement"' + plain), **lines}


def test_saving_the_form_as_it_stands_changes_nothing(world: World, browser: Browser) -> None:
    nights = {"monday": "00:00-06:00, 22:00-24:00", "saturday": "00:00-24:00"}
    layers: list[dict[str, Any]] = [
        {
            "name": "Nights",
            "people": [world.amir.pk, world.priya.pk, world.amir.pk],
            "first_on": "2026-11-20",
            "first_time": "22:30",
        },
        {
            "name": "Tokyo",
            "people": [world.priya.pk],
            "first_on": "2026-11-01",
            "zone": "Asia/Tokyo",
            "unit": "hour",
            "every": 36,
        },
        {"name": "Backup", "people": [world.lena.pk], "first_on": "2026-11-01", "level": 2, "rank": 3, "on_leave": "open"},
    ]
    layers[0] |= {"week": [[hours] if (hours := nights.get(day)) else [] for day in WEEKDAYS], "unit": "day", "every": 3}
    # seconds, and the second 02:30 of a night in which the clocks go back: the form shows neither
    layers[2] |= {"begins_at": "2026-12-01T08:00:07+01:00", "ends_at": "2027-10-31T02:30:00+01:00"}
    definition = {"zone": "Europe/Zurich", "layers": layers, "minimum_rest": 100, "maximum_week": None}
    rotas.create_rota(name="Odd", team="databases", definition=definition, **world.by(world.lena))
    lena = browser(world.lena)
    form = {**as_it_stands(read(lena, "/oncall/odd/edit")), "name": "Even", "do": "preview"}
    html = lena.post("/oncall/odd/edit", form).content.decode()
    assert "Nothing: everybody stays on call as they are." in html
    assert lena.post("/oncall/odd/edit", {**form, "do": "save", "mark": marked(html)}).status_code == 303
    row = Rota.objects.get()
    assert (row.name, row.number) == ("Even", 1)
    same = {**form, "do": "save", "mark": marked(html)}
    assert "Nothing is different from the newest version." in lena.post("/oncall/odd/edit", same).content.decode()


# leave out of a file


def test_amir_sees_what_becomes_of_a_calendar_file_before_it_does(world: World, browser: Browser) -> None:
    amir = browser(world.amir)
    assert "From a calendar file" in read(amir, "/oncall/me")
    assert "Show what would change" in read(amir, "/oncall/me/leave/file")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:1", "DTSTART;VALUE=DATE:20261202"]
    raw = "\r\n".join([*lines, "DTEND;VALUE=DATE:20261204", "SUMMARY:<b>Skiing</b>", "END:VEVENT", "END:VCALENDAR", ""])
    asked = {"which": "all", "is_whole": "1", "has_names": "1"}
    upload = SimpleUploadedFile("me.ics", raw.encode())
    html = amir.post("/oncall/me/leave/file", {**asked, "file": upload}).content.decode()
    assert "1 added" in html
    assert "&lt;b&gt;Skiing" in html
    assert not Leave.objects.exists()
    kept = unescape(re.findall(r'<textarea name="content" hidden>(.*?)</textarea>', html, re.DOTALL)[0])
    assert amir.post("/oncall/me/leave/file", {**asked, "content": kept, "do": "write"}).status_code == 303
    assert Leave.objects.get().person == world.amir
    assert "1 added, 0 changed, 0 cancelled." in read(amir, "/oncall/me")
    for wrong, said in (({}, "Choose a file first."), ({"content": "x"}, "This is not an iCalendar file.")):
        refused = amir.post("/oncall/me/leave/file", {**asked, **wrong})
        assert (refused.status_code, said in refused.content.decode()) == (422, True)


def test_ada_takes_rotas_out_and_brings_them_in_after_a_look(world: World, browser: Browser) -> None:
    dbas(world)
    ada = browser(world.ada)
    assert "Rotas and policies" in read(ada, "/setup/oncall")
    answer = ada.get("/setup/oncall/export?leave=1")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="oncall.json"'
    content = answer.content.decode().replace('"name": "Databases"', '"name": "<b>Data"')
    html = ada.post("/setup/oncall", {"file": SimpleUploadedFile("oncall.json", content.encode())}).content.decode()
    assert "1 changed" in html
    assert Rota.objects.get().name == "Databases"
    kept = unescape(re.findall(r'<textarea name="content" hidden>(.*?)</textarea>', html, re.DOTALL)[0])
    assert ada.post("/setup/oncall", {"content": kept, "do": "1"}).status_code == 303
    assert Rota.objects.get().name == "<b>Data"
    assert "&lt;b&gt;Data" in read(ada, "/oncall/")
    wrong = content.replace("amir@example.org", "<i>@example.org")
    for sent_wrong, said in (
        ({}, "Choose a file first."),
        ({"content": wrong}, "layers.0.people.0: Nobody here is known as &lt;i&gt;"),
    ):
        refused = ada.post("/setup/oncall", sent_wrong)
        assert (refused.status_code, said in refused.content.decode()) == (422, True)
