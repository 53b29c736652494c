"""Calendars on pages: a year drawn, an answer told line by line, hours typed in and refused beside their field."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from allswell.calendars import queries, rules
from allswell.calendars.models import Calendar, CalendarVersion
from allswell.calendars.rules import Day
from allswell.desk import calendars as desk
from allswell.kernel import clock
from tests.support.world import World

Browser = Callable[..., Client]
LUNCH = rules.parse_hours("08:30-12:00, 13:00-17:30", field="x")
FORM = {
    "name": "Office hours",
    "zone": "Europe/Zurich",
    **dict.fromkeys(rules.WEEKDAYS[:5], "08:30-12:00, 13:00-17:30"),
    "saturday": "",
    "sunday": "",
    "country": "",
    "days": "",
    "effective_on": "2026-01-01",
    "note": "",
}


@pytest.fixture
def office(world: World, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    hours = desk.Hours(
        [LUNCH] * 5 + [(), ()], {"2026-12-24": Day("Christmas Eve", ((510, 720),)), "2026-12-05": Day("Sale", LUNCH)}, "CH", "ZH"
    )
    return desk.create_calendar(
        name="Office hours", zone="Europe/Zurich", hours=hours, effective_on=date(2026, 1, 1), **world.by(world.ada)
    )


def read(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def told(html: str) -> list[list[str]]:
    """The lines of the answer, cell by cell."""
    table = html.partition('class="list told"')[2].partition("</table>")[0]
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in table.partition("<tbody>")[2].split("<tr>")[1:]]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in rows]


def test_eight_working_hours_after_friday_16(world: World, office: Calendar, browser: Browser) -> None:
    html = read(browser(world.jonas), "/calendars/office-hours?start=2026-03-27T16:00&amount=8&unit=hours")
    assert "Mon 30 March 2026, 16:00 CEST" in html
    assert told(html) == [
        ["Fri 27 March 2026", "16:00–17:30", "1 h 30 min", "1 h 30 min"],
        ["Sat 28 March 2026 Closed", "", "0", "1 h 30 min"],
        ["Sun 29 March 2026 Closed", "", "0", "1 h 30 min"],
        ["Mon 30 March 2026", "08:30–12:00, 13:00–16:00", "6 h 30 min", "8 h"],
    ]


def test_a_question_stands_there_already(world: World, office: Calendar, browser: Browser) -> None:
    html = read(browser(world.jonas), "/calendars/office-hours")
    assert "Mon 30 November 2026, 16:00 CET" in html


def test_over_christmas_the_lines_name_the_days(world: World, office: Calendar, browser: Browser) -> None:
    html = read(browser(world.jonas), "/calendars/office-hours?start=2026-12-24T11:00&amount=90&unit=minutes")
    assert told(html)[0] == ["Thu 24 December 2026 Christmas Eve", "11:00–12:00", "1 h", "1 h"]
    assert told(html)[1][0] == "Fri 25 December 2026 Christmas Day"
    assert told(html)[-1] == ["Mon 28 December 2026", "08:30–09:00", "30 min", "1 h 30 min"]


def test_working_days_with_a_cut_off_hour(world: World, office: Calendar, browser: Browser) -> None:
    where = "/calendars/office-hours?start=2026-12-23T17:30&amount=2&unit=working_days&cutoff=17:00&opening=08:30"
    html = read(browser(world.jonas), where)
    assert "Tue 29 December 2026, 08:30 CET" in html
    assert "Counting begins Thu 24 December 2026, 08:30 CET." in html
    assert [line[2] for line in told(html)] == ["", "", "", "day 1", "day 2"]
    every = read(browser(world.jonas), "/calendars/office-hours?start=2026-12-23T17:30&amount=2&unit=calendar_days")
    assert "Fri 25 December 2026, 17:30 CET" in every


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("start=yesterday&amount=8&unit=hours", "Give a date and a time."),
        ("start=0001-01-01T00:00&amount=8&unit=hours", "Calendars are known from"),
        ("start=2026-03-27T16:00&amount=-1&unit=hours", "Use a whole number"),
        ("start=2026-03-27T16:00&amount=&unit=hours", "Use a whole number"),
        ("start=2026-03-27T16:00&amount=1000000&unit=hours", "No instant within 50 years"),
        ("start=2026-03-27T16:00&amount=1000000&unit=working_days", "No instant within 50 years"),
        ("start=2026-03-27T16:00&amount=1&unit=moons", "Choose one of the list."),
        ("start=2026-03-27T16:00&amount=1&unit=working_days&cutoff=25:00", "is no time of day"),
    ],
)
def test_questions_without_an_answer(world: World, office: Calendar, browser: Browser, asked: str, sentence: str) -> None:
    assert sentence in read(browser(world.jonas), f"/calendars/office-hours?{asked}", 422)


def test_the_year_is_drawn_with_words(world: World, office: Calendar, browser: Browser) -> None:
    html = read(browser(world.jonas), "/calendars/office-hours?year=2026")
    assert html.count('<table class="month">') == 12
    assert len(re.findall(r'class="day (\w+)( today)?">\d', html.partition('class="year"')[2])) == 365
    assert '<td title="Christmas Eve: 08:30–12:00"><span class="day short">24</span>' in html
    assert '<td title="Sale: 08:30–12:00, 13:00–17:30"><span class="day extra">5</span>' in html
    assert '<td title="Ascension Day: closed"><span class="day holiday">14</span>' in html
    assert '<span class="day open today">23</span>' in html
    for year in ("", "1", "99999", "²⁰²⁶", "9999"):
        read(browser(world.jonas), f"/calendars/office-hours?year={year}")


def test_the_list_says_what_is_open(world: World, office: Calendar, browser: Browser) -> None:
    html = read(browser(world.jonas), "/calendars/")
    assert "Mon–Fri 08:30–12:00, 13:00–17:30" in html
    assert "Open until Mon 23 Nov, 12:00" in html
    assert read(browser(world.jonas), "/calendars/no-such", 404)


def test_ada_adds_a_calendar(world: World, browser: Browser) -> None:
    answer = browser(world.ada).post("/setup/calendars/new", {**FORM, "country": "DE", "do": "save"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calendars/office-hours")
    known = queries.by_slug("office-hours")
    assert known is not None
    assert rules.kind_of(known, date(2026, 10, 3))[1] == "German Unity Day"


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({"tuesday": "09:00-12:00, 11:00-17:00"}, "tuesday", "09:00–12:00 and 11:00–17:00 overlap"),
        (dict.fromkeys(rules.WEEKDAYS, ""), "week", "This calendar has no open hours"),
        ({"zone": "Mars/Olympus"}, "zone", "There is no time zone Mars/Olympus"),
        ({"days": "Christmas"}, "days", "begins with no date"),
        ({"effective_on": "soon"}, "effective_on", "Give a date."),
        ({"name": ""}, "name", "This is needed."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    world: World, browser: Browser, sent: dict[str, str], field: str, sentence: str
) -> None:
    answer = browser(world.ada).post("/setup/calendars/new", {**FORM, **sent})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in html.partition(f'id="{field}-error"')[2].partition("</p>")[0]
    assert not Calendar.objects.exists()


def test_the_holidays_of_a_country_are_shown_before_anything_is_saved(world: World, browser: Browser) -> None:
    client = browser(world.ada)
    html = client.post("/setup/calendars/new", {**FORM, "country": "US", "do": "look"}).content.decode()
    assert 'name="observed" value="Thanksgiving Day" checked' in html
    assert '<option value="MA">Massachusetts</option>' in html
    assert not Calendar.objects.exists()
    offered = ["Thanksgiving Day", "Christmas Day"]
    client.post(
        "/setup/calendars/new", {**FORM, "country": "US", "offered_for": "US/", "offered": offered, "observed": ["Christmas Day"]}
    )
    assert queries.newest(Calendar.objects.get()).left_out == ["Thanksgiving Day"]
    again = client.get("/setup/calendars/office-hours").content.decode()
    assert 'name="observed" value="Thanksgiving Day">' in again
    assert 'name="observed" value="Labor Day" checked>' in again


def test_a_file_of_days_is_shown_before_it_is_saved(world: World, browser: Browser) -> None:
    body = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
    body += "DTSTART;VALUE=DATE:20270104\r\nSUMMARY:Company day\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    upload = SimpleUploadedFile("days.ics", body.encode(), content_type="text/calendar")
    sent: dict[str, Any] = {**FORM, "days": "12-31 Stock-taking", "do": "read", "file": upload}
    html = browser(world.ada).post("/setup/calendars/new", sent).content.decode()
    assert "12-31 Stock-taking\n2027-01-04 Company day</textarea>" in html
    assert not Calendar.objects.exists()
    for wrong in ({"file": SimpleUploadedFile("x.ics", b"nothing")}, {}):
        answer = browser(world.ada).post("/setup/calendars/new", {**FORM, "do": "read", **wrong})
        assert answer.status_code == 422
        assert 'id="file-error"' in answer.content.decode()


def test_a_change_is_a_version_with_what_it_changed(world: World, office: Calendar, browser: Browser) -> None:
    client = browser(world.ada)
    sent = {**FORM, "seen": "1", "saturday": "09:00-12:00", "country": "CH", "subdivision": "ZH", "effective_on": "2027-01-01"}
    sent |= {"note": "Open on Saturdays", "days": "2026-12-24 08:30-12:00 Christmas Eve"}
    assert client.post("/setup/calendars/office-hours", sent).status_code == 303
    html = read(client, "/setup/calendars/office-hours")
    assert "Version 2 from Fri 1 January 2027 on" in html
    assert "Saturday: closed → 09:00–12:00" in html
    assert "Open on Saturdays" in html
    assert "Ada Admin" in html
    stale = client.post("/setup/calendars/office-hours", {**sent, "sunday": "09:00-12:00"})
    assert stale.status_code == 422
    assert "Somebody has changed this calendar in the meantime" in stale.content.decode()
    same = client.post("/setup/calendars/office-hours", {**sent, "seen": "2"})
    assert "Nothing is different from the newest version." in same.content.decode()


def test_a_calendar_can_be_renamed_alone(world: World, office: Calendar, browser: Browser) -> None:
    client = browser(world.ada)
    sent = {**FORM, "name": "Bank hours", "country": "CH", "subdivision": "ZH", "seen": "1"}
    sent["days"] = rules.show_own(queries.own_days(queries.newest(office)))
    assert client.post("/setup/calendars/office-hours", sent).status_code == 303
    assert Calendar.objects.values_list("name", "number").get() == ("Bank hours", 1)


def test_out_of_use_and_back(world: World, office: Calendar, browser: Browser) -> None:
    client = browser(world.ada)
    assert client.post("/setup/calendars/office-hours/deactivate").status_code == 303
    assert "Office hours" not in read(browser(world.jonas), "/calendars/")
    assert "Out of use" in read(client, "/setup/calendars")
    client.post("/setup/calendars/office-hours/activate")
    assert "Office hours" in read(browser(world.jonas), "/calendars/")


def test_it_says_when_holidays_end(world: World, office: Calendar, browser: Browser) -> None:
    CalendarVersion.objects.update(holidays_until=date(2027, 12, 31))
    html = read(browser(world.ada), "/setup/calendars/office-hours")
    assert "Holidays are known until Fri 31 December 2027." in html
    assert "Holidays end soon" in read(browser(world.ada), "/setup/calendars")


def test_auditors_look_and_agents_do_not_set_up(world: World, office: Calendar, browser: Browser) -> None:
    html = read(browser(world.audrey), "/setup/calendars/office-hours")
    assert "You may look at this, not change it." in html
    assert browser(world.audrey).post("/setup/calendars/office-hours", FORM).status_code == 403
    assert browser(world.jonas).get("/setup/calendars").status_code == 403
    assert browser(world.maria).get("/calendars/").status_code == 302
