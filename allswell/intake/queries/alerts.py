"""Reading what monitoring tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Length

from allswell.database.rows import Prepared
from allswell.intake.models import Alert, AlertRule, AlertSource, Heartbeat, MaintenanceWindow, RawReport, Silence
from allswell.intake.parsers.alerts.shape import Severity
from allswell.intake.rules.matching import parse_all
from allswell.intake.rules.routing import Quiet, Rule
from allswell.intake.rules.standing import Standing, State
from allswell.kernel.actor import Actor
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may
from allswell.services import queries as services
from allswell.tickets import queries as tickets

# sources


@dataclass(frozen=True, slots=True)
class Known:
    """A source, as the intake needs it for each request."""

    id: int
    slug: str
    kind: str
    is_active: bool
    mapping: dict[str, Any]
    secret: str
    is_former: bool
    service: int | None
    team: int | None
    ends_after: int | None


_BY_DIGEST = Prepared(
    lambda digest: AlertSource.objects.filter(Q(key_digest=digest) | Q(former_digest=digest)).values_list(
        "id",
        "slug",
        "kind",
        "is_active",
        "mapping",
        "secret",
        "key_digest",
        "service_id",
        "team_id",
        "former_until",
        "ends_after",
    )
)


def source_by_digest(digest: str, *, now: datetime) -> Known | None:
    """The source whose key has this digest; a former key serves until its time is over."""
    row = _BY_DIGEST.first(digest)
    if row is None:
        return None
    number, slug, kind, is_active, mapping, secret, current, service, team, until, ends_after = row
    is_former = current != digest
    if is_former and (until is None or until <= now):
        return None
    return Known(number, slug, kind, is_active, mapping, secret, is_former, service, team, ends_after)


def sources() -> QuerySet[AlertSource]:
    """All sources."""
    return AlertSource.objects.select_related("service", "team")


def known(ids: Collection[int]) -> dict[int, Known]:
    """Sources by id, as the intake needs them."""
    rows = AlertSource.objects.filter(pk__in=ids)
    return {
        row.pk: Known(
            row.pk,
            row.slug,
            row.kind,
            row.is_active,
            row.mapping,
            row.secret,
            False,
            row.service_id,
            row.team_id,
            row.ends_after,
        )
        for row in rows
    }


# what waits

_WAITS = Prepared(lambda: RawReport.objects.filter(handled_at=None).order_by("id").values_list("id")[:1])


def is_waiting() -> bool:
    """Whether a request waits to be read."""
    return bool(_WAITS.rows())


def waiting(*, limit: int, most_bytes: int) -> list[RawReport]:
    """The oldest requests that wait, at most `limit` and about `most_bytes` together, at least one."""
    taken: list[int] = []
    size = 0
    sizes = RawReport.objects.filter(handled_at=None).order_by("id").annotate(size=Length("body")).values_list("pk", "size")
    for number, length in sizes[:limit]:
        size += length
        if taken and size > most_bytes:
            break
        taken.append(number)
    return list(RawReport.objects.filter(pk__in=taken).order_by("id"))


def waiting_count(*, limit: int) -> int:
    """How many requests wait, at most `limit`."""
    return RawReport.objects.filter(handled_at=None).order_by("id")[:limit].count()


def unread() -> QuerySet[RawReport]:
    """Requests that could not be read, newest first."""
    return RawReport.objects.filter(~Q(error="")).select_related("source").order_by("-id")


# alerts


def standing(row: Alert) -> Standing:
    """How an alert stands, for the rules."""
    return Standing(
        State(row.state),
        Severity(row.severity),
        row.started_at,
        row.since_at,
        row.last_at,
        row.seen_at,
        row.episode,
        row.count,
        row.total,
        row.resolved_at,
        row.ended_by,
        row.lease_until,
        tuple(datetime.fromisoformat(turn) for turn in row.turns),
        row.is_flapping,
        row.calm_at,
        row.acknowledged_at,
        row.acknowledged_by,
        row.told_by,
        row.left_out_at,
    )


def by_keys(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Alert]:
    """Alerts by source and key."""
    keys: dict[int, list[str]] = {}
    for source, key in wanted:
        keys.setdefault(source, []).append(key)
    found: dict[tuple[int, str], Alert] = {}
    for source, some in keys.items():
        for start in range(0, len(some), 500):
            for row in Alert.objects.filter(source=source, key__in=some[start : start + 500]):
                found[source, row.key] = row
    return found


def firing_of_group(source: int, group: str) -> list[Alert]:
    """What fires of a group of the sender's."""
    return list(Alert.objects.filter(source=source, group=group, state="firing"))


