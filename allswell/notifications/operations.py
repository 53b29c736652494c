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


def prefer(person: int, wanted: dict[tuple[str, str], bool]) -> list[tuple[str, str]]:
    """Write what a person wants: {(topic, channel): wanted}. Answers the choices that changed; a default is not written."""
    said = {(row.topic, row.channel): row for row in Preference.objects.filter(person=person)}
    changed: list[tuple[str, str]] = []
    for (topic, channel), is_wanted in sorted(wanted.items()):
        row = said.get((topic, channel))
        if row is None:
            if is_wanted is (channel in rules.DEFAULTS[rules.Topic(topic)]):
                continue
            Preference.objects.create(person_id=person, topic=topic, channel=channel, is_wanted=is_wanted)
        elif row.is_wanted is not is_wanted:
            Preference.objects.filter(pk=row.pk).update(is_wanted=is_wanted)
        else:
            continue
        changed.append((topic, channel))
    return changed
