"""Ada sets up agreements on the pages: from the usual ones, in an order, with versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import agreements as desk
from allswell.desk import recounting
from allswell.desk import tickets as desk_tickets
from allswell.jobs.models import Job
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, NotFound
from allswell.people.models import RoleGrant
from allswell.sla.models import Agreement, AgreementVersion
from allswell.tickets.models import Ticket
from allswell.web.setup.agreement_form import days, minutes, warning
from allswell.web.setup.what_if import bar
from tests.desk.test_agreements import agreement, office_hours, terms, working
from tests.desk.test_recounting import recount, work
from tests.support.world import START, World

Browser = Callable[..., Client]


def sent(html: str) -> dict[str, Any]:
    """What a browser would send of the form on a page as it stands."""
    form = html[html.index('class="form stack-l agreement"') :]
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and (re.search(r'type="(text|hidden|datetime-local)"', tag) or " checked" in tag):
            values.setdefault(name[1], []).append(value[1] if value else "")
    for name, inside in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inside)
        values[name] = [chosen[1] if chosen else re.search(r'<option value="([^"]*)"', inside)[1]]  # type: ignore[index]
    return {**values, "do": "save"}


def test_begin_with_the_usual_agreements(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    assert "Nothing is promised to anybody yet" in ada.get("/setup/agreements").content.decode()
    assert ada.post("/setup/agreements/start").headers["Location"] == "/setup/agreements"
    html = ada.get("/setup/agreements").content.decode()
    assert "Standard for incidents" in html
    assert "Between teams" in html
    page = ada.get("/setup/agreements/standard-for-incidents").content.decode()
    assert "4 h of working time" in page
    assert "Acknowledgement" in page
    again = ada.get(ada.post("/setup/agreements/start", follow=False).headers.get("Location", "/setup/agreements"))
    assert "There are agreements already" in again.content.decode() or Agreement.objects.count() == 3


def test_change_what_is_promised_and_see_the_versions(world: World, browser: Browser) -> None:
    agreement(world)
    world.forward(minutes=5)
    ticket = world.report()
    ada = browser(world.ada)
    there = "/setup/agreements/standard"
    form = sent(ada.get(f"{there}/edit").content.decode())
    assert form["t0_amount"] == ["4 h"]
    unchanged = ada.post(f"{there}/edit", form)
    assert unchanged.headers["Location"] == there
    assert AgreementVersion.objects.count() == 1
    form |= {"t0_amount": "1 h 30 min", "t0_warn": "80 %", "note": "Agreed with the business", "t0_pauses": ["requester"]}
    form["in_force_from"] = "2026-11-23T09:00"
    assert ada.post(f"{there}/edit", form).headers["Location"] == there
    said = AgreementVersion.objects.get(number=2).definition["targets"][0]
    assert said["within"]["amount"] == 90
    assert said["warn"] == {"share": 0.8}
    assert said["pauses"] == ["requester"]
    html = ada.get(there).content.decode()
    assert "The clocks of 1 open ticket are counted again." in html
    assert "Agreed with the business" in html
    assert "4 h around the clock" in html
    assert "1 h 30 min around the clock" in html
    assert Ticket.objects.get(pk=ticket.pk).next_due_at == world.now + timedelta(hours=4)  # the engine has not come yet


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(world: World, browser: Browser) -> None:
    agreement(world)
    ada = browser(world.ada)
    form = sent(ada.get("/setup/agreements/standard/edit").content.decode())
    for wrong, field, sentence in (
        ({"t0_amount": "soon"}, "t0_amount", "Write how long"),
        ({"t0_counting": "working_days", "t0_amount": "many"}, "t0_amount", "Write how many days."),
        ({"t0_counting": "working_days", "t0_amount": "5", "t0_cutoff": "17:00"}, "t0_opening", "belong together"),
        ({"t0_calendar": "lunar"}, "t0_calendar", "There is no such calendar."),
        ({"t0_warn": "5 h"}, "t0_warn", "before the clock starts"),
        ({"t0_remove": "1"}, "targets", "promises at least one thing"),
        ({"name": ""}, "name", "This is needed."),
        ({"zone": "Mars"}, "zone", "There is no such time zone"),
    ):
        answer = ada.post("/setup/agreements/standard/edit", {**form, **wrong, "note": "Kept as typed"})
        html = answer.content.decode()
        assert answer.status_code == 422
        assert "Kept as typed" in html
        place = html.index(sentence)
        if field != "targets":
            assert f'id="{field}-error"' in html[place - 200 : place]
    assert AgreementVersion.objects.count() == 1


def test_who_comes_second_is_told_and_nothing_is_written(world: World, browser: Browser) -> None:
    agreement(world)
    ada = browser(world.ada)
    form = sent(ada.get("/setup/agreements/standard/edit").content.decode())
    desk.agree("standard", definition=terms(within=working(60)), **world.by(world.ada))
    answer = ada.post("/setup/agreements/standard/edit", {**form, "name": "Mine", "t0_amount": "2 h"})
    assert "in the meantime" in answer.content.decode()
    assert (Agreement.objects.get().name, AgreementVersion.objects.count()) == ("Standard", 2)


def test_what_a_form_says_is_written_as_a_whole_or_not_at_all(world: World, browser: Browser) -> None:
    agreement(world)
    world.report()
    ada = browser(world.ada)
    form = sent(ada.get("/setup/agreements/standard/edit").content.decode())
    same = {**form, "name": "Renamed", "in_force_from": "2026-12-23T09:00"}
    answer = ada.post("/setup/agreements/standard/edit", same)
    assert "Nothing is different from the newest version." in answer.content.decode()
    assert Agreement.objects.get().name == "Standard"
    work(world)
    before = Job.objects.count()
    both = {**form, "organization": str(world.bank.pk), "t0_amount": "1 h", "in_force_from": "2026-11-23T09:00"}
    assert ada.post("/setup/agreements/standard/edit", both).headers["Location"] == "/setup/agreements/standard"
    assert (Agreement.objects.get().organization, AgreementVersion.objects.count()) == (world.bank, 2)
    assert Job.objects.count() == before + 1


def test_a_stopped_job_says_what_is_left_and_goes_on_there(world: World, browser: Browser) -> None:
    agreement(world, definition=terms(targets=[{"metric": "resolution", "within": working(240)}]))
    work(world)
    tickets = [world.report() for _ in range(5)]
    shorter = terms(targets=[{"metric": "resolution", "within": working(60)}])
    desk.agree("standard", definition=shorter, in_force_from=START, **world.by(world.ada))
    assert recounting.run_batch(recount(), limit=2, **world.by(world.ada))
    number, ada = recount().pk, browser(world.ada)
    ada.post(f"/jobs/{number}/cancel")
    world.forward(seconds=61)
    work(world)
    job = recount()
    assert (job.finished_at is not None, job.position) == (True, 2)
    assert "The clocks of 3 tickets were not counted again" in ada.get(f"/jobs/{number}").content.decode()
    with pytest.raises(NotFound):
        recounting.go_on(number, **world.by(world.jonas))
    assert ada.post(f"/jobs/{number}/go-on").headers["Location"] == f"/jobs/{number}"
    work(world)
    job = recount()
    assert (job.finished_at is not None, job.position, job.changed) == (True, 5, 5)
    assert Entry.objects.filter(ticket__in=tickets, verb="clock.replayed").count() == 5
    assert "not counted again" not in ada.get(f"/jobs/{number}").content.decode()
    with pytest.raises(Conflict):
        recounting.go_on(number, **world.by(world.ada))


def test_a_new_one_with_one_promise_more_and_one_less(world: World, browser: Browser) -> None:
    office_hours(world)
    ada = browser(world.ada)
    form = sent(ada.get("/setup/agreements/new?audience=internal").content.decode())
    assert form["rows"] == ["3"]
    more = ada.post("/setup/agreements/new", {**form, "do": "add", "name": "Databases"}).content.decode()
    form = sent(more)
    assert form["rows"] == ["4"]
    form |= {"team": str(world.dba_team.pk), "t1_remove": "1", "t0_remove": "1"}
    form |= {"t3_metric": "team_time", "t3_priorities": ["1", "2"], "t3_amount": "45 min", "t3_calendar": "always"}
    assert ada.post("/setup/agreements/new", form).headers["Location"] == "/setup/agreements/databases"
    row = Agreement.objects.get()
    assert (row.audience, row.team) == ("internal", world.dba_team)
    targets = row.versions.get().definition["targets"]
    assert [(one["priorities"], one["within"]["amount"]) for one in targets] == [([], 1200), ([1, 2], 45)]
    copied = ada.get("/setup/agreements/new?from=databases").content.decode()
    assert sent(copied)["rows"] == ["2"]


def test_the_order_is_changed_and_one_goes_out_of_use(world: World, browser: Browser) -> None:
    agreement(world)
    agreement(world, "Between us", terms(metric="team_time", within=working(60)), audience="internal")
    agreement(world, "Gold", terms(kinds=["incident"]))
    ada = browser(world.ada)
    html = ada.get("/setup/agreements").content.decode()
    assert html.index("Standard") < html.index("Gold")
    ada.post("/setup/agreements/gold/earlier")
    html = ada.get("/setup/agreements").content.decode()
    assert html.index("Gold") < html.index("Standard")
    ada.post("/setup/agreements/gold/deactivate")
    assert not Agreement.objects.get(slug="gold").is_active
    assert "Out of use" in ada.get("/setup/agreements/gold").content.decode()
    ada.post("/setup/agreements/gold/activate")
    assert Agreement.objects.get(slug="gold").is_active


def test_an_administrator_of_a_customer_has_their_own_only(world: World, browser: Browser) -> None:
    agreement(world)
    agreement(world, "Others", organization=world.other.pk)
    RoleGrant.objects.create(
        person=world.oskar, role="administrator", scope="organization", organization=world.other, granted_at=START
    )
    oskar = browser(world.oskar)
    html = oskar.get("/setup/agreements").content.decode()
    assert "/setup/agreements/others" in html
    assert "/setup/agreements/standard" not in html
    assert oskar.get("/setup/agreements/standard").status_code == 404
    form = sent(oskar.get("/setup/agreements/others/edit").content.decode())
    assert oskar.post("/setup/agreements/others/edit", {**form, "t0_amount": "2 h"}).status_code == 303
    assert browser(world.audrey).get("/setup/agreements/others/edit").status_code == 403


def test_the_pages_ask_little(world: World, browser: Browser) -> None:
    office_hours(world)
    for number in range(8):
        agreement(world, f"Number {number}", terms(within=working(60 + number, "office-hours")))
    ada = browser(world.ada)
    for address in (
        "/setup/agreements",
        "/setup/agreements/number-1",
        "/setup/agreements/number-1/edit",
        "/setup/agreements/new",
    ):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert ada.get(address).status_code == 200
        assert len(asked) <= 15, address


@pytest.mark.parametrize(
    ("typed", "meant"), [("30 min", 30), ("4 h", 240), ("4h", 240), ("1 h 30 min", 90), ("2 Std. 5 Min.", 125), ("1 d", 1440)]
)
def test_times_are_read_as_people_write_them(typed: str, meant: int) -> None:
    assert minutes(typed, field="x") == meant
    assert days("5 days", field="x") == days("5", field="x") == 5
    assert warning("75 %", field="x") == {"share": 0.75}
    assert warning("75%", field="x") == {"share": 0.75}


def test_what_if_is_asked_of_an_agreement_and_of_what_stands_in_the_form(world: World, browser: Browser) -> None:
    agreement(world)
    world._grant(world.ada, "agent")
    for spent in (30, 120, 300):
        ticket = world.report(title=f"Took {spent} minutes")
        world.forward(minutes=spent)
        desk_tickets.resolve(ticket.pk, code="fixed", resolution="Restarted.", **world.by(world.jonas))
    ada = browser(world.ada)
    asked = ada.post("/setup/agreements/standard/what-if", {"first": "2026-11-01", "last": "2026-11-30"})
    html = ada.get(asked.headers["Location"]).content.decode()
    assert html.count("66.6 %") == 2
    assert "What would have fared otherwise" not in html
    form = sent(ada.get("/setup/agreements/standard/edit").content.decode())
    asked = ada.post("/setup/agreements/standard/edit", {**form, "t0_amount": "1 h", "do": "what-if"})
    with CaptureQueriesContext(connection) as queries:
        html = ada.get(asked.headers["Location"]).content.decode()
    assert len(queries) <= 15
    assert "66.6 %" in html
    assert "33.3 %" in html
    assert "Took 120 minutes" in html
    assert "Took 300 minutes" not in html
    assert AgreementVersion.objects.count() == 1
    wrong = ada.post("/setup/agreements/standard/what-if", {"first": "2026-11-30", "last": "2026-11-01"})
    assert wrong.status_code == 422
    assert 'id="last-error"' in wrong.content.decode()
    assert browser(world.audrey).get(asked.headers["Location"]).status_code == 404


def test_almost_all_is_not_all() -> None:
    assert bar((99951, 49, 0)).share == "99.9 %"
    assert bar((1, 0, 5)).share == "100.0 %"
    assert bar((0, 0, 3)).share == ""


def test_the_journal_says_which_promise_moved_and_why(world: World, browser: Browser) -> None:
    agreement(world)
    ticket = world.report()
    desk.agree("standard", definition=terms(within=working(60)), in_force_from=START, **world.by(world.ada))
    work(world)
    html = browser(world.jonas).get(f"/tickets/{ticket.pk}").content.decode()
    assert "What is agreed has changed: Resolution is due 10:00, no longer 13:00" in html
    desk.set_active("standard", is_active=False, **world.by(world.ada))
    work(world)
    html = browser(world.jonas).get(f"/tickets/{ticket.pk}").content.decode()
    assert "Resolution is not due 10:00 any more" in html
    assert "agreed has changed" not in browser(world.maria).get(f"/my/{ticket.pk}").content.decode()


def test_in_force_from_is_read_by_the_clocks_of_the_agreement(world: World, browser: Browser) -> None:
    agreement(world)
    ada = browser(world.ada)  # her own zone is another
    form = sent(ada.get("/setup/agreements/standard/edit").content.decode())
    form |= {"zone": "America/New_York", "in_force_from": "2027-01-01T00:00"}
    ada.post("/setup/agreements/standard/edit", form)
    version = AgreementVersion.objects.get(number=2)
    assert version.in_force_from == datetime(2027, 1, 1, 5, tzinfo=UTC)
    assert "Fri 1 Jan 2027" in ada.get("/setup/agreements/standard").content.decode()
