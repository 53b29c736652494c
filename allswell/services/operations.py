"""Writing services and what they need, inside the desk's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor

from .models import ConfigurationItem, Dependency


def create(*, actor: Actor, now: datetime, **values: Any) -> ConfigurationItem:
    """A new service (`values` are columns)."""
    row = ConfigurationItem(**values)
    journal.create(row, about="service", actor=actor, now=now)
    return row


def change(row: ConfigurationItem, values: dict[str, Any], *, actor: Actor, now: datetime) -> Entry | None:
    """Save what differs."""
    return journal.change(row, values, about="service", actor=actor, now=now)


def set_active(row: ConfigurationItem, *, is_active: bool, actor: Actor, now: datetime) -> Entry | None:
    """Take a service out of use, or bring it back."""
    verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
    return journal.change(row, {"is_active": is_active}, about="service", actor=actor, now=now, verb=verb)


def set_needs(row: ConfigurationItem, *, upstream: Iterable[int], actor: Actor, now: datetime) -> bool:
    """Make `upstream` (ids) exactly what the service needs; False when it was so already."""
    wanted = set(upstream)
    held = set(Dependency.objects.filter(downstream=row).values_list("upstream_id", flat=True))
    if wanted == held:
        return False
    Dependency.objects.filter(downstream=row, upstream__in=held - wanted).delete()
    Dependency.objects.bulk_create([Dependency(upstream_id=pk, downstream=row) for pk in sorted(wanted - held)])
    data = {"fields": ["needs"], "from": {"needs": sorted(held)}, "to": {"needs": sorted(wanted)}}
    journal.record(Verb.CHANGED, about=("service", row.pk), actor=actor, now=now, data=data)
    return True
