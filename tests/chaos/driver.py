"""Run as a program of its own: `seed URL` makes two people who are paged at URL, `report N SECONDS` opens N incidents one after the
other and prints the number of each once it is kept, `engine` runs the engine until SIGTERM, `verdict` prints what became of all.

The file CLOCK_MOVED in the data folder, if there is one, says by how many seconds the machine's clock is wrong.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from allswell.kernel import clock  # noqa: E402

_true_now = clock.now


def _moved_now() -> datetime:
    try:
        return _true_now() + timedelta(seconds=float((Path(os.environ["ALLSWELL_DATA_DIR"]) / "CLOCK_MOVED").read_text()))
    except (OSError, ValueError):
        return _true_now()


clock.now = _moved_now

from allswell.desk import policies, sealing  # noqa: E402
from allswell.desk import tickets as desk  # noqa: E402
from allswell.engine import modules  # noqa: E402
from allswell.notifications.models import ContactMethod  # noqa: E402
from allswell.oncall.models import Escalation, Page, PageDelivery  # noqa: E402
from allswell.oncall.rules import policies as policy_rules  # noqa: E402
from allswell.oncall.rules import sending  # noqa: E402
from allswell.people import queries as people  # noqa: E402
from allswell.people.models import Person, Team  # noqa: E402
from allswell.tickets.rules import Kind  # noqa: E402
from tests.support.world import World  # noqa: E402

# seconds in the place of minutes, so that a night fits into a test
policy_rules.SHORTEST_WAIT = 1
sending.LEASE = timedelta(seconds=3)
sending.PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0.2, 0.4, 0.8, 1.6, 2, 2, 2, 2, 2, 2))
sending.MOST_ALONE = 10**9  # storms have tests of their own
WAIT = 2


def seed(url: str) -> None:
    """Amir is called first, Priya after him, then nobody."""
    world = World()
    world.now = clock.now()
    for person in (world.amir, world.priya):
        person.addresses.all().delete()
        ContactMethod.objects.create(
            person=person,
            kind="webhook",
            address=sealing.seal(url),
            shown="…",
            created_at=world.now,
            verified_at=world.now,
        )
    steps = [{"targets": [{"kind": "person", "person": one.pk}], "wait": WAIT} for one in (world.amir, world.priya)]
    row = policies.create_policy(
        name="Databases", team="databases", definition={"steps": steps, "repeat": 0}, **world.by(world.lena)
    )
    policies.use_for_team("databases", policy=row.pk, **world.by(world.lena))


def report(count: int, seconds: float) -> None:
    """Open incidents, evenly over a time."""
    jonas = people.actors([Person.objects.get(name="Jonas Berg").pk])
    (actor,) = jonas.values()
    team = Team.objects.get(slug="databases").pk
    for number in range(count):
        what = desk.Report(title=f"Down {number}", kind=Kind.INCIDENT, team=team, impact=1, urgency=1)
        print(desk.report(what, actor=actor, now=clock.now()).pk, flush=True)
        time.sleep(seconds / count)


def verdict() -> None:
    """JSON: for each ticket its runs' states, its pages as [turn, who], and its deliveries as [key, outcome]."""
    found: dict[int, dict[str, list[Any]]] = {}

    def of(ticket: int | None) -> dict[str, list[Any]]:
        return found.setdefault(ticket or 0, {"runs": [], "pages": [], "deliveries": []})

    for ticket, state in Escalation.objects.order_by("pk").values_list("ticket", "state"):
        of(ticket)["runs"].append(state)
    for ticket, turn, name in Page.objects.order_by("pk").values_list("ticket", "turn", "person__name"):
        of(ticket)["pages"].append([turn, name])
    rows = PageDelivery.objects.exclude(channel="desk").order_by("pk")
    for ticket, key, outcome in rows.values_list("page__ticket", "key", "outcome"):
        of(ticket)["deliveries"].append([key, outcome])
    print(json.dumps(found))


def engine() -> None:
    """The engine."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=stop.set).start())
    modules.run(stop)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["seed", url]:
            seed(url)
        case ["report", count, seconds]:
            report(int(count), float(seconds))
        case ["verdict"]:
            verdict()
        case _:
            engine()
