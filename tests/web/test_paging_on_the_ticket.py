"""The card of paging beside a ticket, its acts, and the ledger as a page and as a file."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk import paging
from allswell.desk import tickets as desk
from allswell.oncall.models import Page, PageDelivery
from allswell.oncall.operations import deliveries
from allswell.people.models import Person, RoleGrant
from allswell.tickets.models import Ticket
from tests.desk.test_paging import dba_policy, down, run, verbs, watch
from tests.support.world import World


@pytest.fixture
def night(at_world_time: World) -> World:
    """The databases have a policy."""
    dba_policy(at_world_time)
    return at_world_time


def card(browser: Any, person: Person, ticket: Ticket) -> str:
    """The card as the page of the ticket brings it in."""
    assert f'data-card="/tickets/{ticket.pk}/pages"' in browser(person).get(f"/tickets/{ticket.pk}").content.decode()
    return str(browser(person).get(f"/tickets/{ticket.pk}/pages", headers={"hx-request": "true"}).content.decode())


def test_the_card_says_who_has_it_and_who_is_next(night: World, browser: Any) -> None:
    ticket = down(night)
    watch(night)
    page = card(browser, night.lena, ticket)
    assert "Nobody has it yet." in page
    assert "Goes to Priya Nair" in page
    answer = browser(night.priya).post(f"/tickets/{ticket.pk}/answer-page", {"minutes": 60})
    assert answer.status_code == 303
    page = card(browser, night.lena, ticket)
    assert "Priya Nair has it since" in page
    assert "Next word by" in page
    browser(night.priya).post(f"/tickets/{ticket.pk}/promise", {"minutes": 15})
    assert verbs(ticket)[-1] == "paging.promise_renewed"
    browser(night.lena).post(f"/tickets/{ticket.pk}/stop-paging", {"reason": "It was a test."})
    assert run(ticket).end_reason == "stopped"


def test_somebody_is_called_by_hand(night: World, browser: Any) -> None:
    ticket = night.report(night.jonas)
    page = card(browser, night.jonas, ticket)
    assert "Nobody is paged for this: no policy." in page
    form = browser(night.jonas).get(f"/tickets/{ticket.pk}/page").content.decode()
    assert "Databases" in form
    for wrong in ({}, {"team": "0"}, {"person": "nobody@example.org"}, {"team": night.dba_team.pk, "person": "amir@example.org"}):
        assert browser(night.jonas).post(f"/tickets/{ticket.pk}/page", wrong).status_code == 422
    right = {"person": "amir@example.org", "reason": "Only you know it."}
    assert browser(night.jonas).post(f"/tickets/{ticket.pk}/page", right).status_code == 303
    assert watch(night) == ["Amir Haddad"]


def test_a_policy_that_does_not_start_at_this_priority_is_said(night: World, browser: Any) -> None:
    ticket = down(night, impact=3, urgency=3)
    page = card(browser, night.lena, ticket)
    assert "the policy starts at P1, P2" in page


def test_the_ledger_tells_everything(night: World, browser: Any) -> None:
    ticket = down(night)
    watch(night)
    row = Page.objects.get(person=night.amir)
    [held] = deliveries.claim(now=night.now, limit=1)
    deliveries.note_attempt(held, now=night.now, detail="=the gateway is slow", status=504, is_certain=False)
    deliveries.put_back(held, due_at=night.now, is_attempt=True, is_certain=False)
    paging.open_page(row.pk, **night.by(night.amir))
    paging.answer_page(row.pk, by="link", **night.by(night.amir))
    page = browser(night.audrey).get(f"/tickets/{ticket.pk}/pages").content.decode()
    for words in (
        "Databases",
        "Amir Haddad",
        "E-mail: planned",
        "may come twice",
        "504",
        "opened",
        "answered by its link",
        "maybe sent twice",
    ):
        assert words in page, words
    sheet = browser(night.audrey).get(f"/tickets/{ticket.pk}/pages.csv")
    lines = sheet.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("run,policy,cause,page,called")
    assert any(",'=the gateway is slow" in line for line in lines)
    assert any(f",{row.pk},Amir Haddad," in line and ",acknowledged," in line for line in lines)
    assert PageDelivery.objects.filter(page=row).count() >= 1


def test_who_does_not_see_the_ticket_sees_no_pages_of_it(night: World, browser: Any) -> None:
    ticket = down(night)
    desk.restrict(ticket.pk, **night.by(night.jonas))
    for person in (night.julia, night.maria, night.otto, night.oskar):
        for address in ("pages", "pages.csv", "answer-page"):
            assert browser(person).get(f"/tickets/{ticket.pk}/{address}").status_code in (302, 404)


def test_who_is_not_reached_is_named_on_the_card_in_the_journal_and_in_the_ledger(night: World, browser: Any) -> None:
    night.amir.addresses.all().delete()
    RoleGrant.objects.filter(person=night.priya).delete()
    ticket = down(night)
    assert watch(night) == ["Amir Haddad", "Priya Nair", "Lena Frei"]
    page = card(browser, night.lena, ticket)
    for words in ("There is no way to Amir Haddad", "Priya Nair may not see this ticket"):
        assert words in page
    story = browser(night.lena).get(f"/tickets/{ticket.pk}").content.decode()
    for words in (
        "Nobody was reached at step <b>1</b>; there is no way to <b>Amir",
        "; <b>Priya Nair</b> may not see this ticket",
    ):
        assert words in story or words.replace("<b>1</b>", "1") in story
    ledger = browser(night.lena).get(f"/tickets/{ticket.pk}/pages").content.decode()
    for words in ("nothing is sent: there is no way to them", "nothing is sent: they may not see this ticket"):
        assert words in ledger


def test_the_queue_marks_what_nobody_has_answered(night: World, browser: Any) -> None:
    ticket, other = down(night), night.report(night.jonas, team=night.dba_team.pk)
    rows = "/desk/databases"
    assert "Paged, no answer" not in browser(night.priya).get(rows).content.decode()
    watch(night)
    html = browser(night.priya).get(rows).content.decode()
    assert html.count("Paged, no answer") == 1
    assert f'id="t{other.pk}"' in html
    paging.acknowledge(ticket.pk, **night.by(night.priya))
    assert "Paged, no answer" not in browser(night.priya).get(rows).content.decode()


def test_that_nobody_of_a_team_is_paged_is_said_before_it_gets_the_ticket_and_afterwards(night: World, browser: Any) -> None:
    form = f"/tickets/{night.report(night.jonas, team=night.dba_team.pk).pk}/hand-over"
    assert "nobody is paged" not in browser(night.priya).get(form).content.decode()  # nor is anybody now
    ticket = down(night)
    form = f"/tickets/{ticket.pk}/hand-over"
    html = browser(night.priya).get(form).content.decode()
    assert "Service desk (nobody is paged: no policy)" in html
    assert "Somebody is being paged for this." in html
    browser(night.priya).post(form, {"team": night.desk_team.pk, "reason": "Theirs."})
    assert "Nobody of it is paged: no policy" in browser(night.lena).get(f"/tickets/{ticket.pk}").content.decode()
