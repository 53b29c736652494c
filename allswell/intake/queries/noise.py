"""Reading which alerts come most, and what was done about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Q, QuerySet

from allswell.intake.models import Alert, AlertEpisode
from allswell.kernel.actor import Actor
from allswell.tickets import queries as tickets

from .alerts import visible_to

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

#: so many of the newest episodes are counted, so that the cost has an end; and so many lines are told of
COUNTED = 50_000
LINES = 50
#: what was done about an episode when nobody was given anything to do
_NOTHING = ("", "recorded", "silenced", "expected")


@dataclass(frozen=True, slots=True)
class Noisy:
    """An alert that came `times` times; `acted` of them led to an incident that somebody worked on. `typical`: half were shorter."""

    alert: Alert
    times: int
    acted: int
    typical: timedelta | None
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """How often the alerts of one source or service came: how many alerts, how many times, how often with an incident."""

    id: int | None
    name: str
    alerts: int
    times: int
    with_incident: int


def counted_since(since: datetime) -> datetime:
    """From when on episodes are counted: `since`, or later where there are very many."""
    newest = AlertEpisode.objects.filter(started_at__gte=since).order_by("-started_at").values_list("started_at", flat=True)
    return next(iter(newest[COUNTED : COUNTED + 1]), since)


def _episodes(actor: Actor, since: datetime) -> QuerySet[AlertEpisode]:
    rows = AlertEpisode.objects.filter(started_at__gte=since)
    return rows if actor.is_system else rows.filter(alert__in=visible_to(actor).values("pk"))


def noisiest(actor: Actor, *, since: datetime, source: int | None = None, service: int | None = None) -> list[Noisy]:
    """The alerts that came most since then, of those an actor may see; of a source or a service where asked for."""
    rows = _episodes(actor, since)
    if source is not None:
        rows = rows.filter(alert__source=source)
    if service is not None:
        rows = rows.filter(alert__service=service)
    most = rows.values("alert").annotate(times=Count("pk"), last_at=Max("started_at")).order_by("-times", "-last_at")[:LINES]
    found = {one["alert"]: one for one in most}
    told = _told(found, since)
    alerts = Alert.objects.select_related("source", "service").in_bulk(list(found))
    return [
        Noisy(alerts[number], one["times"], told[number][0], told[number][1], one["last_at"])
        for number, one in found.items()
        if number in alerts
    ]


def _told(alerts: Iterable[int], since: datetime) -> dict[int, tuple[int, timedelta | None]]:
    """Alert -> how many of its episodes somebody acted on, and how long the middle one took."""
    rows = AlertEpisode.objects.filter(alert__in=list(alerts), started_at__gte=since).values_list(
        "alert_id", "started_at", "ended_at", "ticket_id", "outcome"
    )
    lengths: dict[int, list[timedelta]] = defaultdict(list)
    of_tickets: dict[int, list[int]] = defaultdict(list)
    for alert, began, ended, ticket, outcome in rows.iterator(chunk_size=2_000):
        lengths[alert].append(max(ended - began, timedelta(0))) if ended is not None else None
        if ticket is not None and outcome not in _NOTHING:
            of_tickets[alert].append(ticket)
    numbers = sorted({ticket for some in of_tickets.values() for ticket in some})
    worked: set[int] = set()
    for start in range(0, len(numbers), 500):
        worked |= tickets.worked_on(numbers[start : start + 500])
    return {
        alert: (
            sum(ticket in worked for ticket in of_tickets[alert]),
            timedelta(seconds=median(one.total_seconds() for one in lengths[alert])) if lengths[alert] else None,
        )
        for alert in alerts
    }


def shares(actor: Actor, *, since: datetime, by: str) -> list[Share]:
    """How often alerts came since then by "source" or "service", those that came most first."""
    number, name = f"alert__{by}", f"alert__{by}__name"
    with_incident: Combinable = Count("pk", filter=Q(outcome__in=("opened", "attached", "reopened", "storm")))
    rows = (
        _episodes(actor, since)
        .values_list(number, name)
        .annotate(alerts=Count("alert", distinct=True), times=Count("pk"), with_incident=with_incident)
        .order_by("-times", number)[:LINES]
    )
    return [Share(pk, called or "", some, times, acted) for pk, called, some, times, acted in rows]
