"""Run as a program of its own: `seed N URL` makes N people who each report something, `clocks N` N tickets whose time is up within
seconds, `heard` prints what the journal says of them, `engine` runs the engine until SIGTERM.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections import Counter
from datetime import datetime, timedelta

import django

django.setup()

from allswell.desk import webhooks  # noqa: E402
from allswell.engine import modules  # noqa: E402
from allswell.journal.models import Entry  # noqa: E402
from allswell.kernel import clock  # noqa: E402
from allswell.notifications import rules  # noqa: E402
from allswell.notifications.models import Delivery  # noqa: E402
from tests.support.promises import promise, target  # noqa: E402
from tests.support.world import World  # noqa: E402


def seed(count: int, url: str) -> None:
    """N people, each with one report; a webhook that hears of all of them. Prints the webhook's secret."""
    world = World()
    world.now = clock.now()
    _, secret = webhooks.create(name="Sink", url=url, verbs=["incident.reported"], owner=world.julia.pk, **world.by(world.ada))
    for number in range(count):
        world.report(world._person(f"p{number} Person", world.bank), title=f"Report {number}")
    print(secret)


def clocks(count: int) -> None:
    """N tickets whose minute is up three to fifteen seconds from now, one after the other."""
    world = World()
    world.now = clock.now() - timedelta(seconds=57)
    promise(world, target("resolution", 1), since=world.now)
    for number in range(count):
        world.report(title=f"Report {number}")
        world.forward(seconds=12 / count)


def heard() -> None:
    """JSON: for each breach in the journal its ticket, how late it was told (seconds), whether in a digest, how many were told."""
    told = Counter(Delivery.objects.filter(channel="app", topic="breached").values_list("entry", flat=True))
    rows = Entry.objects.filter(verb="clock.breached").order_by("id").values_list("pk", "ticket", "recorded_at", "data")
    print(
        json.dumps(
            [
                (ticket, (at - datetime.fromisoformat(data["due_at"])).total_seconds(), "is_late" in data, told[pk])
                for pk, ticket, at, data in rows
            ]
        )
    )


def engine() -> None:
    """The engine, with leases short enough for a test."""
    rules.LEASE = timedelta(seconds=2)
    rules.BEGINS_WITHIN = timedelta(seconds=1)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    modules.run(stop)


if __name__ == "__main__":
    if sys.argv[1] == "seed":
        seed(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "clocks":
        clocks(int(sys.argv[2]))
    elif sys.argv[1] == "heard":
        heard()
    else:
        engine()
