"""What nobody needs any more is cleared away, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.desk import tickets as desk
from allswell.engine.sweep import Sweep
from allswell.journal.models import Entry
from allswell.notifications.models import Delivery
from allswell.tickets.models import Presence
from tests.support.world import World


def test_mails_that_nobody_could_take_have_failed_after_days(world: World) -> None:
    world.report()
    Sweep().tick(world.forward(days=4))
    assert Delivery.objects.get(channel="email").settled_at is None
    Sweep().tick(world.forward(days=2))
    assert Delivery.objects.get(channel="email").outcome == "failed"


def test_old_deliveries_and_the_absent_go_and_the_journal_stays(world: World) -> None:
    ticket = world.report()
    desk.reply(ticket.pk, body="Found it", **world.by(world.jonas))
    Presence.objects.create(ticket=ticket, person=world.jonas, seen_at=world.now)
    entries = Entry.objects.count()
    Sweep().tick(world.forward(minutes=30))
    assert Presence.objects.exists()
    Sweep().tick(world.forward(days=6))
    assert not Presence.objects.exists()
    assert Delivery.objects.exists()
    Sweep().tick(world.forward(days=95))
    assert not Delivery.objects.exists()
    assert Entry.objects.count() == entries


def test_a_step_that_fails_is_reported_and_the_others_have_their_turn(world: World) -> None:
    done: list[str] = []

    def broken(**_: object) -> int:
        raise OSError("the disk is gone")

    def fine(**_: object) -> int:
        done.append("swept")
        return 1

    with pytest.raises(OSError, match="the disk is gone"):
        Sweep((broken, fine)).tick(world.now + timedelta(seconds=1))
    assert done == ["swept"]
