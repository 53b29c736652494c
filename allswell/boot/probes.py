"""What machines ask: /healthz (this process answers), /readyz (it can serve), /watchz (an engine watches),
/metrics (Prometheus).

Answered before everything else: whoever probes comes by an address of its own, without a session.
"""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

import allswell
from allswell.desk import machinery
from allswell.intake.queries import mail_standing
from allswell.intake.rules.mailboxes import MessageState
from allswell.jobs import queries as jobs
from allswell.jobs import schema
from allswell.jobs.rules import SILENT_AFTER, is_alive
from allswell.kernel import clock
from allswell.kernel.actor import engine as engine_actor
from allswell.kernel.errors import Invalid
from allswell.notifications import queries as notifications
from allswell.oncall.queries import escalations
from allswell.sla import alarm_queries as alarms
from allswell.tickets import queries as tickets

from . import tally

log = logging.getLogger(__name__)

OPEN_COUNTED = 10_000
BLIND_COUNTED = timedelta(days=30)


class Probes:
    """The middleware that answers the three addresses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._answers: dict[str, Callable[[HttpRequest], HttpResponse]] = {
            "/healthz": healthy,
            "/readyz": ready,
            "/watchz": watched,
            "/metrics": metrics,
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self._answers.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse("Use GET.\n", status=405, headers={"Allow": "GET, HEAD"}, content_type="text/plain")
        response = answer(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def healthy(request: HttpRequest) -> HttpResponse:
    """This process answers; whether the database does is /readyz."""
    return JsonResponse({"state": "healthy"})


def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and its schema is that of this version; else 503 and why."""
    try:
        found = schema.look()
    except DatabaseError:
        log.warning("Not ready: the database does not answer.", exc_info=True)
        connection.close()
        return _unready("The database does not answer.")
    if found.unknown:
        return _unready("The database is newer than this program.")
    if found.pending:
        return _unready(f"{len(found.pending)} migrations are pending.")
    return JsonResponse({"state": "ready"})


def _unready(reason: str, state: str = "not ready") -> HttpResponse:
    return JsonResponse({"state": state, "reason": reason}, status=503, headers={"Retry-After": "5"})


def watched(request: HttpRequest) -> HttpResponse:
    """200 when an engine watches and nothing that is due waits; else 503 and why, in words that tell a stranger nothing."""
    now = clock.now()
    try:
        found = _unwatched(now)
        _note_watcher(request, now)
    except DatabaseError:
        log.warning("Not watching: the database does not answer.", exc_info=True)
        connection.close()
        return _unready("The database does not answer.", "not watching")
    return _unready(found, "not watching") if found else JsonResponse({"state": "watching"})


def _unwatched(now: datetime) -> str:
    """Why nothing watches; "" when something does."""
    seen_at = jobs.last_watched()
    if seen_at is None or not is_alive(seen_at, now=now):
        return "No engine has watched for a minute."
    late = now - SILENT_AFTER
    if alarms.overdue(before=late).oldest_at or escalations.oldest_step_due(late) or escalations.is_delivery_due(late):
        return "What is due has waited for more than a minute."
    return ""


def _note_watcher(request: HttpRequest, now: datetime) -> None:
    """A watcher that shows the token is remembered by its name."""
    name = request.META.get("HTTP_ALLSWELL_WATCHER", "")
    given = request.META.get("HTTP_AUTHORIZATION", "")
    if not name or not settings.WATCHER_TOKEN:
        return
    if hmac.compare_digest(given.encode(), f"Bearer {settings.WATCHER_TOKEN}".encode()):
        with contextlib.suppress(Invalid):
            machinery.watched_by(name, actor=engine_actor(), now=now)


