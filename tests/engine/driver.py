"""Run as a program of its own: `seed N URL` makes N people who each report something, `engine` runs the engine until SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import timedelta

import django

django.setup()

from allswell.desk import webhooks  # noqa: E402
from allswell.engine import modules  # noqa: E402
from allswell.kernel import clock  # noqa: E402
from allswell.notifications import rules  # noqa: E402
from tests.support.world import World  # noqa: E402


def seed(count: int, url: str) -> None:
    """N people, each with one report; a webhook that hears of all of them. Prints the webhook's secret."""
    world = World()
    world.now = clock.now()
    _, secret = webhooks.create(name="Sink", url=url, verbs=["incident.reported"], owner=world.julia.pk, **world.by(world.ada))
    for number in range(count):
        world.report(world._person(f"p{number} Person", world.bank), title=f"Report {number}")
    print(secret)


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
    else:
        engine()
