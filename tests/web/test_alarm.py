"""What calls somebody shows and rings on their open pages of the desk, until it is answered anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allswell.desk import paging
from allswell.oncall.models import Page, PageEvent
from allswell.oncall.queries import escalations
from tests.desk.test_handovers import CHANGE, at, drafted
from tests.desk.test_paging import dba_policy, down, run, watch
from tests.support.world import World


@pytest.fixture
def night(at_world_time: World) -> World:
    """The databases have a policy."""
    dba_policy(at_world_time)
    return at_world_time


def rings(world: World) -> list[bool]:
    return [is_loud for _, is_loud in escalations.alarms([world.amir.pk, world.priya.pk]).get(world.amir.pk, ())]


def test_it_rings_until_it_is_answered_anywhere(night: World, browser: Any) -> None:
    ticket = down(night)
    assert rings(night) == []
    watch(night)
    assert rings(night) == [True]
    banner = browser(night.amir).get("/pages", headers={"hx-request": "true"}).content.decode()
    assert "Databases are down" in banner
    assert "I have it" in banner
    page = Page.objects.get(person=night.amir)
    browser(night.amir).post(f"/pages/{page.pk}", {"do": "hush"})
    browser(night.amir).post(f"/pages/{page.pk}", {"do": "hush"})
    assert rings(night) == [False]
    assert PageEvent.objects.filter(page=page, kind="hushed").count() == 1
    paging.acknowledge(ticket.pk, **night.by(night.priya))
    assert rings(night) == []
    assert "Nothing calls you now." in browser(night.amir).get("/pages").content.decode()


def test_it_is_answered_and_passed_on_from_the_banner(night: World, browser: Any) -> None:
    ticket = down(night)
    watch(night)
    page = Page.objects.get(person=night.amir)
    browser(night.amir).post(f"/pages/{page.pk}", {"do": "pass"})
    assert rings(night) == []
    assert watch(night) == ["Priya Nair"]
    hers = Page.objects.get(person=night.priya)
    answer = browser(night.priya).post(f"/pages/{hers.pk}", {"do": "have"})
    assert answer.headers["Location"] == f"/tickets/{ticket.pk}"
    assert run(ticket).acknowledged_by == night.priya
    assert PageEvent.objects.get(page=hers, kind="acknowledged").detail == "desk"


def test_nobody_elses_page_is_touched(night: World, browser: Any) -> None:
    ticket = down(night)
    watch(night)
    page = Page.objects.get(person=night.amir)
    for person in (night.priya, night.lena, night.oskar, night.maria):
        for what in ("have", "pass", "hush"):
            assert browser(person).post(f"/pages/{page.pk}", {"do": what}).status_code in (302, 404)
    assert browser(night.amir).post(f"/pages/{page.pk}", {"do": "x"}).status_code == 404
    assert browser(night.amir).get(f"/pages/{page.pk}").status_code == 404
    assert rings(night) == [True]
    assert run(ticket).state == "running"


def test_what_is_not_urgent_shows_and_is_silent(night: World, browser: Any) -> None:
    down(night)
    watch(night)
    Page.objects.update(urgency="normal")
    assert rings(night) == [False]


def test_a_shift_nobody_has_taken_rings_too_and_its_page_says_who_was_called(at_world_time: World, browser: Any) -> None:
    world = at_world_time
    row = drafted(world)
    at(world, CHANGE + timedelta(minutes=30))
    (page,) = Page.objects.filter(person=world.priya)
    assert escalations.alarms([world.priya.pk]) == {world.priya.pk: ((page.pk, True),)}
    client = browser(world.priya)
    banner = client.get("/pages", headers={"hx-request": "true"}).content.decode()
    assert "Take the shift: Databases" in banner
    assert f'href="/oncall/handovers/{row.pk}"' in banner
    html = client.get(f"/oncall/handovers/{row.pk}").content.decode()
    for words in ("Who was paged to take it", "no answer yet", "Their lead and whoever goes are paged at"):
        assert words in html
    client.post(f"/pages/{page.pk}", {"do": "hush"})
    assert escalations.alarms([world.priya.pk]) == {world.priya.pk: ((page.pk, False),)}
    client.post(f"/oncall/handovers/{row.pk}/accept")
    assert escalations.alarms([world.priya.pk]) == {}
    assert "Take the shift: Databases" not in client.get("/pages").content.decode()
