"""What an act would leave without cover is said before it is done; said once, it is done all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import covering, policies, shifts
from allswell.kernel import clock
from allswell.notifications.models import ContactMethod
from allswell.oncall.models import EscalationPolicy, Leave, Override, PolicyUse, Rota, ShiftRequest
from allswell.people.models import Membership, Person
from tests.desk.test_paging import dba_policy, steps_of
from tests.desk.test_rotas import DAY
from tests.support.world import START, World
from tests.web.test_proof_pages import reach_by_push

Browser = Callable[..., Client]


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def covered(world: World, *steps: dict[str, Any]) -> EscalationPolicy:
    """The databases are covered: by Amir and Priya of the rota, or by these steps."""
    row = dba_policy(world, steps=steps_of(*steps)) if steps else dba_policy(world)
    reach_by_push(world, world.amir, world.priya)
    return row


def only_amir(world: World) -> EscalationPolicy:
    return covered(world, {"kind": "person", "person": world.amir.pk})


def asked_first(client: Client, path: str, sent: dict[str, Any]) -> str:
    """The page that asks; that it is done when one is sure is for the caller to see."""
    said = client.post(path, sent)
    html = said.content.decode()
    assert (said.status_code, "After this change 1 service is not covered" in html) == (200, True), html[:3000]
    assert "Ledger database" in html
    for name, text in sent.items():
        assert f'name="{name}" value="{text}"' in html
    assert f'action="{path}"' in html
    return html


def sure(client: Client, path: str, sent: dict[str, Any]) -> None:
    assert client.post(path, {**sent, "sure": "1"}).status_code in (302, 303)


def test_who_removes_their_only_second_way(world: World, browser: Browser) -> None:
    only_amir(world)
    client, contact = browser(world.amir), ContactMethod.objects.get(person=world.amir.pk)
    asked_first(client, f"/me/contacts/{contact.pk}/remove", {})
    contact.refresh_from_db()
    assert contact.removed_at is None
    sure(client, f"/me/contacts/{contact.pk}/remove", {})
    contact.refresh_from_db()
    assert contact.removed_at is not None


def test_who_has_a_third_way_is_not_asked(world: World, browser: Browser) -> None:
    only_amir(world)
    ContactMethod.objects.create(person=world.amir, kind="ntfy", address="-", created_at=world.now, verified_at=world.now)
    contact = ContactMethod.objects.get(person=world.amir.pk, kind="push")
    assert browser(world.amir).post(f"/me/contacts/{contact.pk}/remove").status_code == 303


def test_who_is_reached_by_one_way_only_from_now_on(world: World, browser: Browser) -> None:
    only_amir(world)
    contact = ContactMethod.objects.get(person=world.amir.pk)
    sent = {"urgency": "urgent", f"after-{contact.pk}": "0"}
    asked_first(browser(world.amir), "/me/contacts/rules", sent)
    sure(browser(world.amir), "/me/contacts/rules", sent)


def test_who_goes_on_leave_alone(world: World, browser: Browser) -> None:
    only_amir(world)
    sent = {"starts_at": "2026-12-20T08:00", "ends_at": "2026-12-24T08:00", "note": "Skiing"}
    html = asked_first(browser(world.amir), "/oncall/me/leave", sent)
    assert "20 Dec" in html
    assert not Leave.objects.exists()
    sure(browser(world.amir), "/oncall/me/leave", sent)
    assert Leave.objects.get().note == "Skiing"


def test_who_goes_on_leave_and_is_stood_in_for_is_not_asked(world: World, browser: Browser) -> None:
    covered(world)
    sent = {"starts_at": "2026-11-25T08:00", "ends_at": "2026-11-28T08:00", "note": ""}
    assert browser(world.amir).post("/oncall/me/leave", sent).status_code == 303


def test_who_is_out_of_office_alone(world: World, browser: Browser) -> None:
    only_amir(world)
    sent = {"away_from": "2026-11-25T08:00", "away_until": "2026-11-28T08:00"}
    asked_first(browser(world.amir), "/profile/away", sent)
    sure(browser(world.amir), "/profile/away", sent)
    assert Person.objects.get(pk=world.amir.pk).away_from is not None


def test_an_override_by_somebody_who_is_not_reached(world: World, browser: Browser) -> None:
    covered(world)
    sent = {"level": "1", "starts_at": "2026-11-26T08:00", "ends_at": "2026-11-27T08:00", "person": str(world.jonas.pk)}
    client = browser(world.lena)
    policies.change_policy(
        "databases",
        definition={"steps": steps_of({"kind": "rota", "rota": Rota.objects.get().pk, "level": 1})},
        **world.by(world.lena),
    )
    asked_first(client, "/oncall/databases/override", sent)
    assert not Override.objects.exists()
    sure(client, "/oncall/databases/override", sent)
    made = Override.objects.get()
    reach_by_push(world, world.jonas)
    Person.objects.filter(pk=world.amir.pk).update(is_active=False)
    asked_first(client, f"/oncall/databases/overrides/{made.pk}/cancel", {})
    sure(client, f"/oncall/databases/overrides/{made.pk}/cancel", {})


def test_nobody_on_purpose_is_no_gap(world: World, browser: Browser) -> None:
    covered(world)
    sent = {"level": "1", "starts_at": "2026-11-26T08:00", "ends_at": "2026-11-27T08:00", "person": "nobody"}
    assert browser(world.lena).post("/oncall/databases/override", sent).status_code == 303


def test_a_cover_by_somebody_who_is_not_reached(world: World, browser: Browser) -> None:
    covered(world)
    rota = Rota.objects.get()
    policies.change_policy(
        "databases", definition={"steps": steps_of({"kind": "rota", "rota": rota.pk, "level": 1})}, **world.by(world.lena)
    )
    Membership.objects.create(person=world.julia, team=world.dba_team, joined_at=START)
    asked = covering.ask_cover(
        rota.pk, level=1, starts_at=START + DAY, ends_at=START + 2 * DAY, offered_to=world.julia.pk, **world.by(world.amir)
    )
    path = f"/oncall/requests/{asked.pk}/accept"
    asked_first(browser(world.julia), path, {})
    assert ShiftRequest.objects.get().state == "open"
    sure(browser(world.julia), path, {})
    assert ShiftRequest.objects.get().state == "accepted"


def test_a_policy_out_of_use_and_another_for_the_team_or_the_service(world: World, browser: Browser) -> None:
    row = covered(world)
    client = browser(world.lena)
    steps = steps_of({"kind": "lead", "team": world.dba_team.pk})
    other = policies.create_policy(name="Lead only", team="databases", definition={"steps": steps}, **world.by(world.lena))
    asked_first(client, "/teams/databases/policy", {"policy": other.slug})
    asked_first(client, "/teams/databases/policy", {"policy": ""})
    asked_first(client, "/services/ledger-database/policy", {"policy": other.slug})
    assert PolicyUse.objects.get().policy_id == row.pk
    sure(client, "/services/ledger-database/policy", {"policy": other.slug})
    assert client.post("/services/ledger-database/policy", {"policy": ""}).status_code == 303
    asked_first(client, "/oncall/policies/databases/deactivate", {})
    row.refresh_from_db()
    assert row.is_active
    sure(client, "/oncall/policies/databases/deactivate", {})


def test_a_rota_out_of_use(world: World, browser: Browser) -> None:
    covered(world)
    asked_first(browser(world.lena), "/oncall/databases/deactivate", {})
    assert Rota.objects.get().is_active


def test_who_leaves_the_team_or_the_house(world: World, browser: Browser) -> None:
    covered(world, {"kind": "team", "team": world.dba_team.pk})
    world.priya.is_active = False
    world.priya.save()
    client = browser(world.ada)
    asked_first(client, f"/setup/people/{world.amir.pk}/leave", {"team": str(world.dba_team.pk)})
    asked_first(client, "/setup/teams/databases/leave", {"person": str(world.amir.pk)})
    asked_first(client, f"/setup/people/{world.amir.pk}/deactivate", {})
    assert Membership.objects.filter(person=world.amir.pk).exists()
    assert Person.objects.get(pk=world.amir.pk).is_active
    sure(client, f"/setup/people/{world.amir.pk}/deactivate", {})
    assert not Person.objects.get(pk=world.amir.pk).is_active


def test_who_may_not_know_the_service_is_not_told_of_it(world: World, browser: Browser) -> None:
    only_amir(world)
    Person.objects.filter(pk=world.amir.pk).update(organization=world.other.pk)
    client = browser(world.oskar)
    said = client.post("/oncall/databases/take", {"level": "1"})
    assert said.status_code in (302, 303, 403, 404)
    assert b"Ledger database" not in said.content


def test_it_asks_the_database_as_often_however_many_services_there_are(world: World, browser: Browser) -> None:
    covered(world)
    client, sent = browser(world.lena), {"policy": ""}

    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            asked_first(client, "/oncall/databases/deactivate", {})
        return len(caught)

    assert sent
    first = asked()
    for number in range(6):
        world._service(f"Store {number}", team=world.printing.team)
        service = world._service(f"Cache {number}", team=world.desk_team)
        steps = steps_of({"kind": "person", "person": world.amir.pk}, {"kind": "person", "person": world.priya.pk})
        policy = policies.create_policy(name=f"P{number}", team="databases", definition={"steps": steps}, **world.by(world.lena))
        policies.use_for_service(service.pk, policy=policy.pk, **world.by(world.lena))
    assert asked() <= first + 2


def test_what_was_made_by_mistake_is_undone_without_a_question(world: World, browser: Browser) -> None:
    covered(world)
    made = shifts.add_override(
        Rota.objects.get().pk,
        level=1,
        starts_at=START + DAY,
        ends_at=START + DAY + timedelta(hours=8),
        person=world.priya.pk,
        **world.by(world.lena),
    )
    Person.objects.filter(pk=world.amir.pk).update(is_active=False)
    assert browser(world.lena).post(f"/oncall/databases/overrides/{made.pk}/cancel?sure=1").status_code == 303
