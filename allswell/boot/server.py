"""The processes of `allswell serve`: a parent, the web processes on one port, and the engine.

The parent loads everything once and forks, so the processes share their memory. It restarts a child that dies; when the parent
itself dies, by whatever signal, the children end too.
"""

from __future__ import annotations

import errno
import gc
import logging
import multiprocessing
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.urls import get_resolver
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from allswell.engine import modules as engine
from allswell.kernel.errors import CannotStart
from allswell.web.live import Hub

from . import tally
from .bridge import Bridge
from .leash import Leash
from .stopping import stop_on

log = logging.getLogger(__name__)

LIVE = "/live"
_PATIENCE = 15  # seconds a process has to finish what it is doing


class WebProcess:
    """What one web process runs: pages through the bridge, /live through the hub of live streams."""

    def __init__(self, number: int, application: Any, leash: Leash) -> None:
        self._number = number
        self._leash = leash
        self._hub = Hub()
        self._bridge = Bridge(
            application,
            threads=2,
            largest_body=settings.MAX_UPLOAD_BYTES + 2_500_000,
            trusted=settings.TRUSTED_PROXIES,
            after=self._count,
        )

    def _count(self, status: int, seconds: float) -> None:
        if tally.shared is not None:
            tally.shared.count(self._number, status, seconds)

    def __rsgi_init__(self, loop: Any) -> None:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent says when to end
        self._bridge.start()
        self._leash.hold(lambda: loop.call_soon_threadsafe(self._hub.close), patience=_PATIENCE)

    def __rsgi_del__(self, loop: Any) -> None:
        self._bridge.stop()

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        if scope.path == LIVE:
            await self._hub.answer(scope, proto)
        else:
            await self._bridge(scope, proto)


def _load_web(application: Any, leash: Leash, number: int) -> Any:
    """First thing in a web process: a signal before the server listens ends it at once instead of being lost."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return WebProcess(number, application, leash)


class Child:
    """A process beside the web processes, started again when it dies."""

    def __init__(self, name: str, target: Callable[[], None]) -> None:
        self._name = name
        self._target = target
        self._is_ending = threading.Event()
        self._process: BaseProcess | None = None

    def start(self) -> None:
        """Start it and watch it."""
        self._spawn()
        threading.Thread(target=self._watch, name=f"watch-{self._name}", daemon=True).start()

    def _spawn(self) -> None:
        self._process = multiprocessing.get_context("fork").Process(target=self._target, name=self._name)
        self._process.start()

    def _watch(self) -> None:
        pause = 1.0
        while not self._is_ending.is_set():
            began = time.monotonic()
            assert self._process is not None
            self._process.join()
            if self._is_ending.is_set():
                return
            pause = 1.0 if time.monotonic() - began > 60 else min(pause * 2, 30)
            log.error("The %s ended (%s); it starts again in %d s.", self._name, self._process.exitcode, pause)
            if self._is_ending.wait(pause):
                return
            self._spawn()

    def end(self) -> None:
        """Ask it to end; by force when it takes too long."""
        self._is_ending.set()
        if self._process is None:
            return
        if self._process.is_alive():
            self._process.terminate()
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


class Server(MPServer):
    """The web server with our children on a leash."""

    def __init__(self, *, leash: Leash, child: Child | None, on_ready: Callable[[], None], **options: Any) -> None:
        super().__init__("allswell", **options)
        self._leash = leash
        self._child = child
        self._on_ready = on_ready

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:  # type: ignore[override]
        return super()._spawn_worker(idx, target, partial(callback_loader, idx))

    def startup(self, *arguments: Any) -> None:
        super().startup(*arguments)  # type: ignore[no-untyped-call]
        if self._child:
            self._child.start()
        threading.Thread(target=self._announce, name="announce", daemon=True).start()

    def _announce(self) -> None:
        for _ in range(600):
            try:
                socket.create_connection((_reachable(self.bind_addr), self.bind_port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                self._on_ready()
                return

    def shutdown(self, exit_code: int = 0) -> None:
        for web in self.wrks:
            web.interrupt_by_parent = True
        self._leash.release()
        if self._child:
            self._child.end()
        self.interrupt_children.clear()  # a web process that ended on the same Ctrl-C is no failure
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _claim_port(host: str, port: int) -> None:
    """Raise CannotStart when somebody listens there already; the web processes share the port, so the kernel would not say."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for attempt in range(11):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise CannotStart(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
        if attempt < 10:
            time.sleep(0.3)  # those of a server that was just killed need a moment to notice
    raise CannotStart(f"Port {port} of {host} is in use. ALLSWELL_PORT names another one.")


def preload() -> Any:
    """Load everything a web process needs, so that the forked processes share it. Returns the WSGI application."""
    django.setup(set_prefix=False)
    application = get_wsgi_application()
    get_resolver().url_patterns  # noqa: B018 - imports every view
    connections.close_all()
    gc.collect()
    gc.freeze()
    return application


def launch(what: str, **options: Any) -> int:
    """What the command line starts: "serve" (with_engine, on_ready) or "engine"."""
    if what == "engine":
        run_engine()
        return 0
    return serve(**options)


def run_engine(leash: Leash | None = None) -> None:
    """The engine in this process, until SIGTERM or, when it is alone, Ctrl-C."""
    stop = stop_on(signal.SIGTERM) if leash else stop_on(signal.SIGTERM, signal.SIGINT)
    if leash:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        leash.hold(patience=_PATIENCE + 15)
    engine.run(stop)


def serve(*, with_engine: bool, on_ready: Callable[[], None]) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns the exit code."""
    multiprocessing.set_start_method("fork", force=True)
    _claim_port(settings.LISTEN_HOST, settings.LISTEN_PORT)
    application = preload()
    tally.shared = tally.Tally(settings.WORKERS)
    leash = Leash()
    server = Server(
        leash=leash,
        child=Child("engine", partial(run_engine, leash)) if with_engine else None,
        on_ready=on_ready,
        address=settings.LISTEN_HOST,
        port=settings.LISTEN_PORT,
        interface=Interfaces.RSGI,
        workers=settings.WORKERS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=20_000),
        websockets=False,
        backlog=2048,
        backpressure=4096,
        log_level=LogLevels.warning,
        log_dictconfig={"handlers": {}, "formatters": {}, "loggers": {"_granian": {"propagate": True}}},
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=_PATIENCE,
    )
    server.serve(target_loader=partial(_load_web, application, leash), wrap_loader=False)
    return 0
