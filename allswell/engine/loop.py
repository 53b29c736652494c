"""The 24/7 side: every module in a thread of its own, so that a slow one holds up no other.

A module looks without a lock whether there is anything to do, does a bounded batch within its time limit, and says whether there is
more. What fails in it is caught here, shown in its heartbeat and in one log line, and tried again after a growing pause. Modules
of any number of engines share the work by leases in the database.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

import allswell
from allswell.desk import machinery
from allswell.jobs import rules
from allswell.jobs.queries import Pulse
from allswell.jobs.rules import Glance
from allswell.kernel import clock
from allswell.kernel.actor import engine as engine_actor

from . import steady

log = logging.getLogger("allswell.engine")

LONGEST_PAUSE = 30.0  # seconds between tries of a module that keeps failing
PATIENCE = 10.0  # seconds the modules get to end their batch when asked to stop; `serve` waits 15 for the whole engine
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Work:
    """What a tick did: how many things, and whether more wait (then the next tick follows at once)."""

    done: int = 0
    is_more: bool = False


NOTHING = Work()


class Module(Protocol):
    """A part of the engine. `idle` is the pause in seconds when nothing is due, `limit` how long a tick may take."""

    name: str
    limit: float

    @property
    def idle(self) -> float:
        """Seconds until the next look; it may differ from look to look."""

    def is_due(self, now: datetime) -> bool:
        """Whether there is anything to do: one indexed query, no lock."""

    def tick(self, now: datetime) -> Work:
        """Do a bounded batch."""


@runtime_checkable
class Finishing(Protocol):
    """A module that has something under way between its ticks."""

    def finish(self) -> None:
        """End it in good order: the engine stops."""


def described(error: BaseException) -> str:
    """An error in one line that can be logged: what and where, no credentials, no values of variables."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    said = _CREDENTIALS.sub("//…@", " ".join(str(error).split()))
    return f"{type(error).__name__}: {said[:300]}{place}"


@dataclass
class Health:
    """What the heartbeat of a module says; written by its thread, read by the one that beats."""

    worked_at: datetime | None = None
    took_ms: int = 0
    error: str = ""
    failed_at: datetime | None = None
    failures: int = 0
    busy_since: float | None = None  # monotonic

    def worked(self, now: datetime, seconds: float) -> None:
        """A tick ended well."""
        self.worked_at, self.took_ms, self.error, self.failures = now, int(seconds * 1000), "", 0

    def failed(self, now: datetime, what: str) -> float:
        """A tick failed; returns the pause in seconds before the next."""
        self.error, self.failed_at, self.failures = what[:500], now, self.failures + 1
        return min(LONGEST_PAUSE, 0.5 * 2.0 ** min(self.failures, 10))


@dataclass
class Runner:
    """One module in its thread."""

    module: Module
    stop: threading.Event
    is_behind: threading.Event  # the database is newer than this code
    health: Health = field(default_factory=Health)
    before: Callable[[], None] = lambda: None  # called before each look

    def run(self) -> None:
        """Tick until asked to stop."""
        try:
            while not self.stop.is_set():
                self.stop.wait(self.once())
            if isinstance(self.module, Finishing):
                self.module.finish()
        finally:
            connection.close()

    def once(self) -> float:
        """One look and, when something is due, one tick; returns the pause in seconds before the next."""
        if self.is_behind.is_set():
            return 1.0
        self.before()
        started = self.health.busy_since = clock.monotonic()
        now = steady.now()
        try:
            if not self.module.is_due(now):
                if self.health.error:
                    self.health.worked(now, 0)
                return self.module.idle
            work = self.module.tick(now)
        except Exception as error:  # noqa: BLE001 - whatever a module does, the engine goes on and says so
            what = described(error)
            log.error("module %s failed: %s", self.module.name, what)
            connection.close()
            return self.health.failed(now, what)
        finally:
            self.health.busy_since = None
        self.health.worked(now, clock.monotonic() - started)
        return 0 if work.is_more else self.module.idle

    @property
    def busy(self) -> float:
        """For how many seconds it has been at one batch."""
        since = self.health.busy_since
        return 0.0 if since is None else clock.monotonic() - since

    @property
    def is_watching(self) -> bool:
        """Whether warnings and pages come in time, as far as they depend on this module."""
        return not self.is_behind.is_set() and (self.module.name not in rules.WATCHING or self.busy <= self.module.limit)

    def pulse(self, node: str, now: datetime) -> Pulse:
        """The heartbeat row of the module."""
        health, error, failed_at = self.health, self.health.error, self.health.failed_at
        if (busy := self.busy) > self.module.limit:
            error, failed_at = f"It has been at one batch for {int(busy)} s.", now
        if self.is_behind.is_set():
            error, failed_at = "It has stopped: the database is newer than this program. Upgrade this node.", now
        return Pulse(node, self.module.name, allswell.__version__, now, health.worked_at, health.took_ms, error, failed_at)


