"""Reading notices and what people want of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Prefetch, Q, QuerySet

from allswell.database.rows import Prepared
from allswell.notifications import rules
from allswell.notifications.models import Attempt, Delivery, Preference, Webhook


def wanted(person: int, *, is_agent: bool) -> dict[rules.Topic, frozenset[str]]:
    """Topic -> channels a person is told by, as their profile shows it."""
    said: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in Preference.objects.filter(person=person):
        said[row.topic][row.channel] = row.is_wanted
    return {topic: rules.channels(topic, said=said[topic.value]) for topic in rules.topics(is_agent=is_agent)}


def inbox(person: int) -> QuerySet[Delivery]:
    """The notices a person has in the app, newest first."""
    return Delivery.objects.filter(person=person, channel="app").exclude(outcome=rules.Outcome.MOOT.value).order_by("-id")


def _unread(*people: int) -> QuerySet[Delivery, Any]:
    rows = Delivery.objects.filter(person__in=people, channel="app", read_at__isnull=True)
    return rows.order_by().values_list("person").annotate(Count("id"))


_UNREAD = Prepared(_unread)


def unread_counts(people: Iterable[int]) -> dict[int, int]:
    """Person id -> notices in the app not read yet; who has none is left out."""
    wanted = sorted(people)
    return dict(_UNREAD.rows(*wanted)) if wanted else {}


_DUE = """
SELECT 1 FROM notifications_delivery WHERE settled_at IS NULL AND channel = %s AND due_at <= %s
AND (claimed_until IS NULL OR claimed_until < %s) LIMIT 1
"""


def is_due(channel: str, now: datetime) -> bool:
    """Whether something waits to be sent by a channel; one look at the index of what is pending, no lock.

    The engine asks ten times a second, so the statement is written by hand.
    """
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [channel, at, at])
        return cursor.fetchone() is not None


def notices(delivery_id: int) -> list[Delivery]:
    """A pending mail with what is bundled in it, oldest first; entries and who made them loaded. Empty when it is settled."""
    rows = Delivery.objects.select_related("entry", "entry__person").order_by("id")
    found = list(rows.filter(Q(pk=delivery_id) | Q(bundled_in=delivery_id)))
    return found if any(row.pk == delivery_id and row.settled_at is None for row in found) else []


def is_wanted(row: Delivery) -> bool:
    """Whether the person wants this topic by this channel today."""
    said = Preference.objects.filter(person=row.person_id, topic=row.topic).values_list("channel", "is_wanted")
    return row.channel in rules.channels(rules.Topic(row.topic), said=dict(said))


def mailed(ticket: int, person: int, *, limit: int) -> list[tuple[datetime, str]]:
    """The last mails a person got about a ticket, oldest first: when, and the key of the one that was sent."""
    rows = Delivery.objects.filter(ticket=ticket, person=person, channel="email", outcome__in=("sent", "bundled"))
    found = rows.order_by("-id").values_list("settled_at", "key", "outcome", "bundled_in__key", "bundled_in__outcome")[:limit]
    keys: dict[str, datetime] = {}
    for at, key, outcome, outer, outer_outcome in reversed(found):
        if at is None:
            continue
        if outcome == rules.Outcome.SENT:
            keys[key] = at
        elif outer_outcome == rules.Outcome.SENT:
            keys[outer] = at
    return [(at, key) for key, at in keys.items()]


def mailed_at(person: int, *, since: datetime, limit: int) -> list[datetime]:
    """When the last mails to a person went out, oldest first."""
    rows = Delivery.objects.filter(person=person, channel="email", outcome=rules.Outcome.SENT.value, settled_at__gt=since)
    found = rows.order_by("-settled_at").values_list("settled_at", flat=True)[:limit]
    return [at for at in reversed(found) if at is not None]


def tickets_of_mail(delivery_id: int) -> list[int]:
    """The tickets whose conversation a mail and what is bundled in it belong to."""
    rows = Delivery.objects.filter(Q(pk=delivery_id) | Q(bundled_in=delivery_id), ticket__isnull=False)
    rows = rows.exclude(topic__in=[topic.value for topic in rules.ALONE])
    return list(dict.fromkeys(rows.order_by("id").values_list("ticket", flat=True)))


@dataclass(frozen=True, slots=True)
class Queue:
    """How a channel fares: `pending` counts at most CAP; `failing_since` is when the tries began to fail without one success."""

    channel: str
    pending: int
    oldest_due_at: datetime | None
    failing_since: datetime | None
    last_error: str
    failed_lately: int


CAP = 1000


def queue(channel: str, *, now: datetime) -> Queue:
    """What waits in a channel and whether it gets through; for doctor and metrics."""
    waiting = Delivery.objects.filter(channel=channel, settled_at__isnull=True)
    tries = Attempt.objects.filter(channel=channel).order_by("-id")
    last = tries.first()
    failing_since, last_error = None, ""
    if last is not None and last.outcome == rules.Outcome.RETRY:
        well = tries.filter(outcome=rules.Outcome.SENT.value).values_list("id", flat=True).first() or 0
        first = tries.filter(id__gt=well, outcome=rules.Outcome.RETRY.value).order_by("id").first() or last
        failing_since, last_error = first.started_at, last.detail
    lately = tries.filter(outcome=rules.Outcome.FAILED.value, ended_at__gte=now - timedelta(days=1))
    return Queue(
        channel=channel,
        pending=len(waiting.order_by("due_at").values_list("id")[:CAP]),
        oldest_due_at=waiting.order_by("due_at").values_list("due_at", flat=True).first(),
        failing_since=failing_since,
        last_error=last_error,
        failed_lately=len(lately.values_list("id")[:CAP]),
    )


def webhooks() -> QuerySet[Webhook]:
    """All webhooks, by name."""
    return Webhook.objects.select_related("owner").order_by("name", "id")


def webhook(webhook_id: int) -> Webhook | None:
    """A webhook, its owner loaded."""
    return webhooks().filter(pk=webhook_id).first()


def calls_of(webhook_id: int) -> QuerySet[Delivery]:
    """The delivery log of a webhook, newest first, each with its tries."""
    tries = Prefetch("tries", Attempt.objects.order_by("id"))
    return Delivery.objects.filter(webhook=webhook_id).select_related("entry").prefetch_related(tries).order_by("-id")


def call(delivery_id: int) -> Delivery | None:
    """A call of a webhook, pending or over, its webhook and entry loaded."""
    rows = Delivery.objects.select_related("webhook", "webhook__owner", "entry")
    return rows.filter(pk=delivery_id, webhook__isnull=False).first()
