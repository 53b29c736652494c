"""A storm: a thousand alerts of one outage are one incident, one call, and pages that can be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import policies
from allswell.desk.alerts import silences
from allswell.intake.models import Alert
from allswell.journal.models import Entry
from allswell.oncall.models import Escalation
from allswell.people.models import Person
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World

Browser = Callable[[Person | None], Client]
#: `python -m bench.alert_storm` plays it with ten thousand
MANY, IN_ONE = 1_000, 50


@pytest.fixture
def am(world: World) -> Monitoring:
    """Monitoring of a service whose policy calls Jonas."""
    definition = {"steps": [{"targets": [{"kind": "person", "person": world.jonas.pk}], "wait": 600}], "starts": [1, 2, 3]}
    policy = policies.create_policy(name="Storms", team=world.desk_team.pk, definition=definition, **world.by(world.ada))
    policies.use_for_service(world.lookup.pk, policy=policy.pk, **world.by(world.ada))
    return Monitoring(world, service=world.lookup.pk)


def storm(am: Monitoring, *, many: int = MANY) -> Ticket:
    """Everything behind a switch is down: many groups, one after the other."""
    for group in range(many // IN_ONE):
        am.send(*[am.fires("HostDown", host=f"web{group}-{n}") for n in range(IN_ONE)], group=f"g{group}")
    return Ticket.objects.get()


def test_a_thousand_alerts_are_one_incident_and_one_call(world: World, am: Monitoring) -> None:
    ticket = storm(am)
    assert Alert.objects.filter(ticket=ticket, state="firing").count() == MANY
    assert f"… + {IN_ONE - 5}" in ticket.description
    assert Escalation.objects.count() == 1
    assert sum(entry.data["count"] for entry in Entry.objects.filter(verb="alerts.joined")) == MANY
    for group in range(MANY // IN_ONE):
        am.send(am.is_over("HostDown", host=f"web{group}-0", since=world.now), group=f"g{group}", status="resolved")
    ticket.refresh_from_db()
    assert (ticket.state, Alert.objects.filter(state="firing").count()) == ("resolved", 0)
    assert Escalation.objects.get().ended_at is not None


def test_a_silenced_one_says_on_its_page_that_nobody_is_called(world: World, am: Monitoring, browser: Browser) -> None:
    ticket = storm(am, many=IN_ONE)
    client = browser(world.jonas)
    silences.create(ticket=ticket.pk, reason="known", ends_at=world.now + timedelta(hours=1), **world.by(world.jonas))
    with CaptureQueriesContext(connection) as queries:
        paging = client.get(f"/tickets/{ticket.pk}/pages", headers={"HX-Request": "true"}).content.decode()
    assert len(queries) <= 15
    assert "Nobody is called while all its alerts are silenced" in paging
    assert "silenced all that fires until" in client.get(f"/tickets/{ticket.pk}").content.decode()
    card = client.get(f"/tickets/{ticket.pk}/alerts", headers={"HX-Request": "true"}).content.decode()
    assert "Silenced" in card


def test_its_pages_ask_and_weigh_no_more_than_those_of_a_few(world: World, am: Monitoring, browser: Browser) -> None:
    client = browser(world.jonas)
    asked: list[list[int]] = []
    weighed: list[list[int]] = []
    for many in (IN_ONE * 2, MANY):
        number = storm(am, many=many).pk
        pages = (f"/tickets/{number}", f"/tickets/{number}/alerts", "/alerts/", f"/alerts/?ticket={number}&state=", "/desk/all")
        client.get(pages[0])
        asked.append([])
        weighed.append([])
        for place in pages:
            headers = {"HX-Request": "true"} if place.endswith("/alerts") else {}
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(place, headers=headers)
            assert answer.status_code == 200, place
            asked[-1].append(len(queries))
            weighed[-1].append(len(answer.content))
    assert max(asked[1]) <= 15
    assert asked[1] == asked[0]
    assert max(after - before for before, after in zip(*weighed, strict=True)) < 10_000, weighed
    card = client.get(f"/tickets/{number}/alerts", headers={"HX-Request": "true"}).content.decode()
    assert "1000+ firing" in card
    assert card.count('href="/alerts/') <= 10, "a few of them, and the way to all"
    page = client.get(f"/tickets/{number}").content.decode()
    assert page.count("it was opened for them") == page.count("they are alike in their service") == 1, (
        "hundreds of lots are one line"
    )
    assert f"{MANY - IN_ONE} alerts belong to this" in page
