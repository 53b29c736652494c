"""The pages of reports."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from allswell.desk import tickets as desk
from allswell.kernel import clock
from allswell.reporting import telling
from allswell.sla.rules.terms import Audience
from tests.support.promises import promise, target
from tests.support.world import World


@pytest.fixture
def jonas(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    client = Client()
    client.force_login(world.jonas)
    return client


def _work(world: World) -> None:
    """One promise kept, one broken, in two services."""
    world.promise()
    for service, minutes in ((world.printing, 5), (world.lookup, 50)):
        ticket = world.report(title=f"About {service.name}", service=service.slug)
        world.forward(minutes=minutes)
        desk.reply(ticket.pk, body="On it", **world.by(world.jonas))
        desk.resolve(ticket.pk, code="fixed", resolution="Done", **world.by(world.jonas))


def test_without_anything_to_count_every_page_says_so(world: World, jonas: Client) -> None:
    assert jonas.get("/reports").status_code == 200
    for name in telling.KINDS:
        html = jonas.get(f"/reports/{name}").content.decode()
        assert "There is nothing to count" in html
        assert "How it is counted" in html
        assert "No ticket is behind this number" in jonas.get(f"/reports/{name}/rows?part=completed").content.decode()


def test_a_report_shows_its_numbers_drawing_table_and_definition(world: World, jonas: Client) -> None:
    _work(world)
    html = jonas.get("/reports/attainment?period=2026-11&by=service").content.decode()
    assert "66.66 %" in html  # 4 of 6: of the later ticket two were late
    sentence = re.search(r'role="img" aria-label="(Service levels kept:[^"]*)"', html)
    assert sentence is not None
    assert "Nov 2026 66.66 %" in sentence[1]
    assert 'href="/reports/attainment/rows?period=2026-11&amp;by=service&amp;part=broken&amp;is=account-look-up"' in html
    assert "Shares are rounded down" in html
    assert "style=" not in html


def test_a_number_opens_its_rows(world: World, jonas: Client) -> None:
    _work(world)
    html = jonas.get("/reports/attainment/rows?period=2026-11&by=service&part=broken&is=account-look-up").content.decode()
    assert html.count("About Account look-up") == 2
    assert "About Printing" not in html


def test_many_rows_are_read_page_by_page(world: World, jonas: Client) -> None:
    world.promise()
    for _count in range(30):
        ticket = world.report()
        world.forward(seconds=10)
        desk.resolve(ticket.pk, code="fixed", resolution="Done", **world.by(world.jonas))
    seen: list[str] = []
    address = "/reports/attainment/rows?part=completed"
    while address:
        html = jonas.get(address).content.decode()
        seen += re.findall(r'<a href="/tickets/(\d+)/why">', html)
        following = re.search(r'href="(\?[^"]*after=[^"]*)" rel="next"', html)
        address = "/reports/attainment/rows" + following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == 90
    assert len(set(seen)) == 30


@pytest.mark.parametrize(
    "query", ["period=x", "from=2026-02-31", "from=2026-02-01&to=2026-01-01", "period=9999-12", "to=0001-01-01"]
)
def test_a_wrong_period_is_said_beside_the_form(world: World, jonas: Client, query: str) -> None:
    for name in telling.KINDS:
        answer = jonas.get(f"/reports/{name}?{query}")
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
        assert jonas.get(f"/reports/{name}/rows?part=kept&{query}").status_code == 200
        assert jonas.get(f"/reports/{name}/csv?{query}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "part=x",
        "part=kept&is=nowhere",
        "by=month&part=kept&is=2026-99",
        "by=month&part=kept&is=-",
        "part=kept&after=x~1",
        "by=priority&part=kept&is=x",
        "service=nowhere&organization=nowhere&priority=x",
        "by=hop&part=n&is=x",
    ],
)
def test_nonsense_in_the_address_finds_nothing_and_breaks_nothing(world: World, jonas: Client, query: str) -> None:
    _work(world)
    for name in telling.KINDS:
        assert jonas.get(f"/reports/{name}/rows?{query}").status_code == 200
        assert jonas.get(f"/reports/{name}?{query}").status_code == 200
    assert jonas.get("/reports/nothing").status_code == 404


def test_reports_ask_the_database_little(world: World, jonas: Client, django_assert_max_num_queries: Any) -> None:
    _work(world)
    for address in ("/reports", *(f"/reports/{name}" for name in telling.KINDS), "/reports/attainment/rows?part=kept"):
        jonas.get(address)
        with django_assert_max_num_queries(15):
            jonas.get(address)


def test_the_desk_of_another_customer_counts_nothing_of_ours(world: World, jonas: Client) -> None:
    for service in (world.printing, world.lookup):
        service.organization = world.bank
        service.save()
    _work(world)
    client = Client()
    client.force_login(world.oskar)
    for name in telling.KINDS:
        html = client.get(f"/reports/{name}?by=service").content.decode()
        assert "There is nothing to count" in html
        assert "Printing" not in html


def test_the_desk_of_a_customer_is_not_offered_the_agreements_of_others(world: World, jonas: Client) -> None:
    promise(world, name="For everyone")
    promise(world, name="Northbank only", organization=world.bank)
    promise(world, name="Othertown only", organization=world.other)
    promise(world, target("team_time", 60), name="Our databases", audience=Audience.INTERNAL, team=world.dba_team)
    theirs = Client()
    theirs.force_login(world.oskar)
    names = ("For everyone", "Northbank only", "Othertown only", "Our databases")
    offered = [
        [name for name in names if name in client.get("/reports/attainment").content.decode()] for client in (theirs, jonas)
    ]
    assert offered == [["For everyone", "Othertown only"], list(names)]


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("was=6m&period=6m&from=2026-11-01&to=2026-11-02", ""),  # days filled in, the period not touched
        ("was=&period=12m&from=2026-11-01&to=2026-11-02", "12m"),  # a period chosen where days stood
        ("was=6m&period=12m&from=&to=", "12m"),
        ("was=&period=&from=2026-11-01&to=2026-11-02", ""),
    ],
)
def test_what_was_changed_in_the_form_counts(world: World, jonas: Client, query: str, selected: str) -> None:
    html = jonas.get(f"/reports/attainment?{query}").content.decode()
    assert f'<option value="{selected}" selected>' in html
    assert ('value="2026-11-01"' in html) == (selected == "")


def test_a_report_is_asked_for_by_mail_and_ended(world: World, jonas: Client) -> None:
    html = jonas.get("/reports/resolve?period=12m&by=service&kind=incident").content.decode()
    form = re.search(r'action="(/reports/resolve/mail[^"]*)"', html)
    assert form is not None
    answer = jonas.post(form[1].replace("&amp;", "&"), {"every": "month"}, follow=True)
    assert "You get it by mail, first" in answer.content.decode()
    html = jonas.get("/reports").content.decode()
    assert "Time to resolve" in html.split("What you get by mail")[1]
    end = re.search(r'action="(/reports/mails/\d+/end)"', html)
    assert end is not None
    other = Client()
    other.force_login(world.julia)
    assert other.post(end[1]).status_code == 404
    assert "What you get by mail" not in jonas.post(end[1], follow=True).content.decode()
    assert "Choose week or month" in jonas.post("/reports/resolve/mail", {"every": "day"}, follow=True).content.decode()
