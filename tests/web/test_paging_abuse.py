"""What is refused of paging, and what simply calls the next: the same on pages and over the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.desk import page_links, paging, policies
from allswell.oncall.models import Escalation, EscalationPolicy, Page, PageDelivery
from allswell.people.models import EmailAddress
from tests.desk.test_paging import dba_policy, down, run, verbs, watch
from tests.desk.test_rotas import dbas, week
from tests.support.program import Program
from tests.support.world import World

Browser = Callable[..., Client]


@pytest.fixture(autouse=True)
def night(at_world_time: World) -> World:
    return at_world_time


def called(world: World) -> tuple[Any, Page]:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    return ticket, Page.objects.get(ticket=ticket, person=world.amir)


def test_nobody_answers_what_called_somebody_else(world: World, browser: Browser) -> None:
    ticket, page = called(world)
    for other in (world.priya, world.oskar, world.ada):  # a colleague, another organization, who may do anything else
        client, program = browser(other), Program(world, other)
        for what in ("have", "pass", "hush"):
            assert client.post(f"/pages/{page.pk}", {"do": what}).status_code == 404
        assert program.post(f"/pages/{page.pk}/answer").status_code == 404
        assert program.post(f"/pages/{page.pk}/pass_on").status_code == 404
        assert program.get("/me/pages").json() == []
    assert browser(world.maria).post(f"/pages/{page.pk}", {"do": "have"}).status_code in (302, 403, 404)
    assert Program(world, world.maria).post(f"/pages/{page.pk}/answer").status_code in (403, 404)
    assert run(ticket).acknowledged_by is None
    page.refresh_from_db()
    assert (page.acknowledged_at, page.closed_at) == (None, None)


def test_a_page_that_is_not_there_or_no_act_at_all(world: World, browser: Browser) -> None:
    _ticket, page = called(world)
    amir, program = browser(world.amir), Program(world, world.amir)
    for number in (page.pk + 10_000, 10**15):
        assert amir.post(f"/pages/{number}", {"do": "have"}).status_code == 404
        assert program.post(f"/pages/{number}/answer").status_code == 404
    assert amir.get(f"/pages/{page.pk}").status_code == 404
    assert amir.post(f"/pages/{page.pk}", {"do": "explode"}).status_code == 404
    assert program.post("/pages/x/answer").status_code in (404, 422)
    for minutes in (4, 1441, -5, "soon"):
        assert program.post(f"/pages/{page.pk}/answer", minutes=minutes).status_code == 422


def test_an_address_used_again_does_nothing_again(world: World) -> None:
    ticket, page = called(world)
    path = page_links.link(page.pk, now=world.now).partition("/p/")[2]
    phone = Client()
    for _ in range(3):
        assert phone.post(f"/p/{path}", {"do": "have"}).status_code == 200
    assert verbs(ticket).count("paging.acknowledged") == 1
    paging.stop(ticket.pk, reason="It was a drill.", **world.by(world.amir))
    assert phone.post(f"/p/{path}", {"do": "have"}).status_code == 200  # theirs it was; nothing begins anew
    assert run(ticket).state == "ended"
    world.forward(hours=49)
    assert phone.post(f"/p/{path}", {"do": "have"}).status_code == 410
    assert phone.post(f"/p/{path[:-1]}", {"do": "have"}).status_code == 404


def test_a_rota_with_nobody_waits_for_nobody(world: World, browser: Browser) -> None:
    empty = dbas(world, week(world.amir, begins_at=world.now + timedelta(days=300)))
    steps = [
        {"targets": [{"kind": "rota", "rota": empty.pk, "level": 1}], "wait": 3600},
        {"targets": [{"kind": "lead", "team": world.dba_team.pk}], "wait": 300},
    ]
    row = policies.create_policy(name="Data", team="databases", definition={"steps": steps}, **world.by(world.lena))
    policies.use_for_team("databases", policy=row.pk, **world.by(world.lena))
    ticket = down(world)
    assert watch(world) == ["Lena Frei"]
    (told,) = Program(world, world.lena).get(f"/tickets/{ticket.pk}/escalations").json()
    assert [page["person"]["name"] for page in told["pages"]] == ["Lena Frei"]
    assert "Lena Frei" in browser(world.lena).get(f"/tickets/{ticket.pk}").content.decode()


@pytest.mark.parametrize(
    "definition",
    [
        {"repeat": 10},
        {"repeat": -1},
        {"steps": [{"targets": [{"kind": "lead", "team": 1}], "wait": 0}]},
        {"steps": [{"targets": [{"kind": "policy", "policy": "loop"}], "wait": 300}]},
    ],
)
def test_no_policy_goes_round_for_ever(world: World, definition: dict[str, Any]) -> None:
    usual = {"steps": [{"targets": [{"kind": "lead", "team": world.dba_team.pk}], "wait": 300}]}
    refused = Program(world, world.lena).post("/policies", name="Loop", team="databases", definition={**usual, **definition})
    assert refused.status_code == 422
    assert not EscalationPolicy.objects.exists()


def test_the_longest_policy_ends_and_says_that_nobody_answered(world: World, browser: Browser) -> None:
    lead = {"targets": [{"kind": "lead", "team": world.dba_team.pk}], "wait": 30}
    definition = {"steps": [lead], "repeat": 9, "starts": [1]}
    row = policies.create_policy(name="Long", team="databases", definition=definition, **world.by(world.lena))
    policies.use_for_team("databases", policy=row.pk, **world.by(world.lena))
    ticket = down(world)
    for _ in range(12):
        watch(world)
        world.forward(seconds=30)
    assert run(ticket).state == "exhausted"
    assert Page.objects.filter(ticket=ticket).count() == 10
    assert Program(world, world.lena).get(f"/tickets/{ticket.pk}/escalations").json()[0]["state"] == "exhausted"
    assert "nobody answered" in browser(world.lena).get(f"/tickets/{ticket.pk}").content.decode()


def test_who_has_no_way_that_works_is_passed_over_and_seen(world: World, browser: Browser) -> None:
    EmailAddress.objects.filter(person=world.amir).delete()
    ticket, page = called(world)
    assert not PageDelivery.objects.filter(page=page).exists()
    assert Page.objects.filter(ticket=ticket, person=world.priya).exists()  # at once: nobody waits for who has no way
    reach = Program(world, world.lena).get("/teams/databases/reach").json()
    assert {one["person"]["name"]: one["is_reachable"] for one in reach}["Amir Haddad"] is False
    assert "Not reached by any way" in browser(world.lena).get("/teams/databases/rooms").content.decode()
    assert Escalation.objects.get(ticket=ticket).state == "running"


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", "http://127.0.0.1:8000/x"),
        ("webhook", "http://[::1]/x"),
        ("webhook", "http://169.254.169.254/latest/meta-data"),
        ("webhook", "https://user:word@example.org/x"),
        ("webhook", "file:///etc/passwd"),
        ("ntfy", "http://192.168.1.1/topic"),
    ],
)
def test_no_page_goes_into_a_private_network(world: World, browser: Browser, settings: Any, kind: str, address: str) -> None:
    settings.OUTGOING_ALLOW = []
    program = Program(world, world.amir).post("/contacts", kind=kind, address=address)
    assert (program.status_code, program.json()["errors"][0]["field"]) == (422, "address")
    page = browser(world.amir).post("/me/contacts", {"kind": kind, "address": address})
    assert page.status_code == 422
    assert not world.amir.contacts.exists()
