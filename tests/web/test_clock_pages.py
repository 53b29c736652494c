"""Clocks on the pages: the queue by the next promise, the ticket's service level, and why."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.desk import calendars
from allswell.desk import tickets as desk
from allswell.kernel import clock
from allswell.tickets.rules import WaitingOn
from tests.support.world import World, _target


@pytest.fixture
def jonas(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    client = Client()
    client.force_login(world.jonas)
    return client


def _groups(html: str) -> dict[str, list[int]]:
    """Heading -> the tickets below it, in order."""
    found: dict[str, list[int]] = {}
    for part in re.split(r'<h2 class="grp[^"]*">', html)[1:]:
        name = re.sub(r"<svg.*?</svg>", "", part.split("</h2>")[0])
        found[re.sub(r"<.*", "", name).strip()] = [int(number) for number in re.findall(r'id="t(\d+)"', part)]
    return found


def test_the_queue_is_ordered_by_the_next_promise(world: World, jonas: Client) -> None:
    before = world.report(title="Nobody promised anything then")
    world.forward(minutes=1)
    world.promise()
    late = world.report(title="Nobody looked")
    world.forward(minutes=20)
    soon = world.report(title="Came just now")
    waits = world.report(title="Waits for Maria")
    desk.reply(waits.pk, body="Which printer?", **world.by(world.jonas))
    desk.wait(waits.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    answered = world.report(title="In work")
    desk.reply(answered.pk, body="On it", **world.by(world.jonas))
    groups = _groups(jonas.get("/desk/all").content.decode())
    assert groups == {
        "Past its time": [late.pk],
        "In the next hour": [soon.pk],
        "Later today": [answered.pk],
        "No time promised": [before.pk],
        "Clock stopped": [waits.pk],
    }


def test_a_row_names_the_next_promise_and_what_is_left(world: World, jonas: Client) -> None:
    world.promise()
    ticket = world.report()
    world.forward(minutes=9)
    row = re.search(rf'id="t{ticket.pk}".*?</div>', jonas.get("/desk/all").content.decode(), re.S)
    assert row is not None
    assert ("Take up" in row[0], "6 min" in row[0], 'class="clock warn"' in row[0], 'width="60"' in row[0]) == (True,) * 4


def test_paging_through_promises_shows_every_ticket_once(world: World, jonas: Client) -> None:
    world.promise()
    numbers = []
    for _count in range(120):
        world.forward(seconds=1)
        numbers.append(world.report().pk)
    seen: list[int] = []
    address = "/desk/all"
    while address:
        html = jonas.get(address).content.decode()
        seen += [int(number) for number in re.findall(r'id="t(\d+)"', html)]
        following = re.search(r'href="([^"]*after=[^"]*)" rel="next"', html)
        address = following[1].replace("&amp;", "&") if following else ""
    assert seen == numbers


def test_the_ticket_shows_its_clocks(world: World, jonas: Client) -> None:
    world.promise()
    ticket = world.report()
    world.forward(minutes=10)
    desk.reply(ticket.pk, body="On it", **world.by(world.jonas))
    html = jonas.get(f"/tickets/{ticket.pk}").content.decode()
    panel = html[html.index('id="clocks"') :]
    assert "Resolution" in panel[:2500]
    assert panel[:3500].count("kept") == 2


def test_why_is_told_line_by_line(world: World, jonas: Client) -> None:
    world.promise()
    ticket = world.report()
    world.forward(hours=1)
    desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    world.forward(hours=5)
    desk.reply(ticket.pk, body="It is the blue one", **world.by(world.maria))
    world.forward(minutes=30)
    html = jonas.get(f"/tickets/{ticket.pk}/why").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    # reported 10:00 in Paris, one hour used, five hours of waiting, three hours left from 16:00
    assert "It is due Mon 23 Nov 2026, 19:00." in text
    assert "1 h 30 min of its 4 h are used." in text
    assert "counts 1 h" in text
    assert "paused: it waits for the requester" in text
    assert "counts 2 h 30 min" in text
    assert "It was due Mon 23 Nov 2026, 10:15. Taken up Mon 23 Nov 2026, 11:00, late by 45 min." in text


def test_what_is_past_its_time_tells_the_due_instant_where_it_came(world: World, jonas: Client) -> None:
    world.promise(targets=[_target("resolution", 240)])
    ticket = world.report()
    world.forward(hours=6)
    html = jonas.get(f"/tickets/{ticket.pk}/why").content.decode()
    assert re.findall(r"counts \d+ h|its time is used up", html) == ["counts 4 h", "its time is used up", "counts 2 h"]


def test_why_of_a_ticket_without_promises_says_so(world: World, jonas: Client) -> None:
    ticket = world.report()
    assert "Nothing was promised" in jonas.get(f"/tickets/{ticket.pk}/why").content.decode()


def test_pages_with_clocks_ask_the_database_little(world: World, jonas: Client, django_assert_max_num_queries: Any) -> None:
    world.promise()
    for _count in range(3):
        ticket = world.report()
    desk.reply(ticket.pk, body="On it", **world.by(world.jonas))
    for address in ("/desk/all", f"/tickets/{ticket.pk}", f"/tickets/{ticket.pk}/why"):
        jonas.get(address)
        with django_assert_max_num_queries(15):
            jonas.get(address)


def test_why_asks_no_more_for_many_clocks_than_for_one(world: World, jonas: Client, django_assert_max_num_queries: Any) -> None:
    world.promise(targets=[_target("next_update", 60)])
    ticket = world.report()
    for word in ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"):
        world.forward(minutes=5)
        desk.reply(ticket.pk, body=word, **world.by(world.jonas))
    address = f"/tickets/{ticket.pk}/why"
    assert jonas.get(address).content.decode().count('class="strip"') == 8
    with django_assert_max_num_queries(10):
        jonas.get(address)


def test_a_stopped_clock_is_put_last_and_comes_back(world: World) -> None:
    world.promise()
    ticket = world.report()
    desk.reply(ticket.pk, body="Which one?", **world.by(world.jonas))
    waiting = desk.wait(ticket.pk, on=WaitingOn.REQUESTER, **world.by(world.jonas))
    assert (waiting.next_due_at, waiting.queue_rank > 10) == (None, True)
    world.forward(hours=2)
    resumed = desk.resume(ticket.pk, **world.by(world.jonas))
    assert resumed.next_due_at == world.now + timedelta(hours=4)


def test_working_days_are_told_day_by_day(world: World, jonas: Client) -> None:
    week = [[(9 * 60, 17 * 60)]] * 5 + [[], []]
    by = world.by(world.ada)
    office = calendars.create_calendar(name="Office", zone="Europe/Paris", hours=calendars.Hours(week=week), **by)
    within = {"counting": "working_days", "amount": 2, "calendar": office.slug, "cutoff": "17:00", "opening": "09:00"}
    world.promise(targets=[{"metric": "resolution", "within": within}])
    world.forward(days=5, hours=2)  # Saturday, noon in Paris
    ticket = world.report()
    world.forward(days=3)
    html = jonas.get(f"/tickets/{ticket.pk}/why").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "It is due Wed 2 Dec 2026, 12:00." in text
    assert "Sat 28 Nov, 12:00 – Mon 30 Nov 2026, 12:00 opened · day off: does not count" in text
    assert "Mon 30 Nov, 12:00 – Tue 1 Dec 2026, 12:00 counts 1 d" in text
    assert "Tue 1 Dec, 12:00 – Wed 2 Dec 2026, 12:00 counts 1 d (to come)" in text
    assert "A working day is 24 hours here" in text
    assert "Counting begins Mon 30 Nov 2026, 12:00." in text


def test_a_kept_promise_tells_when_it_was_kept_and_what_it_took(world: World, jonas: Client) -> None:
    world.promise(targets=[_target("resolution", 240)])
    ticket = world.report()
    world.forward(hours=1)
    desk.resolve(ticket.pk, code="fixed", resolution="New toner", **world.by(world.jonas))
    html = jonas.get(f"/tickets/{ticket.pk}/why").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "It was due Mon 23 Nov 2026, 14:00. Resolved Mon 23 Nov 2026, 11:00, 3 h early. It took 1 h of its 4 h." in text
    lines = ("opened · counts 1 h", "done in time: the clock stops", "due: by then its time would have been used up")
    places = [text.index(line) for line in lines]
    assert places == sorted(places)


def test_what_is_open_is_unfolded_and_what_is_done_folded(world: World, jonas: Client) -> None:
    world.promise()
    ticket = world.report()
    desk.reply(ticket.pk, body="On it", **world.by(world.jonas))
    html = jonas.get(f"/tickets/{ticket.pk}/why").content.decode()
    folds = re.findall(r'<details class="card why"[^>]*?( open)?><summary>.*?<h2>(.*?)</h2>', html)
    assert {name: bool(is_open) for is_open, name in folds} == {
        "Acknowledgement": False,
        "First response": False,
        "Resolution": True,
    }