def _may_read(request: HttpRequest) -> bool:
    """With a token set, who knows it; else who comes from this machine without a proxy in between."""
    if settings.METRICS_TOKEN:
        given = request.META.get("HTTP_AUTHORIZATION", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    if request.META.get("allswell.is_forwarded"):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus; 404 for whoever may not read them."""
    if not _may_read(request):
        return HttpResponse("Nothing is here.\n", status=404, content_type="text/plain")
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest  # noqa: PLC0415 - seldom asked for

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(clock.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Figures:
    """The figures at one instant. Only numbers, module and state names: never an address, a name or a setting."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Any]:
        """Every family of figures; those of the database only when it answers."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - seldom asked for

        version = GaugeMetricFamily("allswell_info", "The version that runs.", labels=["version"])
        version.add_metric([allswell.__version__], 1)
        yield version
        yield from _requests()
        is_up = GaugeMetricFamily("allswell_database_up", "1 when the database answers.")
        try:
            families = [*self._outbox(), *self._engine(), *self._alarms(), *self._mail_in(), *_tickets()]
        except DatabaseError:
            log.warning("Figures without the database: it does not answer.", exc_info=True)
            connection.close()
            families = []
        is_up.add_metric([], 1 if families else 0)
        yield is_up
        yield from families

    def _outbox(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - seldom asked for

        pending = GaugeMetricFamily(
            "allswell_deliveries_pending", "Notices waiting to be sent, counted up to 1000.", labels=["channel"]
        )
        failing = GaugeMetricFamily("allswell_channel_failing_seconds", "Since when nothing gets through.", labels=["channel"])
        oldest = GaugeMetricFamily("allswell_delivery_overdue_seconds", "How long the oldest is due.", labels=["channel"])
        for channel in ("email", "webhook"):
            row = notifications.queue(channel, now=self._now)
            pending.add_metric([channel], row.pending)
            failing.add_metric([channel], self._since(row.failing_since))
            oldest.add_metric([channel], self._since(row.oldest_due_at))
        yield from (pending, failing, oldest)
        unfinished = GaugeMetricFamily("allswell_jobs_unfinished", "Background jobs not done yet.")
        unfinished.add_metric([], jobs.unfinished().count())
        yield unfinished

    def _since(self, instant: datetime | None) -> float:
        return max((self._now - instant).total_seconds(), 0) if instant else 0

    def _engine(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - seldom asked for

        age = GaugeMetricFamily("allswell_engine_heartbeat_age_seconds", "Since the last beat of a module.", labels=["module"])
        bad = GaugeMetricFamily("allswell_engine_module_failing", "1 when its last work failed.", labels=["module"])
        seen = set()
        for pulse in jobs.pulses():  # the newest beat first
            if pulse.module not in seen:
                seen.add(pulse.module)
                age.add_metric([pulse.module], max((self._now - pulse.beat_at).total_seconds(), 0))
                bad.add_metric([pulse.module], 1 if pulse.error else 0)
        yield from (age, bad)
        seen_at = jobs.last_watched()
        watched = GaugeMetricFamily("allswell_watched_age_seconds", "Since an engine last said that it watches.")
        watched.add_metric([], self._since(seen_at))
        blind = GaugeMetricFamily("allswell_blind_seconds", "For how long nothing was watching in the last 30 days.")
        rows = jobs.was_blind(self._now - BLIND_COUNTED, self._now)
        blind.add_metric([], sum((row.until_at - row.from_at).total_seconds() for row in rows))
        yield from (watched, blind)

    def _alarms(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - seldom asked for

        overdue = alarms.overdue(before=self._now)
        count = GaugeMetricFamily("allswell_clock_alarms_overdue", f"Warnings and breaches not told yet, up to {alarms.CAP}.")
        count.add_metric([], overdue.count)
        late = GaugeMetricFamily("allswell_clock_alarm_overdue_seconds", "How long the oldest of them waits.")
        late.add_metric([], self._since(overdue.oldest_at))
        yield from (count, late)

    def _mail_in(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - seldom asked for

        broken = mail_standing.failing()
        failing = GaugeMetricFamily("allswell_mailboxes_failing", "Mailboxes from which nothing can be fetched.")
        failing.add_metric([], len(broken))
        since = GaugeMetricFamily("allswell_mailbox_failing_seconds", "For how long the first of them fails.")
        since.add_metric([], self._since(broken[0].failing_since if broken else None))
        waits = GaugeMetricFamily(
            "allswell_mail_undecided",
            f"Mail that waits for a decision for over a day, up to {mail_standing.CAP}.",
            labels=["state"],
        )
        counts = {one.state: one.count for one in mail_standing.forgotten(now=self._now)}
        for state in (MessageState.HELD, MessageState.QUARANTINED):
            waits.add_metric([state.value], counts.get(state.value, 0))
        yield from (failing, since, waits)


def _tickets() -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - seldom asked for

    opened = GaugeMetricFamily("allswell_tickets_open", f"Open tickets, counted up to {OPEN_COUNTED} in all.", labels=["state"])
    for state, count in sorted(tickets.open_by_state(at_most=OPEN_COUNTED).items()):
        opened.add_metric([state], count)
    yield opened


def _requests() -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily  # noqa: PLC0415 - seldom asked for

    if tally.shared is None:
        return
    answered = CounterMetricFamily("allswell_requests", "Requests answered, by class of status.", labels=["class"])
    for name, count in tally.shared.by_class().items():
        answered.add_metric([name], count)
    yield answered
    buckets, seconds = tally.shared.histogram()
    yield HistogramMetricFamily("allswell_request_seconds", "From the last byte asked to the answer.", buckets, seconds)
