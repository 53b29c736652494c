"""The address of a page at three in the morning: what it shows to whom, what answers it, and what never does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.desk import page_links, paging
from allswell.desk import tickets as desk
from allswell.oncall.models import Page, PageEvent
from allswell.people.models import Person
from allswell.tickets.models import Ticket
from allswell.web import page_links as page_view
from tests.desk.test_handovers import CHANGE, HOLDING, at, drafted
from tests.desk.test_paging import dba_policy, down, run, verbs, watch
from tests.support.world import World

HTML = {"accept": "text/html"}


@pytest.fixture
def night(at_world_time: World) -> World:
    """The databases have a policy."""
    dba_policy(at_world_time)
    return at_world_time


def address(page: Page, world: World) -> str:
    return "/p/" + page_links.link(page.pk, now=world.now).rpartition("/p/")[2]


def called(world: World, person: Person) -> Page:
    return Page.objects.filter(person=person).latest("pk")


def look(world: World, page: Page, **headers: str) -> str:
    answer = Client().get(address(page, world), headers=headers)
    assert answer.status_code == 200, answer.content.decode()
    return str(answer.content.decode())


def send(world: World, page: Page, **form: Any) -> Any:
    return Client(enforce_csrf_checks=True).post(address(page, world), form, headers=HTML)


def test_who_is_called_sees_what_it_is_and_has_it_with_one_tap(night: World) -> None:
    ticket = down(night, service=night.ledger.slug)
    watch(night)
    page = called(night, night.amir)
    night.forward(seconds=22)
    shown = look(night, page)
    for words in ("Databases are down", "Ledger database", "Nobody has it yet", "Goes to Priya Nair", "You are first on call"):
        assert words in shown
    assert f'data-until="{int(run(ticket).next_step_at.timestamp())}"' in shown  # type: ignore[union-attr]
    answer = send(night, page, do="have")
    assert (answer.status_code, answer.headers["Location"]) == (303, address(page, night))
    shown = look(night, page)
    assert "You have it." in shown
    assert "Next word by" in shown
    assert run(ticket).acknowledged_by == night.amir
    send(night, page, do="have")
    assert verbs(ticket).count("paging.acknowledged") == 1
    send(night, page, do="word", minutes=120)
    assert run(ticket).next_step_at == night.now + timedelta(hours=2)
    assert PageEvent.objects.filter(page=page, kind="acknowledged").get().detail == "link"


def test_looking_answers_nothing_and_leaves_nothing_in_the_browser(night: World) -> None:
    ticket = down(night)
    watch(night)
    page = called(night, night.amir)
    client = Client()
    for method in ("head", "get", "get"):
        answer = getattr(client, method)(address(page, night), headers={"user-agent": "Slackbot-LinkExpanding 1.0"})
        assert answer.status_code == 200
        assert not answer.cookies
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert client.options(address(page, night)).status_code == 405
    assert client.put(address(page, night)).status_code == 405
    assert run(ticket).state == "running"
    page.refresh_from_db()
    assert page.acknowledged_at is None
    assert [event.kind for event in PageEvent.objects.filter(page=page)].count("opened") == 1


def test_a_look_ahead_of_the_browser_is_no_look(night: World) -> None:
    down(night)
    watch(night)
    page = called(night, night.amir)
    Client().head(address(page, night))
    look(night, page, sec_purpose="prefetch;prerender")
    page.refresh_from_db()
    assert page.opened_at is None


def test_the_button_of_a_notification_answers_with_a_bare_post(night: World) -> None:
    ticket = down(night)
    watch(night)
    answer = Client(enforce_csrf_checks=True).post(address(called(night, night.amir), night))
    assert (answer.status_code, answer.content) == (200, b"You have it.\n")
    assert run(ticket).state == "acknowledged"


def test_passing_on_calls_the_next_at_once(night: World) -> None:
    ticket = down(night)
    watch(night)
    page = called(night, night.amir)
    send(night, page, do="pass")
    send(night, page, do="pass")
    assert watch(night) == ["Priya Nair"]
    assert verbs(ticket).count("paging.passed_on") == 1
    assert "You can still take it" in look(night, page)
    send(night, page, do="have")
    assert run(ticket).acknowledged_by == night.amir
    late = send(night, called(night, night.priya), do="pass")
    assert late.status_code == 409
    assert "Amir Haddad has it since" in late.content.decode()


def test_one_alone_is_not_told_to_pass_it_to_themselves(night: World) -> None:
    ticket = night.report(night.jonas, title="The standby is behind")
    paging.page(ticket.pk, person=night.amir.pk, **night.by(night.jonas))
    watch(night)
    html = look(night, called(night, night.amir))
    assert "Nobody else is called: it calls you again at" in html
    assert "I cannot" in html
    assert "Pass to" not in html


def test_one_of_a_team_passes_on_and_the_others_keep_their_time(night: World) -> None:
    ticket = down(night, impact=3, urgency=3)
    paging.page(ticket.pk, team=night.desk_team.pk, **night.by(night.lena))
    assert sorted(watch(night)) == ["Jonas Berg", "Julia Roth"]
    due = run(ticket).next_step_at
    send(night, called(night, night.jonas), do="pass")
    assert run(ticket).next_step_at == due
    send(night, called(night, night.julia), do="pass")
    assert run(ticket).next_step_at == night.now


def test_several_pages_are_answered_together(night: World) -> None:
    tickets = [
        night.report(night.jonas, title=f"Database {name} is down", team=night.dba_team.pk, impact=1, urgency=1)
        for name in ("north", "south", "west")
    ]
    watch(night)
    page = Page.objects.get(ticket=tickets[0].pk)
    shown = look(night, page)
    assert "2 more pages wait for you" in shown
    assert "Database west is down" in shown
    assert "I have them all" in shown
    send(night, page, do="all")
    assert {run(ticket).state for ticket in tickets} == {"acknowledged"}
    assert "more pages" not in look(night, page)


def test_a_promise_that_is_over_can_be_given_again(night: World) -> None:
    ticket = down(night)
    watch(night)
    page = called(night, night.amir)
    send(night, page, do="have")
    night.forward(minutes=31)
    assert watch(night) == ["Amir Haddad"]
    assert "Nobody has it yet" in look(night, page)
    send(night, page, do="have")
    assert run(ticket).state == "acknowledged"


def test_what_is_over_says_so(night: World) -> None:
    ticket = down(night)
    watch(night)
    page = called(night, night.amir)
    desk.take(ticket.pk, **night.by(night.priya))
    assert "Priya Nair has it since" in look(night, page)
    desk.restore(ticket.pk, **night.by(night.priya))
    assert "The service works again." in look(night, page)
    assert send(night, page, do="have").status_code == 409


def test_a_ticket_out_of_sight_is_a_number_that_can_only_be_passed_on(night: World) -> None:
    ticket = down(night)
    watch(night)
    page = called(night, night.amir)
    Ticket.objects.filter(pk=ticket.pk).update(is_restricted=True, team=night.desk_team, requester=night.maria)
    shown = look(night, page)
    assert "Databases are down" not in shown
    assert f"INC-{ticket.pk}" in shown
    assert "I have it" not in shown
    assert send(night, page, do="have").status_code == 409
    assert run(ticket).state == "running"
    assert send(night, page, do="pass").status_code == 303


def test_a_drill(night: World) -> None:
    page = Page.objects.create(person=night.amir, urgency="urgent", created_at=night.now)
    assert "This is a drill" in look(night, page)
    send(night, page, do="have")
    assert "It worked" in look(night, page)


def test_it_speaks_the_language_and_the_time_of_who_is_called(night: World) -> None:
    Person.objects.filter(pk=night.amir.pk).update(locale="de", time_zone="Asia/Tokyo")
    down(night)
    watch(night)
    shown = look(night, called(night, night.amir))
    assert 'lang="de"' in shown
    assert "Noch hat es niemand" in shown
    assert ">18:00</time>" in shown


def test_what_helped_before(night: World) -> None:
    before = down(night, service=night.ledger.slug, impact=4, urgency=4)
    desk.resolve(before.pk, code="fixed", resolution="Freed the disk of the standby.", **night.by(night.amir))
    down(night, service=night.ledger.slug)
    watch(night)
    shown = look(night, called(night, night.amir))
    assert "Freed the disk of the standby." in shown
    assert f"Seen before: INC-{before.pk}" in shown


def test_who_is_no_longer_here_is_answered_as_nothing(night: World) -> None:
    ticket = down(night)
    watch(night)
    page = called(night, night.amir)
    Person.objects.filter(pk=night.amir.pk).update(is_active=False)
    assert Client().get(address(page, night)).status_code == 404
    assert Client().post(address(page, night)).status_code == 404
    assert run(ticket).state == "running"


def test_forged_and_expired_addresses(night: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(page_view, "wrong", page_view.Rate())
    ticket = down(night)
    watch(night)
    page = called(night, night.amir)
    real = address(page, night)
    for forged in ("/p/x", real[:-1], real + "0", real.swapcase(), "/p/" + "9" * 29, "/p/%00", "/p/..%2f"):
        for method in ("get", "post", "head"):
            answer = getattr(Client(), method)(forged)
            assert answer.status_code == 404, forged
            assert not answer.cookies
    night.forward(hours=49)
    for method in ("get", "post"):
        answer = getattr(Client(), method)(real)
        assert answer.status_code == 410
        assert b"This address is over" in answer.content
    assert run(ticket).acknowledged_by is None
    assert real[3:] not in caplog.text


def test_guessing_is_slowed_and_never_stops_who_was_called(night: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_view, "wrong", page_view.Rate())
    down(night)
    watch(night)
    answers = [Client().get(f"/p/{number}").status_code for number in range(page_view.WRONG_PER_MINUTE + 2)]
    assert answers[0] == 404
    assert answers[-1] == 429
    look(night, called(night, night.amir))


def test_a_huge_body_is_not_read(night: World) -> None:
    ticket = down(night)
    watch(night)
    answer = send(night, called(night, night.amir), do="have", more="x" * 20_000)
    assert answer.status_code == 413
    assert run(ticket).state == "running"


@pytest.mark.parametrize("form", [{"do": "word"}, {"do": "word", "minutes": "1"}, {"do": "word", "minutes": "9999"}])
def test_a_word_out_of_reach_is_refused_or_no_word(night: World, form: dict[str, str]) -> None:
    ticket = down(night)
    watch(night)
    page = called(night, night.amir)
    send(night, page, do="have")
    until = run(ticket).next_step_at
    assert send(night, page, **form).status_code in (303, 422)
    assert run(ticket).next_step_at == until


def test_nobody_answers_for_another_organization(night: World) -> None:
    other = night.report(night.oskar, title="Elsewhere", team=night.other_team.pk, impact=1, urgency=1)
    paging.page(other.pk, person=night.oskar.pk, **night.by(night.oskar))
    down(night)
    watch(night)
    shown = look(night, called(night, night.amir))
    assert "Elsewhere" not in shown
    send(night, called(night, night.amir), do="all")
    assert run(other).state == "running"
    assert send(night, called(night, night.oskar), do="have").status_code == 303
    assert run(other).acknowledged_by == night.oskar


def test_a_shift_nobody_has_taken_is_taken_with_one_tap_or_seen_to(at_world_time: World) -> None:
    world = at_world_time
    row = drafted(world, HOLDING)
    at(world, CHANGE + timedelta(minutes=30))
    page = called(world, world.priya)
    shown = look(world, page)
    for words in ("Handover: Databases", "Your shift after Amir Haddad began at", "Amir Haddad stays on call", "Take the shift"):
        assert words in shown
    assert "I see to it" not in shown
    assert send(world, page, do="have").status_code == 409  # a tap of theirs is the shift, or nothing
    at(world, CHANGE + timedelta(minutes=60))
    lead = called(world, world.lena)
    shown = look(world, lead)
    for words in (
        "Nobody has taken the shift: Databases",
        "Priya Nair should have taken the shift",
        "I see to it",
        "Read the handover",
    ):
        assert words in shown
    assert send(world, lead, do="have").status_code == 303
    assert "You see to it" in look(world, lead)
    assert send(world, page, do="take").status_code == 303
    row.refresh_from_db()
    assert row.accepted_by == world.priya
    assert "The shift is yours." in look(world, page)
    assert "Priya Nair has taken it" in look(world, lead)
    assert send(world, lead, do="take").status_code == 409