def known_migrations() -> frozenset[tuple[str, str]]:
    """The migrations this code knows."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def is_database_newer(known: frozenset[tuple[str, str]]) -> bool:
    """Whether a migration of our own has been applied that this code does not know: a newer version is being rolled out."""
    ours = {app for app, _ in known}
    applied = MigrationRecorder(connection).applied_migrations()
    return any(key[0] in ours and key not in known for key in applied)


def node_name() -> str:
    """This process among all engines: host and process id."""
    return f"{socket.gethostname()[:60]}/{os.getpid()}"


class Beats:
    """The heartbeats of this process, and whether it watched all the time."""

    def __init__(self, runners: Sequence[Runner], node: str, is_behind: threading.Event, clocks: steady.Steady) -> None:
        self._runners, self._node, self._is_behind, self._clocks = runners, node, is_behind, clocks
        self._known = known_migrations()
        self._lock = threading.Lock()
        self._own_at: datetime | None = None
        self._could_not_write = False
        self._tries_at: datetime | None = None

    def beat(self) -> None:
        """Look whether the schema still fits, and write the heartbeats. A database that is away is no reason to end."""
        with self._lock:
            self._beat()

    def catch_up(self) -> None:
        """Before anything else is done by a process that was held still: write down that nothing was watching."""
        if not self._is_late():
            return
        with self._lock:
            if self._is_late() and (self._tries_at is None or self._clocks.now() >= self._tries_at):
                self._beat()

    def leave(self) -> None:
        """Sign off."""
        now = self._clocks.now()
        try:
            machinery.leave(self._glance(), actor=engine_actor(), now=now)
        except DatabaseError as error:
            log.warning("engine %s could not sign off: %s", self._node, described(error))

    def _is_late(self) -> bool:
        return self._own_at is not None and self._clocks.now() - self._own_at > rules.BLIND_AFTER

    def _glance(self) -> Glance:
        return Glance(
            self._node,
            self._own_at,
            is_watching=all(runner.is_watching for runner in self._runners),
            could_not_write=self._could_not_write,
            wall_at=self._clocks.wall(),
            moves=self._clocks.moves(),
        )

    def _beat(self) -> None:
        now = self._clocks.now()
        self._tries_at = now + rules.TRIES_AGAIN_AFTER
        try:
            if is_database_newer(self._known):
                if not self._is_behind.is_set():
                    log.error("engine %s has stopped: the database is newer than this program; upgrade this node", self._node)
                self._is_behind.set()
            else:
                self._is_behind.clear()
            glance = self._glance()
            pulses = [runner.pulse(self._node, glance.wall_at or now) for runner in self._runners]
            found = machinery.beat(pulses, glance, actor=engine_actor(), now=now)
        except DatabaseError as error:
            self._could_not_write = True
            log.error("engine %s cannot write its heartbeat: %s", self._node, described(error))
            connection.close()
            return
        for blind in found:
            log.warning(
                "nothing was watching from %s to %s: %s", blind.from_at.isoformat(), blind.until_at.isoformat(), blind.why
            )
        if glance.is_watching:
            self._own_at, self._could_not_write = now, False
            self._clocks.settle(glance.moves)


def run(modules: Sequence[Module], stop: threading.Event) -> None:
    """Run the modules until `stop` is set; then let them end their batch and sign off."""
    node, is_behind = node_name(), threading.Event()
    runners = [Runner(module, stop, is_behind) for module in modules]
    beats = Beats(runners, node, is_behind, steady.shared())
    for runner in runners:
        runner.before = beats.catch_up
    threads = [threading.Thread(target=runner.run, name=f"engine-{runner.module.name}", daemon=True) for runner in runners]
    beats.beat()
    for thread in threads:
        thread.start()
    log.info("engine %s started: %s", node, ", ".join(module.name for module in modules))
    while not stop.wait(rules.BEAT_EVERY.total_seconds()):
        beats.beat()
    until = clock.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, until - clock.monotonic()))
    beats.leave()
    connection.close()
    log.info("engine %s stopped", node)
