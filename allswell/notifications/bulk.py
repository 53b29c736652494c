"""Very many notices at once, in a few statements: what the clocks tell when their time has come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allswell.journal.bulk import insert_columns
from allswell.journal.models import Entry
from allswell.people import queries as people

from . import rules
from .models import Delivery, Preference, Webhook
from .rules import Passed, Topic


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person is told of one journal entry about a ticket."""

    topic: Topic
    person: int
    entry: Entry
    content: dict[str, Any]


def enqueue(notices: Sequence[Notice], *, now: datetime) -> None:
    """The deliveries of many notices: one per wanted channel."""
    wanted = _wanted({(notice.topic, notice.person) for notice in notices})
    addresses = people.primary_addresses(sorted({person for (_, person), ways in wanted.items() if "email" in ways}))
    rows: list[dict[str, Any]] = []
    for notice in notices:
        entry = notice.entry
        for channel in sorted(wanted[notice.topic, notice.person]):
            if channel == "email" and notice.person not in addresses:
                continue
            key = f"{entry.action.hex}.{entry.pk}.{notice.topic.value}.{notice.person}.{channel}"
            row = _row(notice.topic, notice.person, channel, addresses, notice.content, key=key, now=now)
            rows.append(row | {"ticket_id": entry.ticket_id, "entry_id": entry.pk})
    insert_columns(Delivery, rows)


def _wanted(pairs: Iterable[tuple[Topic, int]]) -> dict[tuple[Topic, int], frozenset[str]]:
    """(topic, person) -> the channels the person wants it by."""
    asked = set(pairs)
    said: dict[tuple[str, int], dict[str, bool]] = defaultdict(dict)
    topics, persons = {topic.value for topic, _ in asked}, {person for _, person in asked}
    chosen = Preference.objects.filter(topic__in=topics, person__in=persons)
    for topic, person, channel, is_wanted in chosen.values_list("topic", "person_id", "channel", "is_wanted"):
        said[topic, person][channel] = is_wanted
    return {(topic, person): rules.channels(topic, said=said[topic.value, person]) for topic, person in asked}


def _row(
    topic: Topic,
    person: int,
    channel: str,
    addresses: Mapping[int, str],
    content: dict[str, Any],
    *,
    key: str,
    now: datetime,
) -> dict[str, Any]:
    return {
        "channel": channel,
        "topic": topic.value,
        "person_id": person,
        "address": addresses.get(person, "") if channel == "email" else "",
        "content": content,
        "key": key,
        "created_at": now,
        "due_at": rules.due_at(topic, channel, now=now),
        "settled_at": now if channel == "app" else None,
        "outcome": "sent" if channel == "app" else "",
    }


def gather(news: Mapping[int, Passed], *, action: str, now: datetime) -> None:
    """One notice per person of what passed while nobody could be told; it grows as long as it is neither sent nor read.

    Only one transaction at a time may gather (`database.alone`). `action` makes the keys of new notices.
    """
    found: dict[tuple[int, str], Delivery] = {}
    for row in Delivery.objects.select_for_update(skip_locked=True).filter(
        person__in=list(news), topic=Topic.DIGEST.value, read_at=None, claimed_until=None, created_at__gt=now - rules.GATHERS_LATE
    ):
        if row.channel == "app" or row.settled_at is None:
            found[row.person_id or 0, row.channel] = row
    wanted = _wanted((Topic.DIGEST, person) for person in news)
    addresses = people.primary_addresses(sorted(person for (_, person), ways in wanted.items() if "email" in ways))
    rows: list[dict[str, Any]] = []
    for person, passed in news.items():
        for channel in sorted(wanted[Topic.DIGEST, person]):
            waiting = found.get((person, channel))
            if waiting is not None:
                waiting.content = Passed.from_json(waiting.content).joined(passed).as_json()
                waiting.due_at = rules.due_at(Topic.DIGEST, channel, now=now)
            elif channel == "app" or person in addresses:
                key = f"{action}.digest.{person}.{channel}"
                rows.append(_row(Topic.DIGEST, person, channel, addresses, passed.as_json(), key=key, now=now))
    Delivery.objects.bulk_update([row for row in found.values() if row.person_id in news], ["content", "due_at"])
    insert_columns(Delivery, rows)


def fan_out(told: Sequence[tuple[Entry, Callable[[], dict[str, Any]]]], *, now: datetime) -> None:
    """Pending calls of the webhooks that want these entries; who has very many waiting already is not told of more."""
    rows: list[dict[str, Any]] = []
    for pk, verbs in Webhook.objects.filter(is_active=True).order_by("id").values_list("id", "verbs"):
        wanted = [(entry, payload) for entry, payload in told if rules.takes(verbs, entry.verb)]
        if not wanted:
            continue
        waiting = Delivery.objects.filter(webhook=pk, settled_at__isnull=True, channel="webhook").values_list("id")
        for entry, payload in wanted[: max(0, rules.CALLS_WAIT - len(waiting[: rules.CALLS_WAIT]))]:
            rows.append(
                {
                    "channel": "webhook",
                    "topic": Topic.WEBHOOK.value,
                    "webhook_id": pk,
                    "ticket_id": entry.ticket_id,
                    "entry_id": entry.pk,
                    "content": payload(),
                    "key": f"msg_{entry.action.hex}_{entry.pk}_{pk}",
                    "created_at": now,
                    "due_at": now,
                }
            )
    insert_columns(Delivery, rows)
