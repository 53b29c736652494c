"""A clock that cannot be counted is shown with its reason, wherever clocks are shown."""

from __future__ import annotations

from django.test import Client

from allswell.desk import tickets as desk
from allswell.sla.explaining import told
from allswell.sla.models import Clock
from allswell.sla.queries import book
from allswell.sla.telling import telling
from tests.support.promises import promise
from tests.support.world import World


def test_a_clock_that_cannot_be_counted_is_shown_with_its_reason(world: World, client: Client) -> None:
    promise(world, {"metric": "resolution", "within": {"counting": "working", "amount": 60, "calendar": "gone"}})
    ticket = world.report()
    client.force_login(world.jonas)
    for is_open in (True, False):
        for address in (f"/tickets/{ticket.pk}", f"/tickets/{ticket.pk}/why", "/"):
            answer = client.get(address, follow=True)
            assert answer.status_code == 200, address
        assert "is not there" in client.get(f"/tickets/{ticket.pk}/why", follow=True).content.decode()
        assert "cannot be counted" in client.get(f"/tickets/{ticket.pk}", follow=True).content.decode()
        assert "is not there" in " ".join(told(telling(Clock.objects.get(), book(), now=world.now)))
        if is_open:
            desk.resolve(ticket.pk, **world.by(world.jonas))
    assert Clock.objects.get().met_at is None


def test_the_reason_of_a_due_time_is_told_in_the_zone_of_the_agreement(world: World) -> None:
    """The calendar of another place is read by the clocks of the agreement's, in the lines as in the due time."""
    promise(
        world, {"metric": "resolution", "within": {"counting": "working", "amount": 60, "calendar": "always"}}, zone="Asia/Tokyo"
    )
    world.report()
    clock = Clock.objects.get()
    lines = telling(clock, book(), now=world.now)
    assert lines.calendar is not None
    assert lines.calendar.zone == "Asia/Tokyo"
    assert lines.stretches[-1].ends_at == clock.due_at
