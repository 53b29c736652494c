"""A desk that runs, sources with keys, an outage that all senders meet at once, and what the desk made of each of them."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.desk import Desk, free_port

#: how long anything may take that is no outage: tools batch, wait and try again by their own timers
PATIENCE = 90.0
_SOURCES = """
import django; django.setup()
import json
from allswell.desk.alerts import sources
from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.people import queries
ada = queries.actor_for(queries.person_by_address("ada@example.org"), channel=Channel.DESK)
made = {}
for name, kind in json.loads(%r):
    row, key = sources.create(name=name, kind=kind, actor=ada, now=clock.now())
    made[name] = [row.slug, key]
print(json.dumps(made))
"""
_ENDED = """
import django; django.setup()
import json
from allswell.intake.models import Alert, AlertSource, RawReport
from allswell.tickets.models import Ticket
told = {}
for source in AlertSource.objects.all():
    rows = list(Alert.objects.filter(source=source))
    tickets = Ticket.objects.filter(pk__in={row.ticket_id for row in rows if row.ticket_id})
    told[source.name] = {
        "alerts": [[row.key, row.state, row.total, row.episode, bool(row.acknowledged_at), row.acknowledged_by] for row in rows],
        "incidents": [[one.pk, one.title, one.state, one.resolution_code, one.reopened_count] for one in tickets],
        "refusal": source.refusal, "flapped": [row.key for row in rows if len(row.turns) > 4 or row.is_flapping],
    }
print(json.dumps({"sources": told, "unread": RawReport.objects.exclude(error="").count(), "all": Ticket.objects.count()}))
"""
_CALM = """
import django; django.setup()
from django.utils import timezone
from allswell.intake.models import Alert
print(Alert.objects.filter(calm_at__isnull=False).update(calm_at=timezone.now()))
"""


@dataclass
class Source:
    """A sender's own: the address it sends to, its key, and what the desk shows of it."""

    stage: Stage
    name: str
    kind: str
    slug: str = ""
    key: str = ""
    error: BaseException | None = None

    @property
    def address(self) -> str:
        """Where it sends, over plain HTTP."""
        return f"http://127.0.0.1:{self.stage.desk.port}/in/{self.kind}/{self.key}"

    def alerts(self) -> list[dict[str, Any]]:
        """Its alerts as the API tells of them."""
        return [one for one in self.stage.read("/alerts?limit=100")["items"] if one["source"] == self.slug]

    def incidents(self) -> list[dict[str, Any]]:
        """The incidents of its alerts."""
        numbers = {one["ticket"] for one in self.alerts() if one["ticket"]}
        return [self.stage.read(f"/tickets/{number}") for number in sorted(numbers)]

    def until(self, what: str, holds: Callable[[list[dict[str, Any]]], object]) -> list[dict[str, Any]]:
        """Wait until something holds for its alerts; they."""
        end, seen = time.monotonic() + PATIENCE, list[dict[str, Any]]()
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                seen = self.alerts()
                if holds(seen):
                    return seen
            time.sleep(0.4)
        raise AssertionError(f"{self.name}: {what} did not come; the alerts are {seen}")

    def until_it_fires(self, episode: int = 1) -> dict[str, Any]:
        """Wait until its alert fires (for the `episode`-th time) and has an incident that is open; the alert."""

        def fires(alerts: list[dict[str, Any]]) -> bool:
            firing = [one for one in alerts if one["state"] == "firing" and one["episode"] >= episode and one["ticket"]]
            return bool(firing) and self.stage.read(f"/tickets/{firing[0]['ticket']}")["resolved_at"] is None

        return next(one for one in self.until(f"the {episode}. fire", fires) if one["state"] == "firing")

    def until_it_repeats(self, count: int) -> None:
        """Wait until its sender has told of it so often, in this episode."""
        self.until(f"repeat {count}", lambda alerts: any(one["count"] >= count for one in alerts))

    def until_it_is_over(self) -> None:
        """Wait until all its alerts are over."""
        self.until("the end", lambda alerts: alerts and all(one["state"] == "resolved" for one in alerts))

    def outage(self) -> contextlib.AbstractContextManager[None]:
        """With this, the desk is down for all; it waits until every sender is as far."""
        return self.stage.outage(self)


