"""What monitoring says, beside a ticket and on the page of a service."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from allswell.people.models import Person
from allswell.tickets.models import Ticket
from tests.desk.test_changes import changed
from tests.support.monitoring import Monitoring
from tests.support.world import World

Browser = Callable[[Person | None], Client]


def test_what_was_changed_before_it_began_stands_beside_an_incident(world: World, browser: Browser) -> None:
    pd = Monitoring(world, "pagerduty", service=world.lookup.pk)
    changed(pd, "Long before", hours_ago=5)
    changed(pd, "Shortly before", hours_ago=1)
    changed(pd, "Elsewhere", hours_ago=1, details={"service": world.printing.name})
    am = Monitoring(world, service=world.lookup.pk)
    world.forward(minutes=5)
    am.send(am.fires())
    world.forward(minutes=5)
    changed(pd, "Afterwards")
    number = Ticket.objects.get().pk
    client = browser(world.jonas)
    card = client.get(f"/tickets/{number}/alerts", headers={"HX-Request": "true"}).content.decode()
    assert "Shortly before" in card
    assert "HighLatency" in card
    assert not any(words in card for words in ("Long before", "Elsewhere", "Afterwards"))
    service = client.get(f"/services/{world.lookup.slug}").content.decode()
    assert "Long before" in service
    assert "Elsewhere" not in service


def test_a_ticket_without_alerts_and_changes_has_no_such_card(world: World, browser: Browser) -> None:
    number = world.report(world.maria).pk
    client = browser(world.jonas)
    assert not client.get(f"/tickets/{number}/alerts", headers={"HX-Request": "true"}).content.strip()
    assert client.get(f"/tickets/{number}/alerts").status_code == 302
