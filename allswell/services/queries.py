"""Reading services."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import QuerySet

from . import rules
from .models import ConfigurationItem, Dependency


def services() -> QuerySet[ConfigurationItem]:
    """All services."""
    return ConfigurationItem.objects.all()


def by_ref(ref: int | str) -> ConfigurationItem | None:
    """A service by id or slug."""
    lookup = {"pk": int(ref)} if isinstance(ref, int) or str(ref).isdigit() else {"slug": ref}
    return ConfigurationItem.objects.filter(**lookup).first()


def blast_radius(item_id: int) -> list[ConfigurationItem]:
    """The services that suffer when this one fails, nearest first."""
    needed_by: dict[int, list[int]] = defaultdict(list)
    for upstream, downstream in Dependency.objects.order_by("id").values_list("upstream_id", "downstream_id"):
        needed_by[upstream].append(downstream)
    ids = rules.blast_radius(item_id, needed_by=needed_by)
    found = ConfigurationItem.objects.in_bulk(ids)
    return [found[pk] for pk in ids]
