"""A real desk as processes of its own, in a folder and on a port of its own; on the suite's PostgreSQL when that is what runs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import early

PASSWORD = "a watch at night"
_SESSION = """
import django; django.setup()
from allswell.boot.sessions import SessionStore
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from allswell.people.models import Person
person = Person.objects.order_by("pk").first()
store = SessionStore()
store[SESSION_KEY] = str(person.pk)
store[BACKEND_SESSION_KEY] = "allswell.web.sign_in.EmailBackend"
store[HASH_SESSION_KEY] = person.get_session_auth_hash()
store.save()
print(store.session_key)
"""
_ATTACH = """
import django; django.setup()
import io
from allswell.desk import attachments
from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.people import queries
ada = queries.actor_for(queries.person_by_address("ada@example.org"), channel=Channel.DESK)
sent = attachments.upload(io.BytesIO({content!r}), name={name!r}, content_type="text/plain", actor=ada, now=clock.now())
attachments.attach({number}, tokens=(sent.token,), actor=ada, now=clock.now())
"""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    """What the desk answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class Desk:
    """One installation: `set_up`, `start`, `get`, `post`, `stop`."""

    def __init__(self, home: Path, *, program: list[str] | None = None, **settings: str) -> None:
        self.home, self.port = home, free_port()
        self.program = program or [sys.executable, "-m", "allswell"]
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLSWELL_")}
        if program is None:
            self.environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        self.environment |= {
            "ALLSWELL_DATA_DIR": str(home),
            "ALLSWELL_PORT": str(self.port),
            "ALLSWELL_URL": f"http://127.0.0.1:{self.port}",
            **settings,
        }
        if early.SERVER and "ALLSWELL_DATABASE_URL" not in settings:
            name = f"desk_{uuid.uuid4().hex[:12]}"
            early.SERVER.run("createdb", "-h", str(early.SERVER.folder), name)
            self.environment["ALLSWELL_DATABASE_URL"] = early.SERVER.url(name)
        self.process: subprocess.Popen[bytes] | Any = None
        self.token = ""

    def command(self, *arguments: str) -> list[str]:
        """The command line of a command."""
        return [*self.program, *arguments]

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = subprocess.run(self.command(*arguments), env=self.environment, capture_output=True, text=True, cwd=self.home)
        assert not check or done.returncode == 0, done.stderr
        return done

    def set_up(self) -> None:
        """The first administrator, Ada, and a token of hers."""
        who = ["--name", "Ada Admin", "--email", "ada@example.org", "--organization", "Northbank", "--password", PASSWORD]
        self.run("setup", *who)
        self.token = self.run("token", "create", "--person", "ada@example.org", "--scope", "all", "--quiet").stdout.strip()

    def start(self, *arguments: str) -> None:
        """Start it and wait until it is ready; nothing when it runs already."""
        if self.process is not None and self.process.poll() is None:
            return
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(*(arguments or ("serve",))),
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.home,
            )
        until = time.monotonic() + 60
        while True:
            try:
                if self.get("/readyz").status == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, by force if need be."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def log(self) -> str:
        """What it has said so far."""
        return (self.home / "log").read_text(errors="replace")

    def call(self, request: urllib.request.Request) -> Answer:
        """One request. Raises OSError when nobody answers."""
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def get(self, path: str, **headers: str) -> Answer:
        """Read an address."""
        return self.call(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers))

    def post(self, path: str, **content: Any) -> Answer:
        """Do something through the API, as Ada."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.call(
            urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(content).encode(), headers, method="POST")
        )

    def attach(self, number: int, name: str, content: bytes) -> None:
        """Put a file on a ticket, as Ada."""
        self.python(_ATTACH.format(number=number, name=name, content=content))

    def python(self, words: str) -> str:
        """Run Python in the desk's environment; returns what it prints."""
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "allswell.boot.settings"}
        interpreter = self.program[0] if len(self.program) > 1 else str(Path(self.program[0]).with_name("python"))
        done = subprocess.run([interpreter, "-c", words], env=environment, capture_output=True, text=True, cwd=self.home)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def session_cookie(self) -> str:
        """A cookie with which Ada is signed in."""
        return f"allswell={self.python(_SESSION)}"

    def family(self, parent: int = 0) -> list[int]:
        """The process ids: the parent, then its children."""
        parent = parent or self.process.pid
        rows = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout.splitlines()
        cells = [row.split() for row in rows]
        return [parent, *(int(pid) for pid, above, state in cells if int(above) == parent and not state.startswith("Z"))]

    def gone(self, family: list[int]) -> None:
        """Fail unless all of these have ended within 20 s."""
        until = time.monotonic() + 20
        while left := [pid for pid in family if _is_running(pid)]:
            assert time.monotonic() < until, f"still running: {left}\n{self.log()}"
            time.sleep(0.05)

    def memory_mb(self) -> float:
        """The proportional share of memory of all processes together."""
        total = 0
        for pid in self.family():
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
