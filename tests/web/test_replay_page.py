"""A night again under another policy: beside what happened stands what would have."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import paging, policies
from allswell.kernel import clock
from allswell.oncall.models import EscalationPolicy
from allswell.tickets.models import Ticket
from tests.desk.test_paging import dba_policy, down, steps_of, watch
from tests.support.world import World
from tests.web.test_policy_pages import form as policy_form
from tests.web.test_policy_pages import step as policy_step
from tests.web.test_proof_pages import shown

Browser = Callable[..., Client]


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def a_night(world: World) -> Ticket:
    """At 23:00 the databases go down, Priya answers at 23:07, it is seven in the morning; and a policy that calls the lead first."""
    dba_policy(world)
    world.forward(hours=14)
    ticket = down(world)
    watch(world)
    world.forward(minutes=5)
    watch(world)
    world.forward(minutes=2)
    paging.acknowledge(ticket.pk, **world.by(world.priya))
    steps = steps_of({"kind": "lead", "team": world.dba_team.pk})
    policies.create_policy(name="Lead first", team="databases", definition={"steps": steps, "repeat": 3}, **world.by(world.lena))
    world.forward(hours=8)
    return ticket


def test_last_night_beside_what_would_have_been(world: World, browser: Browser) -> None:
    ticket = a_night(world)
    client = browser(world.lena)
    assert "Choose a policy" in shown(client, "/oncall/replay")
    assert "/oncall/replay?policy=lead-first" in shown(client, "/oncall/policies/lead-first/")
    seen = shown(client, "/oncall/replay?policy=lead-first")
    was, _, would = seen.partition("Under the policy</h3>")
    was = was.rpartition("As it was</h3>")[2]
    assert ("Amir Haddad" in was, "Priya Nair" in was, "Lena Frei" in was) == (True, True, False)
    assert "Lena Frei" in would
    assert "Priya Nair answered after +0:07:00" in seen
    assert "Priya Nair would not have been called by then" in seen
    assert f"/tickets/{ticket.pk}" in seen
    assert "<b>2</b> calls as it was, <b>2</b> under the other policy" in seen
    for about, count in (("team:databases", True), ("team:service-desk", False), (f"service:{world.ledger.slug}", False)):
        said = shown(client, f"/oncall/replay?policy=lead-first&about={about}")
        assert ("Nobody was paged in this time" in said) is not count


def test_an_older_version_and_other_days(world: World, browser: Browser) -> None:
    a_night(world)
    only_first = {"steps": steps_of({"kind": "person", "person": world.jonas.pk})}
    policies.change_policy("lead-first", definition=only_first, **world.by(world.lena))
    client = browser(world.lena)
    assert "Jonas Berg</span>" in shown(client, "/oncall/replay?policy=lead-first")
    assert "Jonas Berg</span>" not in shown(client, "/oncall/replay?policy=lead-first&version=1")
    shown(client, "/oncall/replay?policy=lead-first&version=9", 404)
    past = "from=2026-11-20T22:00&until=2026-11-21T06:00"
    assert "Nobody was paged in this time" in shown(client, f"/oncall/replay?policy=lead-first&{past}")
    for wrong in ("from=2026-01-01T00:00", "about=moon:1", "about=team", "until=2026-11-01T00:00"):
        shown(client, f"/oncall/replay?policy=lead-first&{wrong}", 422)


def test_a_draft_is_played_again_from_its_form_and_nothing_is_saved(world: World, browser: Browser) -> None:
    a_night(world)
    client = browser(world.lena)
    before = EscalationPolicy.objects.get(slug="databases").number
    draft = {**policy_form(policy_step(0, f"lead-{world.dba_team.pk}"), seen="1"), "do": "replay", "replay_days": ""}
    seen = client.post("/oncall/policies/databases/edit", draft).content.decode()
    assert "Played again under this draft" in seen
    assert "Lena Frei" in seen.partition("Under the draft</h3>")[2]
    assert EscalationPolicy.objects.get(slug="databases").number == before
    seen = client.post("/oncall/policies/new", {**draft, "replay_days": "7"}).content.decode()
    assert "Under the draft</h3>" in seen
    wrong = client.post("/oncall/policies/new", {**draft, "promise": "never"})
    assert (wrong.status_code, b"Played again" in wrong.content) == (422, False)
    assert EscalationPolicy.objects.count() == 2


def test_who_may_not_see_the_ticket_sees_no_run(world: World, browser: Browser) -> None:
    a_night(world)
    assert "Nobody was paged in this time" in shown(browser(world.oskar), "/oncall/replay?policy=lead-first")
    assert browser(world.maria).get("/oncall/replay?policy=lead-first").status_code == 302


def test_however_many_runs_it_asks_little(world: World, browser: Browser) -> None:
    a_night(world)
    for _ in range(6):
        down(world)
        watch(world)
    world.forward(minutes=30)
    client = browser(world.lena)
    path = f"/oncall/replay?policy=databases&from=2026-11-23T22:00&until={world.now:%Y-%m-%dT%H:%M}&about=team:databases"
    shown(client, path)
    with CaptureQueriesContext(connection) as asked:
        assert shown(client, path).count("As it was</h3>") == 7
    assert len(asked) <= 15, [query["sql"].split(" FROM ")[-1][:90] for query in asked]
