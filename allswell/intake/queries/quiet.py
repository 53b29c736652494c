"""Reading silences and maintenance windows: which there are, for whom, and which alerts that fire they are about."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from allswell.intake.models import Alert, MaintenanceWindow, Silence
from allswell.intake.parsers.alerts.shape import Severity
from allswell.intake.rules.routing import Facts, Quiet
from allswell.kernel.actor import Actor
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may
from allswell.services import queries as services
from allswell.tickets import queries as tickets

#: so many alerts that fire are looked at for a preview
MOST = 2_000


def silences_visible_to(actor: Actor) -> QuerySet[Silence]:
    """The silences an actor may know: of services within reach, of tickets they see at the desk, their own; those about labels
    alone are for who reaches everything."""
    rows = Silence.objects.select_related("service__team", "ticket", "created_by")
    if actor.is_system:
        return rows
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        return rows.none()
    of_ticket = Q(ticket__in=tickets.at_the_desk(actor).values("pk"))
    if people.reach(actor) is None:
        return rows.filter(Q(ticket=None) | of_ticket)
    of_service = Q(ticket=None, service__in=services.known_inside(actor).values("pk"))
    return rows.filter(of_ticket | of_service | Q(ticket=None, created_by=actor.person))


def held_silence(silence: int) -> int:
    """Keep others from changing a silence until this transaction is over; its number."""
    Silence.objects.select_for_update().filter(pk=silence).values_list("pk", flat=True).first()
    return silence


def windows_visible_to(actor: Actor) -> QuerySet[MaintenanceWindow]:
    """The announced work an actor may know: on services within reach, and their own."""
    rows = MaintenanceWindow.objects.select_related("ticket", "created_by").prefetch_related("services__team")
    if actor.is_system:
        return rows
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        return rows.none()
    if people.reach(actor) is None:
        return rows
    through = MaintenanceWindow.services.through.objects.filter(
        maintenancewindow=OuterRef("pk"), configurationitem__in=services.known_inside(actor).values("pk")
    )
    return rows.filter(Exists(through) | Q(created_by=actor.person))


def running_windows(actor: Actor, *, now: datetime, service: int | None = None) -> QuerySet[MaintenanceWindow]:
    """Work that goes on now, as far as the actor may know; of one service, or all."""
    rows = windows_visible_to(actor).filter(is_over=False, starts_at__lte=now, ends_at__gt=now).order_by("ends_at", "id")
    return rows if service is None else rows.filter(services=service)


def covered(quiet: Quiet, rows: QuerySet[Alert], *, most: int | None = MOST) -> list[int]:
    """Which of these alerts it is about, of the newest `most` that fire (None: of all)."""
    names = ("pk", "source_id", "source__slug", "key", "group", "severity", "title", "labels", "service_id", "ticket_id")
    found = []
    firing = rows.filter(state="firing")
    if quiet.kind == "silence" and quiet.ticket is not None:
        firing = firing.filter(ticket=quiet.ticket)
    elif quiet.services:
        firing = firing.filter(service__in=quiet.services)
    for pk, source, slug, key, group, severity, title, labels, service, ticket in firing.order_by("-last_at", "-id").values_list(
        *names
    )[:most]:
        told = Facts.of(
            source=source, source_slug=slug, key=key, group=group, severity=Severity(severity), title=title, labels=labels
        )
        if quiet.covers(told, service=service, ticket=ticket):
            found.append(pk)
    return found


def at_rest(numbers: Collection[int]) -> set[int]:
    """Of these tickets those with alerts that fire, all of which are held back."""
    held = Q(silence__isnull=False) | Q(window__isnull=False)
    firing = Alert.objects.filter(ticket__in=numbers, state="firing").order_by()
    some = set(firing.filter(held).values_list("ticket", flat=True).distinct())
    return some - set(firing.filter(~held, ticket__in=some).values_list("ticket", flat=True).distinct()) if some else set()


def tickets_of(alerts: Collection[int]) -> set[int]:
    """The tickets that these alerts belong to."""
    ids, found = sorted(alerts), set()
    for start in range(0, len(ids), 500):
        found |= set(Alert.objects.filter(pk__in=ids[start : start + 500], ticket__isnull=False).values_list("ticket", flat=True))
    return found


def everything_firing() -> QuerySet[Alert]:
    """What fires, whoever may see it: for what holds for all of it."""
    return Alert.objects.filter(state="firing")
