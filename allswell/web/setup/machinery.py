"""How the machinery fares: which engines watch, who watches them, whether mail comes in, and when nothing was watching."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allswell.desk import machinery as desk
from allswell.intake.queries import mail_standing
from allswell.jobs import queries
from allswell.jobs.queries import Pulse
from allswell.jobs.rules import BLIND_TIMES_KEPT, WATCHER_MISSED_AFTER, is_alive
from allswell.notifications import blind_wording
from allswell.web import blind
from allswell.web.pages import PageRequest, page

from .gate import setup_page
from .mailboxes import problem

#: blind times that are shown
SHOWN = 50


@dataclass(slots=True)
class Node:
    """An engine and its modules."""

    name: str
    version: str
    beat_at: datetime
    is_alive: bool
    modules: list[Pulse] = field(default_factory=list)

    @property
    def failing(self) -> list[tuple[str, list[str]]]:
        """What failed last, and in which modules: one reason stops all of them often."""
        found: dict[str, list[str]] = {}
        for pulse in self.modules:
            if pulse.error:
                found.setdefault(pulse.error, []).append(pulse.module)
        return list(found.items())


@dataclass(frozen=True, slots=True)
class Looking:
    """A watcher on another machine, and when it was seen."""

    name: str
    text: str
    is_missed: bool


def nodes(*, now: datetime) -> list[Node]:
    """The engines that beat within the last day, the last to beat first."""
    found: dict[str, Node] = {}
    for pulse in queries.pulses():
        alive = is_alive(pulse.beat_at, now=now)
        found.setdefault(pulse.node, Node(pulse.node, pulse.version, pulse.beat_at, alive)).modules.append(pulse)
    return list(found.values())


def looking(*, now: datetime) -> list[Looking]:
    """The watchers, and for how long each was not seen."""
    found = []
    for row in queries.watchers():
        ago = max(now - row.seen_at, timedelta())
        words = {"length": blind_wording.length(round(ago.total_seconds()))}
        is_missed = ago > WATCHER_MISSED_AFTER
        text = _("not seen for %(length)s") if is_missed else _("last seen %(length)s ago")
        found.append(Looking(row.name, text % words, is_missed))
    return found


@require_safe
@setup_page
def machinery(request: PageRequest) -> HttpResponse:
    """Engines, watchers and blind times."""
    now = request.now
    desk.view(request.actor)
    return page(
        request,
        "setup/machinery.html",
        nodes=nodes(now=now),
        watchers=looking(now=now),
        may_watch=bool(settings.WATCHER_TOKEN),
        mailboxes=mail_standing.failing(),
        forgotten=mail_standing.forgotten(now=now),
        most=mail_standing.CAP,
        is_mail_taken=mail_standing.is_any_in_use(),
        problem=problem,
        blind=blind.lines(queries.blind_times(now - BLIND_TIMES_KEPT, now + timedelta(days=1))[:SHOWN]),
        here="setup",
        tab="machinery",
    )
