"""kill -9 among clocks: python -m bench.clocks_killed [--database postgresql] [--kills 20] [--acts 400] [--tickets 2000] [--readers 200]

Four times something is killed in the middle and started again: `serve` while tickets are taken up, wait, go on and are resolved through
the API; the engine while it counts the clocks of a changed calendar again; `clocks replay --yes` over clocks that were spoiled; the
engine while it mails reports. Afterwards every act that was answered is in the journal, a replay finds nothing to change, and everybody
has each report once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

_VERBS = """
import django; django.setup()
import json
from allswell.journal.models import Entry
print(json.dumps(list(Entry.objects.filter(ticket__isnull=False).values_list("ticket_id", "verb"))))
"""
_JOBS = """
import django; django.setup()
import json
from allswell.jobs.models import Job
from allswell.journal.models import Entry
print(json.dumps({
    "open": Job.objects.filter(kind="clocks", finished_at=None).count(),
    "changed": sum(Job.objects.filter(kind="clocks").values_list("changed", flat=True)),
    "told": Entry.objects.filter(verb="clock.replayed", data__has_key="moved").count(),
}))
"""
_FREE = """
import django; django.setup()
from allswell.jobs.models import Job
from allswell.notifications.models import Delivery
Job.objects.filter(finished_at=None).update(claimed_until=None)
Delivery.objects.filter(settled_at=None).update(claimed_until=None)
"""
_MANY = """
import django; django.setup()
from allswell.desk import tickets
from allswell.desk.tickets import Report
from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.people import queries
from allswell.people.models import Person
from allswell.tickets.rules import Kind
actor = queries.actor_for(Person.objects.order_by("pk").first(), channel=Channel.DESK)
for number in range({count}):
    tickets.report(Report(title=f"Report {{number}}", kind=Kind.INCIDENT), actor=actor, now=clock.now())
"""
_SPOIL = """
import django; django.setup()
from datetime import timedelta
from django.db.models import F
from allswell.sla.models import Clock
print(Clock.objects.filter(due_at__isnull=False).update(due_at=F("due_at") + timedelta(days=3)))
"""
_SUBSCRIBE = """
import django; django.setup()
from datetime import timedelta
from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.people import queries
from allswell.people.models import EmailAddress, Person, RoleGrant
from allswell.reporting.models import Subscription
now = clock.now()
home = Person.objects.order_by("pk").first().organization
for number in range({count}):
    person = Person.objects.create(name=f"Reader {{number}}", organization=home, created_at=now, password="!")
    EmailAddress.objects.create(person=person, address=f"reader{{number}}@example.org", proof="confirmed", is_primary=True, added_at=now)
    RoleGrant.objects.create(person=person, role="agent", scope="installation", granted_at=now)
    Subscription.objects.create(
        person=person, report="attainment", asked={{"by": "month"}}, every="week", next_at=now - timedelta(minutes=5), created_at=now
    )
"""
_MAILED = """
import django; django.setup()
import json
from allswell.notifications.models import Delivery
from allswell.reporting.models import Subscription
from allswell.kernel import clock
rows = Delivery.objects.filter(topic="report")
print(json.dumps({
    "due": Subscription.objects.filter(next_at__lte=clock.now()).count(),
    "pending": rows.filter(settled_at=None).count(),
    "by mail": [list(row) for row in rows.filter(channel="email").values_list("person_id", "outcome")],
}))
"""


class Mailbox:
    """A mail server in this process."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content)
        self.received.append((str(mail["To"]), str(mail["Message-ID"])))
        return "250 kept"