def unheard(source: int, groups: Collection[str], *, since: datetime) -> list[str]:
    """The keys of what fires of groups of a sender's though nothing was told of it since then."""
    rows = Alert.objects.filter(source=source, group__in=groups, state="firing", seen_at__lte=since)
    return list(rows.values_list("key", flat=True))


def expired(*, now: datetime, limit: int) -> list[Alert]:
    """What fires though its lease is over."""
    return list(Alert.objects.filter(state="firing", lease_until__lte=now).order_by("lease_until")[:limit])


def stale(*, now: datetime, limit: int) -> list[Alert]:
    """What fires though nothing was told of it for as long as its source allows."""
    rows = Alert.objects.filter(state="firing", stale_at__lte=now).select_related("source")
    return list(rows.order_by("stale_at")[:limit])


def calmed(*, now: datetime, limit: int) -> list[Alert]:
    """What flapped and has not turned for long enough."""
    return list(Alert.objects.filter(calm_at__lte=now).order_by("calm_at")[:limit])


def held_back(*, silences: Collection[int], windows: Collection[int]) -> list[Alert]:
    """What fires and was held back by these."""
    held = Q(silence__in=silences) | Q(window__in=windows)
    return list(Alert.objects.filter(held, state="firing"))


def tickets_of(cases: Collection[str], *, since: datetime) -> dict[str, int]:
    """Case -> the newest ticket that one of its alerts belongs to, among those seen since then."""
    rows = (
        Alert.objects.filter(case__in=cases, ticket__isnull=False, seen_at__gte=since)
        .values_list("case")
        .annotate(newest=Max("ticket"))
    )
    return dict(rows)


def unsettled(tickets: Collection[int]) -> dict[int, int]:
    """Ticket -> how many of its alerts fire, or flap."""
    rows = Alert.objects.filter(Q(state="firing") | Q(is_flapping=True), ticket__in=tickets)
    return dict(rows.values_list("ticket").annotate(count=Count("pk")))


def rules_of(tickets: Collection[int]) -> dict[int, int]:
    """Ticket -> the rule that its newest alert fitted."""
    rows = Alert.objects.filter(ticket__in=tickets, rule__isnull=False).order_by("seen_at").values_list("ticket_id", "rule_id")
    return {ticket: rule for ticket, rule in rows if ticket is not None and rule is not None}


def lately_opened(source: int, *, since: datetime) -> list[int]:
    """The tickets that alerts of a source were a reason to open since then, oldest first, each once."""
    rows = (
        Alert.objects.filter(source=source, ticket__opened_at__gte=since, ticket__done_at=None)
        .values_list("ticket", flat=True)
        .order_by("ticket")
        .distinct()
    )
    return [number for number in rows if number is not None]


# what is set up


def all_rules() -> QuerySet[AlertRule]:
    """Every rule, in use or not, in the order in which they are asked."""
    return AlertRule.objects.order_by("position", "id")


def rules() -> list[Rule]:
    """The rules in force, in their order."""
    rows = AlertRule.objects.filter(is_active=True).order_by("position", "id")
    return [Rule.parse(row.definition, number=row.pk, name=row.name) for row in rows]


def quiet(*, now: datetime) -> list[Quiet]:
    """Silences and maintenance windows in force, the windows first."""
    return [one for one, _until in quiet_until(now=now)]


