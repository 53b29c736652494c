"""The pages of the dry run and of the proof of coverage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import policies, rotas
from allswell.notifications.models import ContactMethod
from allswell.oncall.rules import Definition
from allswell.people.models import Person
from tests.desk.test_paging import dba_policy, steps_of
from tests.desk.test_rotas import week
from tests.support.world import World
from tests.web.test_oncall_pages import ROTA
from tests.web.test_oncall_pages import seen as seen_number
from tests.web.test_policy_pages import form as policy_form
from tests.web.test_policy_pages import step as policy_step

Browser = Callable[..., Client]


def shown(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def reach_by_push(world: World, *people: Person) -> None:
    for person in people:
        ContactMethod.objects.create(person=person, kind="push", address="-", created_at=world.now, verified_at=world.now)


def test_what_would_happen_is_told_step_by_step(world: World, browser: Browser) -> None:
    dba_policy(world)
    world.amir.time_zone = "Asia/Kathmandu"
    world.amir.save()
    client = browser(world.jonas)
    assert "Nothing was written" not in shown(client, "/oncall/simulate")
    seen = shown(client, f"/oncall/simulate?about=service:{world.ledger.slug}&at=2026-11-24T02:30&priority=1")
    assert [name for name in ("Amir Haddad", "Priya Nair", "Lena Frei") if name not in seen] == []
    assert "in Asia/Kathmandu" in seen
    assert "+0:05:00" in seen
    assert "Nobody has answered." in seen
    seen = shown(client, "/oncall/simulate?about=policy:databases&at=2026-11-24T02:30&answered=1&after=3&kept=0")
    assert "and no word comes" in seen
    assert "no policy is in force" in shown(client, f"/oncall/simulate?about=service:{world.printing.slug}")


def test_the_hour_that_comes_twice_and_the_one_that_never_does(world: World, browser: Browser) -> None:
    dba_policy(world)
    world.jonas.time_zone = "Europe/Zurich"
    world.jonas.save()
    client = browser(world.jonas)
    night = "/oncall/simulate?about=policy:databases&at=2026-10-25T02:30"
    assert "This is the first: Sun 25 October 2026, 02:30 CEST." in shown(client, night)
    assert "This is the second: Sun 25 October 2026, 02:30 CET." in shown(client, f"{night}&second=1")
    assert "The clocks skip this time" in shown(client, "/oncall/simulate?about=policy:databases&at=2027-03-28T02:30")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ("about=moon:1", 422),
        ("about=policy:databases&at=soon", 422),
        ("about=policy:databases&at=2199-01-01T00:00", 422),
        ("about=policy:databases&priority=9", 422),
        ("about=policy:databases&answered=99", 422),
        ("about=policy:databases&answered=1&after=999999", 422),
        ("about=policy:nothing", 404),
    ],
)
def test_wrong_questions_are_refused(world: World, browser: Browser, wrong: str, status: int) -> None:
    dba_policy(world)
    shown(browser(world.jonas), f"/oncall/simulate?{wrong}", status)


def test_what_is_lacking_comes_first_and_says_what_to_do(world: World, browser: Browser) -> None:
    rota = rotas.create_rota(
        name="Databases",
        team="databases",
        definition=Definition("UTC", (week(world.amir, week=(((540, 1020),),) * 7),)),
        **world.by(world.lena),
    )
    steps = steps_of({"kind": "rota", "rota": rota.pk, "level": 1})
    row = policies.create_policy(name="Databases", team="databases", definition={"steps": steps}, **world.by(world.lena))
    policies.use_for_team("databases", policy=row.pk, **world.by(world.lena))
    seen = shown(browser(world.lena), "/oncall/coverage?weeks=1")
    assert "Only Amir Haddad, and by one way only" in seen
    assert "2 services without a policy" in seen
    reach_by_push(world, world.amir)
    seen = shown(browser(world.lena), "/oncall/coverage?weeks=1")
    assert "one way only" not in seen
    assert "step 1: a gap in the rota" in seen
    assert "/oncall/databases/override?level=1" in seen
    assert "/oncall/databases/override" not in shown(browser(world.jonas), "/oncall/coverage?weeks=1")


def test_all_is_covered(world: World, browser: Browser) -> None:
    dba_policy(world)
    policies.use_for_team("service-desk", policy="databases", **world.by(world.lena))
    reach_by_push(world, world.amir, world.priya)
    assert "All 3 services are covered at every minute" in shown(browser(world.lena), "/oncall/coverage")


def test_however_many_services_the_pages_ask_little(world: World, browser: Browser) -> None:
    dba_policy(world)
    for number in range(8):
        policy = policies.create_policy(
            name=f"P{number}",
            team="databases",
            definition={
                "steps": steps_of({"kind": "team", "team": world.dba_team.pk}, {"kind": "lead", "team": world.desk_team.pk})
            },
            **world.by(world.lena),
        )
        service = world._service(f"Service {number}", team=world.dba_team)
        policies.use_for_service(service.pk, policy=policy.pk, **world.by(world.lena))
    client = browser(world.lena)
    for path in ("/oncall/coverage", f"/oncall/simulate?about=service:{world.ledger.slug}&at=2026-11-24T02:30"):
        client.get(path)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(path).status_code == 200
        assert len(caught) <= 15, [query["sql"][:90] for query in caught]


def test_what_an_edit_of_a_rota_would_leave_without_cover_stands_in_its_preview(world: World, browser: Browser) -> None:
    dba_policy(world)
    reach_by_push(world, world.amir, world.priya)
    client = browser(world.lena)
    html = shown(client, "/oncall/databases/edit")
    typed = {**ROTA, "zone": "UTC", "l0_key": "1", "seen": seen_number(html), "l0_people": "Jonas Berg", "do": "preview"}
    seen = client.post("/oncall/databases/edit", typed).content.decode()
    assert "After this change 1 service is not covered" in seen
    assert "Ledger database" in seen


def test_a_policy_that_leaves_a_service_without_cover_is_saved_when_that_was_said(world: World, browser: Browser) -> None:
    row = dba_policy(world)
    reach_by_push(world, world.amir, world.priya)
    client = browser(world.lena)
    alone = policy_form(policy_step(0, f"lead-{world.dba_team.pk}"), seen="1")
    said = client.post("/oncall/policies/databases/edit", alone)
    assert said.status_code == 200
    html = said.content.decode()
    assert "After this change 1 service is not covered" in html
    row.refresh_from_db()
    assert row.number == 1
    sure = html.partition('name="sure" value="')[2].partition('"')[0]
    assert client.post("/oncall/policies/databases/edit", {**alone, "sure": sure}).status_code == 303
    row.refresh_from_db()
    assert row.number == 2
