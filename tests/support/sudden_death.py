"""`allswell serve` is killed by kill -9, again and again, while tickets arrive through the API: nothing that was answered may be lost."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.desk import Desk, free_port

_LET_LEASES_END = """
import django; django.setup()
from allswell.notifications.models import Delivery
Delivery.objects.filter(settled_at__isnull=True).update(claimed_until=None)
"""
_LOOK = """
import django; django.setup()
import json
from allswell.desk.mail import ours
from allswell.journal.models import Entry
from allswell.notifications.models import Delivery
from allswell.tickets.models import Ticket
print(json.dumps({
    "tickets": list(Ticket.objects.values_list("pk", flat=True)),
    "journaled": list(Entry.objects.filter(verb="incident.reported").values_list("ticket_id", flat=True)),
    "pending": Delivery.objects.filter(settled_at__isnull=True).count(),
    "notices": [
        [ticket, key, outcome, [ours.message_id(number, key) for number in {ticket or 0, 0}]]
        for ticket, key, outcome in Delivery.objects.filter(channel="email").values_list("ticket_id", "key", "outcome")
    ],
}))
"""


class Mailbox:
    """A mail server in this process: keeps which tickets its mails are about, and their Message-IDs."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content))
        return "250 kept"


@dataclass
class Report:
    """What came of it."""

    kills: int = 0
    answered: list[int] = field(default_factory=list)
    tickets: set[int] = field(default_factory=set)
    journaled: set[int] = field(default_factory=set)
    pending: int = 0
    #: the ticket, the key, what became of it, and the ids its mail may have: about the ticket alone, or about several
    notices: list[tuple[int, str, str, list[str]]] = field(default_factory=list)
    mails: int = 0
    message_ids: set[str] = field(default_factory=set)

    def lost(self) -> dict[str, list[Any]]:
        """Everything that was promised and is not there; empty lists when all is well."""
        told = {ticket for ticket, _, _, _ in self.notices}
        return {
            "tickets": sorted(set(self.answered) - self.tickets),
            "journal": sorted(set(self.tickets) - self.journaled),
            "notices": sorted(set(self.tickets) - told),
            "mails": [key for _, key, outcome, ids in self.notices if outcome == "sent" and self.message_ids.isdisjoint(ids)],
            "unsent": [key for _, key, outcome, _ in self.notices if outcome not in ("sent", "bundled")],
        }


def play(home: Path, *, kills: int, tickets: int, seed: int = 1) -> Report:
    """Set up a desk in `home`, send `tickets` through the API while it is killed `kills` times, and look what is there."""
    box, chance, report = Mailbox(), random.Random(seed), Report()
    post = Controller(box, hostname="127.0.0.1", port=free_port())
    post.start()
    mail = {"ALLSWELL_SMTP_URL": f"smtp+plain://127.0.0.1:{post.port}", "ALLSWELL_MAIL_FROM": "Desk <desk@example.org>"}
    desk = Desk(home, **mail)
    try:
        desk.set_up()
        desk.run("person", "add", "--name", "Maria Keller", "--email", "maria@example.org", "--organization", "northbank")
        desk.start()
        _send_while_killing(desk, report, kills=kills, tickets=tickets, chance=chance)
        desk.python(_LET_LEASES_END)
        until = time.monotonic() + 120
        found = json.loads(desk.python(_LOOK))
        while found["pending"] and time.monotonic() < until:
            time.sleep(0.5)
            found = json.loads(desk.python(_LOOK))
    finally:
        desk.stop()
        post.stop()
    report.tickets, report.journaled = set(found["tickets"]), set(found["journaled"])
    report.pending, report.notices = found["pending"], [tuple(row) for row in found["notices"]]
    report.mails, report.message_ids = len(box.messages), {str(mail["Message-ID"]).strip("<> ") for mail in box.messages}
    return report


def _send_while_killing(desk: Desk, report: Report, *, kills: int, tickets: int, chance: random.Random) -> None:
    guard, ended = threading.Lock(), threading.Event()

    def send() -> None:
        while not ended.is_set():
            try:
                answer = desk.post(
                    "/api/v1/tickets", kind="incident", title="Account look-up is down", requester="maria@example.org"
                )
            except (OSError, ValueError, ConnectionError):
                time.sleep(0.02)
                continue
            if answer.status == 201:
                with guard:
                    report.answered.append(json.loads(answer.body)["number"])
            time.sleep(0.02)

    senders = [threading.Thread(target=send, daemon=True) for _ in range(3)]
    for sender in senders:
        sender.start()
    for _ in range(kills):
        time.sleep(chance.uniform(0.05, 0.6))
        victims = desk.family()
        for victim in victims if chance.random() < 0.5 else victims[:1]:  # all at once, or the parent alone
            os.kill(victim, signal.SIGKILL)
        desk.process.wait(20)
        desk.gone(victims)
        report.kills += 1
        desk.start()
    until = time.monotonic() + 120
    while len(report.answered) < tickets and time.monotonic() < until:
        time.sleep(0.05)
    ended.set()
    for sender in senders:
        sender.join(40)