def quiet_until(*, now: datetime) -> list[tuple[Quiet, datetime]]:
    """The same, each with its end."""
    in_force = Q(is_over=False, starts_at__lte=now, ends_at__gt=now)
    found = []
    for window in MaintenanceWindow.objects.filter(in_force).prefetch_related("services"):
        of_services = frozenset(service.pk for service in window.services.all())
        found.append((Quiet("window", window.pk, parse_all(window.matchers), of_services, window.ticket_id), window.ends_at))
    for row in Silence.objects.filter(in_force):
        of_service = frozenset([row.service_id]) if row.service_id else frozenset()
        found.append((Quiet("silence", row.pk, parse_all(row.matchers), of_service, row.ticket_id), row.ends_at))
    return found


def to_begin(*, now: datetime) -> tuple[list[int], list[int]]:
    """Silences and windows whose time has come, and which have not held back yet what fires."""
    due = Q(has_begun=False, is_over=False, starts_at__lte=now)
    return _numbers(Silence.objects.filter(due)), _numbers(MaintenanceWindow.objects.filter(due))


def _numbers(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("pk", flat=True))


def ended(*, now: datetime) -> tuple[list[int], list[int]]:
    """Silences and windows whose time is over and that are not marked so."""
    due = Q(is_over=False, ends_at__lte=now)
    return _numbers(Silence.objects.filter(due)), _numbers(MaintenanceWindow.objects.filter(due))


def service_names() -> dict[str, int]:
    """Services in use by slug and by name, folded; a slug wins over another's name."""
    rows = list(services.services().filter(is_active=True).values_list("pk", "slug", "name"))
    return {**{name.casefold(): pk for pk, _, name in rows}, **{slug: pk for pk, slug, _ in rows}}


def heartbeats(source: int) -> QuerySet[Heartbeat]:
    """The heartbeats of a source, by name."""
    return Heartbeat.objects.filter(source=source).order_by("name", "id")


def missing_heartbeats(*, now: datetime, limit: int) -> list[Heartbeat]:
    """What should have been heard of by now."""
    return list(Heartbeat.objects.filter(is_active=True, due_at__lte=now).select_related("source").order_by("due_at")[:limit])


def is_timer_due(now: datetime) -> bool:
    """Whether a lease, the patience for an alert, a flapping, a silence, a window or a heartbeat is over, or a quiet time begins."""
    return (
        Alert.objects.filter(state="firing", lease_until__lte=now).exists()
        or Alert.objects.filter(state="firing", stale_at__lte=now).exists()
        or Alert.objects.filter(calm_at__lte=now).exists()
        or Heartbeat.objects.filter(is_active=True, due_at__lte=now).exists()
        or any(ended(now=now))
        or any(to_begin(now=now))
    )


# what is shown


def visible_to(actor: Actor) -> QuerySet[Alert]:
    """The alerts an actor may see: at the desk, those of the services within reach and of the tickets they see; who reaches
    everything sees those without either, too. Those of a restricted ticket are for who sees that."""
    if actor.is_system:
        return Alert.objects.all()
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        return Alert.objects.none()
    of_ticket = Q(ticket__in=tickets.at_the_desk(actor).values("pk"))
    is_open = Q(ticket=None) | Q(ticket__is_restricted=False)
    if people.reach(actor) is None:
        return Alert.objects.filter(is_open | of_ticket)
    of_service = Q(service__in=services.known_inside(actor).values("pk"))
    return Alert.objects.filter((of_service & is_open) | of_ticket)


def counted(rows: QuerySet[Alert], *, most: int) -> tuple[int, int]:
    """How many of these alerts there are, and how many of them fire; `most` + 1: more than that."""
    return rows.order_by()[: most + 1].count(), rows.filter(state="firing").order_by()[: most + 1].count()


def after(rows: QuerySet[Alert], place: tuple[datetime, int] | None) -> QuerySet[Alert]:
    """The newest first, from a place (instant, id) on."""
    if place is not None:
        at, number = place
        rows = rows.filter(Q(last_at__lt=at) | Q(last_at=at, pk__lt=number))
    return rows.order_by("-last_at", "-id")
