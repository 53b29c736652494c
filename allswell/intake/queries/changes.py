"""Reading what was changed where we watch: for whom, of which service, before what."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from allswell.intake.models import SystemChange
from allswell.kernel.actor import Actor
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may
from allswell.services import queries as services

if TYPE_CHECKING:
    from allswell.services.models import ConfigurationItem


def visible_to(actor: Actor) -> QuerySet[SystemChange]:
    """The changes an actor may know: at the desk, those of services within reach; who reaches everything knows those of none, too."""
    if actor.is_system:
        return SystemChange.objects.all()
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        return SystemChange.objects.none()
    if people.reach(actor) is None:
        return SystemChange.objects.all()
    return SystemChange.objects.filter(service__in=services.known_inside(actor).values("pk"))


def newest(rows: QuerySet[SystemChange], *, limit: int) -> list[SystemChange]:
    """The newest of them, each with its source and service."""
    return list(rows.select_related("source", "service").order_by("-happened_at", "-id")[:limit])


def of_service(actor: Actor, service: ConfigurationItem, *, limit: int) -> list[SystemChange]:
    """What was changed of a service lately."""
    return newest(visible_to(actor).filter(service=service), limit=limit)


def between(actor: Actor, services: Collection[int], *, since: datetime, until: datetime, limit: int) -> list[SystemChange]:
    """What was changed of these services in a time."""
    if not services:
        return []
    return newest(visible_to(actor).filter(service__in=services, happened_at__gt=since, happened_at__lte=until), limit=limit)


def known(told: Iterable[tuple[int, datetime, str]]) -> set[tuple[int, datetime, str]]:
    """Which of these (source, instant, title) were told before."""
    told = set(told)
    asked = Q()
    for source, at, title in told:
        asked |= Q(source=source, happened_at=at, title=title)
    return set(SystemChange.objects.filter(asked).values_list("source", "happened_at", "title")) & told if told else set()
