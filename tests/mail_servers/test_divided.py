"""Many mailboxes at a Debian Dovecot, two engines on one PostgreSQL: each has its share, and the share of one that is killed goes over."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.mail_servers.servers import PASSWORD, Dovecot, wait_until
from tests.support import postgresql
from tests.support.boxes import mail
from tests.support.desk import Desk

BOXES = 16
_CAST = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from allswell.kernel import clock
from tests.support import world as support
support.START = clock.now()
world = support.World()
world.promise()
from allswell.desk.mail import mailboxes
for number in range({boxes}):
    mailboxes.create(
        name=f"Box {{number}}", address=f"box{{number}}@example.org", kind="imap", organization=world.bank.pk, team=world.desk_team.pk,
        connection={{"host": "localhost", "port": {port}, "user": f"box{{number}}", "takes_all": True}},
        secret={{"password": {password!r}}}, **world.by(world.ada),
    )
"""
_STANDS = """
import django; django.setup()
import json
from allswell.intake.models import InboundMessage
from allswell.tickets.models import Ticket
print(json.dumps([sorted(row.subject for row in InboundMessage.objects.filter(state="taken")),
    sorted(Ticket.objects.values_list("title", flat=True))]))
"""


@pytest.fixture
def desk(tmp_path: Path, open_folder: Path, dovecot: Dovecot) -> Iterator[Desk]:
    server = postgresql.start(open_folder / "postgresql")
    if server is None:
        pytest.skip("PostgreSQL is not installed: nothing is divided on SQLite")
    (tmp_path / "desk").mkdir()
    made = Desk(
        tmp_path / "desk",
        ALLSWELL_DATABASE_URL=server.url("allswell"),
        ALLSWELL_OUTGOING_ALLOW="localhost",
        SSL_CERT_FILE=str(dovecot.certificate),
    )
    made.python(_CAST.format(boxes=BOXES, port=dovecot.port, password=PASSWORD))
    yield made
    server.stop()


@pytest.fixture
def engines(desk: Desk) -> Iterator[list[subprocess.Popen[bytes]]]:
    with (desk.home / "log").open("ab") as log:
        started = [
            subprocess.Popen(desk.command("engine"), env=desk.environment, stdout=log, stderr=log, cwd=desk.home)
            for _ in range(2)
        ]
    yield started
    for one in started:
        one.kill()
        one.wait()


def watches(engine: subprocess.Popen[bytes], port: int) -> int:
    """How many connections a process, or what it started, has to a port of this machine."""
    rows = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.splitlines()
    family = [pid for pid, parent in map(str.split, rows) if str(engine.pid) in (pid, parent)]
    links = {link for pid in family for link in _open(pid)}
    cells = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(f"socket:[{row[9]}]" in links for row in cells if row[2].endswith(f":{port:04X}") and row[3] == "01")


def _open(pid: str) -> Iterator[str]:
    """What a process has open, as far as it is still open when it is looked at."""
    with suppress(OSError):
        for one in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                yield os.readlink(f"/proc/{pid}/fd/{one}")


@pytest.mark.timeout(400)
def test_the_mailboxes_of_a_killed_engine_go_to_the_other(
    desk: Desk, dovecot: Dovecot, engines: list[subprocess.Popen[bytes]]
) -> None:
    sent: list[str] = []

    def brings(what: str) -> None:
        for number in range(BOXES):
            sent.append(f"{what} {number}")
            raw = mail(sent[-1], to=f"box{number}@example.org", text=f"About {sent[-1]}.")
            dovecot.save(raw.replace(b"maria@", f"maria{number}@".encode()), f"box{number}")  # no one writes too much

    def all_have_tickets() -> bool:
        taken, titles = json.loads(desk.python(_STANDS))
        return bool(taken == titles == sorted(sent))

    def are_divided() -> bool:
        shares = [watches(one, dovecot.port) for one in engines]
        return sum(shares) == BOXES and all(shares)

    brings("Early")
    wait_until(are_divided, within=60)  # the first to start has them all until it sees the other
    brings("Divided")
    wait_until(all_have_tickets, within=60)

    brings("Killed")
    engines[0].kill()  # some of them kept, some not, some kept and not yet marked as read
    engines[0].wait()
    brings("Late")
    wait_until(lambda: watches(engines[1], dovecot.port) == BOXES, within=120)
    wait_until(all_have_tickets, within=60)
