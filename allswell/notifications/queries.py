"""Reading notices and what people want of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Count, QuerySet

from . import rules
from .models import Delivery, Preference


def wanted(person: int, *, is_agent: bool) -> dict[rules.Topic, frozenset[str]]:
    """Topic -> channels a person is told by, as their profile shows it."""
    said: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in Preference.objects.filter(person=person):
        said[row.topic][row.channel] = row.is_wanted
    return {topic: rules.channels(topic, said=said[topic.value]) for topic in rules.topics(is_agent=is_agent)}


def inbox(person: int) -> QuerySet[Delivery]:
    """The notices a person has in the app, newest first."""
    return Delivery.objects.filter(person=person, channel="app").order_by("-id")


def unread_counts(people: Iterable[int]) -> dict[int, int]:
    """Person id -> notices in the app not read yet; who has none is left out."""
    rows = Delivery.objects.filter(person__in=sorted(people), channel="app", read_at__isnull=True)
    return dict(rows.order_by().values_list("person").annotate(Count("id")))