@dataclass
class Stage:
    """What all senders share."""

    desk: Desk
    folder: Path
    down_for: float
    sources: list[Source] = field(default_factory=list)
    ended: dict[str, Any] = field(default_factory=dict)
    _players: set[int] = field(default_factory=set)
    _arrived: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _down: threading.Event = field(default_factory=threading.Event)
    _up: threading.Event = field(default_factory=threading.Event)

    def read(self, path: str) -> Any:
        """Ask the API, as Ada."""
        answer = self.desk.get(f"/api/v1{path}", Authorization=f"Bearer {self.desk.token}")
        if answer.status == 503:
            raise OSError("the desk is busy")
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def source(self, name: str, kind: str) -> Source:
        """A source for a sender; its key comes with `make_sources`."""
        made = Source(self, name, kind)
        self.sources.append(made)
        return made

    def is_up(self) -> bool:
        """Whether the desk came back, or nearly: a client may be quicker than we are."""
        return self._up.wait(5)

    def make_sources(self) -> None:
        """Give all of them their keys."""
        made = json.loads(self.desk.python(_SOURCES % json.dumps([[one.name, one.kind] for one in self.sources])))
        for one in self.sources:
            one.slug, one.key = made[one.name]

    def play(self, tales: list[tuple[Callable[..., None], list[Source]]]) -> None:
        """All tales at once, with one outage in the middle of them; then time passes until nothing flaps any more."""
        threads = []
        for number, (tale, its) in enumerate(tales):
            self._players.add(number)
            threads.append(threading.Thread(target=self._told, args=(number, tale, its), daemon=True))
        for thread in threads:
            thread.start()
        self._let_it_go_down()
        for thread in threads:
            thread.join()
        self.desk.python(_CALM)
        end = time.monotonic() + PATIENCE
        while True:
            self.ended = json.loads(self.desk.python(_ENDED))
            told = [one for source in self.ended["sources"].values() for one in source["incidents"]]
            if all(state == "resolved" for _, _, state, _, _ in told) or time.monotonic() > end:
                return

    def _told(self, number: int, tale: Callable[..., None], its: list[Source]) -> None:
        try:
            tale(*its)
        except BaseException as error:  # the test of its sender tells it
            for one in its:
                one.error = error
        finally:
            with self._lock:
                self._players.discard(number)

    def _let_it_go_down(self) -> None:
        while True:
            with self._lock:
                if not self._players:
                    return  # nobody came as far
                if len(self._arrived) >= len(self._players):
                    break
            time.sleep(0.1)
        os.killpg(self.desk.process.pid, signal.SIGKILL)  # no word of warning
        self.desk.process.wait()
        self._down.set()
        time.sleep(self.down_for)
        self.desk.start()
        self._up.set()

    @contextlib.contextmanager
    def outage(self, source: Source) -> Iterator[None]:
        """See Source.outage."""
        with self._lock:
            self._arrived.add(threading.get_ident())
        assert self._down.wait(PATIENCE * 2), "the outage did not come"
        yield
        assert self._up.wait(self.down_for + PATIENCE), "the desk did not come back"


class Process:
    """A program of a sender that goes on, with its log in a folder; ended with the block."""

    def __init__(self, folder: Path, *command: str | Path, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def listens(self, port: int) -> None:
        """Wait until it answers at its port."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process.poll() is None, self.words()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.1)
        raise AssertionError(self.words())

    def words(self) -> str:
        """What it has said lately."""
        return self.log.read_text(errors="replace")[-4000:]


class Secure:
    """https before a port of this machine, with a certificate of its own: clients of PagerDuty's take nothing else."""

    def __init__(self, folder: Path, port: int) -> None:
        self.target, self.port, self.certificate = port, free_port(), folder / "desk.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        secret = folder / "desk.key"
        plain = serialization.NoEncryption()
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, secret)
        self._socket = socket.create_server(("127.0.0.1", self.port))

    def __enter__(self) -> Secure:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(caller,), daemon=True).start()

    def _pass_on(self, caller: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(caller.close)
            caller.settimeout(20)
            inside = stack.enter_context(socket.create_connection(("127.0.0.1", self.target), 5))  # refused: so is the caller
            outside = stack.enter_context(self._context.wrap_socket(caller, server_side=True))
            while True:
                readable = [outside] if outside.pending() else select.select([outside, inside], [], [], 30)[0]
                if not readable:
                    return
                for one in readable:
                    if not (words := one.recv(65536)):
                        return
                    (inside if one is outside else outside).sendall(words)


class Client:
    """A program with a vendor's client in it (see programs/), told what to do line by line."""

    def __init__(self, command: list[str | Path], **environment: str) -> None:
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.can: list[str] = self._answer()["said"]

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for end in (self.process.stdin, self.process.stdout):
            if end is not None:
                end.close()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the client's program ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def tries(self, verb: str, key: str) -> dict[str, Any]:
        """Let it do something; what it said, or how it failed."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([verb, key]) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def does(self, verb: str, key: str) -> str:
        """Let it do something, which it has to take for done."""
        answer = self.tries(verb, key)
        assert "said" in answer, f"{verb}: {answer}"
        return str(answer["said"])