class Play:
    """The four plays on one desk."""

    def __init__(self, home: Path, *, seed: int) -> None:
        from tests.support.desk import Desk, free_port

        self.box, self.chance, self.facts = Mailbox(), random.Random(seed), dict[str, Any]()
        self.post = Controller(self.box, hostname="127.0.0.1", port=free_port())
        self.post.start()
        mail = {"ALLSWELL_SMTP_URL": f"smtp+plain://127.0.0.1:{self.post.port}", "ALLSWELL_MAIL_FROM": "Desk <desk@example.org>"}
        self.desk = Desk(home, **mail)
        self.desk.set_up()
        self.desk.start()

    def end(self) -> None:
        """Stop everything."""
        self.desk.stop()
        self.post.stop()

    def kill(self, *, after: float) -> None:
        """kill -9 of `serve`, all of its processes or the parent alone; then it is started again."""
        time.sleep(after)
        victims = self.desk.family()
        for victim in victims if self.chance.random() < 0.5 else victims[:1]:
            os.kill(victim, signal.SIGKILL)
        self.desk.process.wait(20)
        self.desk.gone(victims)
        self.desk.start()

    def differences(self) -> int:
        """How many clocks a replay would change."""
        done = self.desk.run("clocks", "replay", "--dry-run", "--json", check=False)
        found = json.loads(done.stdout)
        return sum(found["differences"].values()) if isinstance(found["differences"], dict) else int(found["differences"])

    # one: acts

    def acts(self, *, kills: int, acts: int) -> None:
        """Take, wait, go on, reply and resolve through the API while `serve` is killed."""
        said: list[tuple[int, str]] = []
        guard, ended = threading.Lock(), threading.Event()

        def act(path: str, verb: str, **content: Any) -> int:
            while not ended.is_set():
                try:
                    answer = self.desk.post(f"/api/v1/tickets{path}", **content)
                except (OSError, ValueError):
                    time.sleep(0.02)
                    continue
                number = int(json.loads(answer.body).get("number") or 0) if answer.status < 300 else 0
                if answer.status < 300:
                    with guard:
                        said.append((number or int(path.split("/")[1]), verb))
                return number if answer.status < 300 else 0
            return 0

        def work() -> None:
            while not ended.is_set():
                number = act("", "incident.reported", kind="incident", title="Account look-up is down")
                if number:
                    there = f"/{number}"
                    act(f"{there}/take", "ticket.assigned")
                    act(f"{there}/wait", "ticket.waited", on="requester")
                    act(f"{there}/resume", "ticket.resumed")
                    act(f"{there}/reply", "ticket.replied", body="Looking")
                    act(f"{there}/resolve", "ticket.resolved", resolution="Restarted")

        threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(kills):
            self.kill(after=self.chance.uniform(0.1, 0.8))
        until = time.monotonic() + 180
        while len(said) < acts and time.monotonic() < until:
            time.sleep(0.1)
        ended.set()
        for thread in threads:
            thread.join(40)
        kept = Counter((ticket, verb) for ticket, verb in json.loads(self.desk.python(_VERBS)))
        missing = [one for one in said if not kept[one]]
        self.facts["acts"] = {
            "kills": kills,
            "answered": dict(Counter(verb for _, verb in said)),
            "lost": len(missing),
            "differences": self.differences(),
        }

    # two: a changed calendar

    def recount(self, *, kills: int, tickets: int) -> None:
        """The office hours change, and the engine is killed while it counts again."""
        self.desk.python(_MANY.format(count=tickets))
        for opens in range(6, 6 + 2):
            week = [[f"{opens:02}:00-18:00"]] * 5 + [[], []]
            answer = self.desk.post("/api/v1/calendars/office-hours/versions", week=week, effective_on="2020-01-01")
            assert answer.status == 201, answer.body
            for _ in range(kills // 2):
                self.kill(after=self.chance.uniform(0.1, 1.2))
        self.desk.python(_FREE)
        until = time.monotonic() + 180
        found = json.loads(self.desk.python(_JOBS))
        while found["open"] and time.monotonic() < until:
            time.sleep(0.5)
            found = json.loads(self.desk.python(_JOBS))
        self.facts["recount"] = {"kills": kills, **found, "differences": self.differences()}

    # three: a replay

    def replay(self, *, kills: int) -> None:
        """All clocks are spoiled, and the replay that repairs them is killed."""
        self.desk.python(_SPOIL)
        began = time.monotonic()
        self.desk.run("clocks", "replay", "--yes")
        takes = time.monotonic() - began
        spoiled = int(self.desk.python(_SPOIL))
        for _ in range(kills):
            running = subprocess.Popen(
                self.desk.command("clocks", "replay", "--yes"),
                env=self.desk.environment,
                cwd=self.desk.home,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(takes * self.chance.uniform(0.3, 0.8))  # between its start and its end
            running.kill()
            running.wait()
        left = self.differences()
        self.desk.run("clocks", "replay", "--yes")
        self.facts["replay"] = {"kills": kills, "spoiled": spoiled, "left after kills": left, "differences": self.differences()}

    # four: reports by mail

    def mails(self, *, kills: int, readers: int) -> None:
        """Reports are due, and the engine is killed while it mails them."""
        self.desk.stop()
        before = len(self.box.received)
        self.desk.python(_SUBSCRIBE.format(count=readers))
        self.desk.start()
        for _ in range(kills):
            self.kill(after=self.chance.uniform(0.1, 0.9))
        until = time.monotonic() + 180
        found: dict[str, Any] = {"due": 1, "pending": 1}
        while (found["due"] or found["pending"]) and time.monotonic() < until:
            self.desk.python(_FREE)
            time.sleep(1)
            found = json.loads(self.desk.python(_MAILED))
        got = [one for one in self.box.received[before:] if "reader" in one[0]]
        self.facts["mails"] = {
            "kills": kills,
            "readers": readers,
            "reports written down": len(found["by mail"]),
            "for two": len(found["by mail"]) - len({person for person, _ in found["by mail"]}),
            "outcomes": dict(Counter(outcome for _, outcome in found["by mail"])),
            "different mails": len(set(got)),
            "mails": len(got),
        }

    def is_well(self) -> bool:
        """Whether nothing was lost and nothing differs."""
        acts, mails = self.facts["acts"], self.facts["mails"]
        parts = [self.facts[name]["differences"] == 0 for name in ("acts", "recount", "replay")]
        mailed = mails["reports written down"] == mails["different mails"] == mails["readers"] and not mails["for two"]
        return all(parts) and not acts["lost"] and not self.facts["recount"]["open"] and mailed


def main() -> int:
    """Play it and print what came of it; 1 when anything was lost or differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", default=os.environ.get("TEST_DATABASE", "sqlite"), choices=("sqlite", "postgresql"))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--acts", type=int, default=400)
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ["TEST_DATABASE"] = options.database
    with tempfile.TemporaryDirectory() as home:
        play = Play(Path(home), seed=options.seed)
        try:
            play.acts(kills=options.kills, acts=options.acts)
            play.recount(kills=options.kills, tickets=options.tickets)
            play.replay(kills=max(1, options.kills // 2))
            play.mails(kills=options.kills, readers=options.readers)
        finally:
            play.end()
    print(json.dumps({"database": options.database, **play.facts}, indent=2))
    return 0 if play.is_well() else 1


if __name__ == "__main__":
    sys.exit(main())
