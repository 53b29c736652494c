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


def _marked(html: str) -> list[str]:
    """The marks and titles of a page of rows, in order."""
    html = html.split('<main id="main"')[1]
    found = re.findall(r'<p class="mark[^"]*"><b>([^<]*)</b>|<b class="cut blk">([^<]*)</b>', html)
    return [mark or title for mark, title in found]


def test_a_median_opens_what_was_measured_and_shows_where_it_lies(world: World, jonas: Client) -> None:
    for minutes in (10, 20, 30, 60):
        ticket = world.report(title=f"Took {minutes}", service=world.printing.slug)
        world.forward(minutes=minutes)
        desk.resolve(ticket.pk, code="fixed", resolution="Done", **world.by(world.jonas))
    report = jonas.get("/reports/resolve?period=2026-11&by=service").content.decode()
    for part, shown in (("median", "25 min"), ("mean", "30 min"), ("p90", "1 h"), ("n", "4")):
        address = f"/reports/resolve/rows?period=2026-11&amp;by=service&amp;part={part}"
        assert f'<a href="{address}">{shown}</a>' in report  # of all
        assert f'<a href="{address}&amp;is=printing">{shown}</a>' in report  # of the line
        month = address.replace("by=service", "by=month")
        assert f'<a href="{month}&amp;is=2026-11">{shown}</a>' in report  # of the month
        html = jonas.get(address.replace("&amp;", "&")).content.decode()
        if part != "n":
            assert _marked(html) == [
                *("90th percentile: 1 h", "Took 60", "Mean: 30 min", "Took 30", "Median: 25 min", "Took 20", "Took 10"),
            ]
        else:
            assert _marked(html) == ["Took 60", "Took 30", "Took 20", "Took 10"]  # the latest first


def test_a_share_opens_what_it_is_a_share_of(world: World, jonas: Client) -> None:
    _work(world)
    report = jonas.get("/reports/attainment?period=2026-11").content.decode()
    assert '<a href="/reports/attainment/rows?period=2026-11&amp;by=month&amp;part=share&amp;is=2026-11">66.66 %</a>' in report
    html = jonas.get("/reports/attainment/rows?period=2026-11&by=month&part=share&is=2026-11").content.decode()
    assert html.count(">in time</span>") == 4
    assert html.count(">late</span>") == 2
    assert re.findall(r"<dd>(?:<a[^>]*>)?([^<]*)", html) == ["66.66 %", "6", "4"]
    file = b"".join(jonas.get("/reports/attainment/csv?period=2026-11&part=share").streaming_content).decode()  # type: ignore[attr-defined]
    assert (file.count(",kept,"), file.count(",broken,")) == (4, 2)


def test_every_number_has_a_definition_that_opens(world: World, jonas: Client) -> None:
    _work(world)
    for name, kind in telling.KINDS.items():
        html = jonas.get(f"/reports/{name}").content.decode()
        for column in kind.columns:
            assert html.count(f'id="means-{column.key}" popover') == 1
            assert "There is nothing to count" in html or f'popovertarget="means-{column.key}"' in html


def test_the_line_of_another_customer_is_not_named(world: World, jonas: Client) -> None:
    theirs = Client()
    theirs.force_login(world.oskar)
    _work(world)
    html = theirs.get("/reports/resolve/rows?by=service&part=median&is=account-look-up").content.decode()
    assert "No ticket is behind this number" in html
    assert "Account look-up" not in html
    assert "Account look-up" in jonas.get("/reports/resolve/rows?by=service&part=median&is=account-look-up").content.decode()


def test_the_overview_fetches_its_cards_one_by_one(world: World, jonas: Client) -> None:
    _work(world)
    html = jonas.get("/reports?period=2026-11").content.decode()
    cards = re.findall(r'hx-get="(/reports/[^"]*/card[^"]*)"', html)
    assert len(cards) == len(telling.KINDS)
    assert '<a href="/reports/attainment?period=2026-11">' in html  # without a script
    card = jonas.get(cards[0], headers={"HX-Request": "true"}).content.decode()
    assert "66.66 %" in card
    assert "<html" not in card
    answer = jonas.get(cards[0])
    assert (answer.status_code, answer["Location"]) == (302, "/reports/attainment?period=2026-11")
    assert jonas.get("/reports/nothing/card").status_code == 404


def test_what_takes_long_to_count_comes_after_the_page(world: World, jonas: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "LONG_TICKETS", 1)
    _work(world)
    assert "66.66 %" in jonas.get("/reports/attainment?period=6m").content.decode()
    html = jonas.get("/reports/attainment?period=12m").content.decode()
    assert "66.66 %" not in html
    address = re.search(r'hx-get="([^"]*)"', html)
    assert address is not None
    part = jonas.get(address[1].replace("&amp;", "&"), headers={"HX-Request": "true"}).content.decode()
    assert "66.66 %" in part
    assert "<html" not in part
    without = re.search(r'<a href="([^"]*count=now)"', html)
    assert without is not None
    assert "66.66 %" in jonas.get(without[1].replace("&amp;", "&")).content.decode()


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
    rows = ("attainment/rows?part=kept", "attainment/rows?part=share", "resolve/rows?part=median&by=service&is=printing")
    for address in ("/reports", *(f"/reports/{name}" for name in (*telling.KINDS, *rows))):
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
