"""Which modules the engine runs."""

from __future__ import annotations

import threading

from . import loop
from .alerts import Alerts, AlertTimes
from .clocks import Clocks
from .closing import Closing
from .contacts import Contacts
from .coverage import Coverage
from .escalations import Escalations
from .handovers import Handovers
from .jobs import Jobs
from .listener import Listener
from .mail_in import MailIn
from .mailboxes import Mailboxes
from .outbox import Calls, Mail
from .pages import Pages
from .reports import Reports
from .rotas import Rotas
from .searching import Searching
from .sweep import Sweep


def all_modules() -> list[loop.Module]:
    """Every module of the engine, fresh."""
    return [
        Escalations(), Pages(), Contacts(), Alerts(), AlertTimes(), Mailboxes(), Listener(), MailIn(), Mail(), Calls(), Jobs(), Clocks(),
        Closing(), Reports(), Rotas(), Handovers(), Coverage(), Searching(), Sweep(),
    ]  # fmt: skip


def run(stop: threading.Event) -> None:
    """Run the engine until `stop` is set. Any number of processes on any number of machines may do so on one database."""
    loop.run(all_modules(), stop)
