"""Writing notices into the outbox, in the transaction of the fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from allswell.journal.models import Entry
from allswell.people import queries as people

from . import rules
from .models import Delivery, Preference


def enqueue(
    entry: Entry,
    *,
    topic: rules.Topic,
    persons: Iterable[int],
    content: dict[str, Any],
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """One pending delivery per person and wanted channel. App notices are settled at once: being there is being delivered."""
    ids = sorted(set(persons))
    if not ids:
        return
    said: dict[int, dict[str, bool]] = defaultdict(dict)
    for row in Preference.objects.filter(person__in=ids, topic=topic.value):
        said[row.person_id][row.channel] = row.is_wanted
    wanted = {person: rules.channels(topic, said=said[person]) for person in ids}
    addresses = people.primary_addresses([person for person in ids if "email" in wanted[person]])
    deliveries = []
    for person in ids:
        for channel in sorted(wanted[person]):
            if channel == "email" and person not in addresses:
                continue
            deliveries.append(
                Delivery(
                    channel=channel,
                    topic=topic.value,
                    person_id=person,
                    address=addresses.get(person, "") if channel == "email" else "",
                    ticket_id=entry.ticket_id,
                    entry=entry,
                    content=content,
                    key=f"{entry.action.hex}.{entry.pk}.{topic.value}.{person}.{channel}",
                    created_at=now,
                    due_at=due_at or now,
                    settled_at=now if channel == "app" else None,
                    outcome="sent" if channel == "app" else "",
                )
            )
    Delivery.objects.bulk_create(deliveries)
