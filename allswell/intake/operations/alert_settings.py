"""Writing what is set up about alerts: silences, maintenance windows and heartbeats, each change with its entry."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from allswell.intake.models import Alert, Heartbeat, MaintenanceWindow, Silence
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor

# silences


def create_silence(*, actor: Actor, now: datetime, **columns: Any) -> Silence:
    """Write a new silence."""
    row = Silence(created_at=now, created_by_id=actor.person, **columns)
    journal.create(row, about="silence", actor=actor, now=now)
    return row


def hold(alerts: Collection[int], *, silence: int | None = None, window: int | None = None) -> None:
    """These fire, and are held back from now on; the incidents they belong to stay as they are."""
    ids = sorted(alerts)
    for start in range(0, len(ids), 500):
        some = Alert.objects.filter(pk__in=ids[start : start + 500], state="firing", silence=None, window=None)
        some.update(silence=silence, window=window)


def begin(*, silences: Collection[int], windows: Collection[int], now: datetime) -> set[tuple[str, int]]:
    """These begin; answers, as (kind, number), those that nobody began, ended, put off or took back meanwhile."""
    begun = set()
    for kind, model, numbers in (("silence", Silence, silences), ("window", MaintenanceWindow, windows)):
        for number in sorted(numbers):
            waiting = model.objects.filter(pk=number, has_begun=False, is_over=False, starts_at__lte=now, ends_at__gt=now)
            if waiting.update(has_begun=True):
                begun.add((kind, number))
    return begun


def change_silence(row: Silence, values: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """Write what differs; what an earlier end lets go is looked at again."""
    journal.change(row, values, about="silence", actor=actor, now=now)


def take_back_silence(row: Silence, *, actor: Actor, now: datetime) -> None:
    """Forget one that has not begun."""
    journal.record(Verb.REMOVED, about=("silence", row.pk), actor=actor, now=now)
    row.delete()


# maintenance windows


def create_window(services: Iterable[int], *, actor: Actor, now: datetime, **columns: Any) -> MaintenanceWindow:
    """Write down work that is announced on services."""
    row = MaintenanceWindow(created_at=now, created_by_id=actor.person, **columns)
    journal.create(row, about="maintenance_window", actor=actor, now=now)
    row.services.set(sorted(services))
    return row


def change_window(
    row: MaintenanceWindow, values: dict[str, Any], services: Iterable[int] | None, *, actor: Actor, now: datetime
) -> None:
    """Write what differs; `services` None: as they were."""
    written = journal.change(row, values, about="maintenance_window", actor=actor, now=now)
    wanted = None if services is None else set(services)
    if wanted is not None and wanted != {one.pk for one in row.services.all()}:
        row.services.set(sorted(wanted))
        if written is None:
            data = {"fields": ["services"]}
            journal.record(Verb.CHANGED, about=("maintenance_window", row.pk), actor=actor, now=now, data=data)


def take_back_window(row: MaintenanceWindow, *, actor: Actor, now: datetime) -> None:
    """Forget work that has not begun."""
    journal.record(Verb.REMOVED, about=("maintenance_window", row.pk), actor=actor, now=now)
    row.delete()


# heartbeats


def create_heartbeat(source: int, name: str, *, every: int, grace: int, actor: Actor, now: datetime) -> Heartbeat:
    """Wait for it from now on. Raises Conflict when the source has one of this name."""
    row = Heartbeat(source_id=source, name=name, every=every, grace=grace, created_at=now)
    row.due_at = now + timedelta(seconds=every + grace)
    journal.create(row, about="heartbeat", actor=actor, now=now)
    return row


def change_heartbeat(row: Heartbeat, values: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """Write what differs, and when it is due by that."""
    is_active = values.get("is_active", row.is_active)
    wait = timedelta(seconds=values.get("every", row.every) + values.get("grace", row.grace))
    if not is_active:
        values = {**values, "due_at": None, "missing_since": None}
    elif not row.is_active:
        values = {**values, "due_at": now + wait, "missing_since": None}
    elif row.missing_since is None:
        values = {**values, "due_at": (row.last_at or row.created_at) + wait}
    journal.change(row, values, about="heartbeat", actor=actor, now=now)


def remove_heartbeat(row: Heartbeat, *, actor: Actor, now: datetime) -> None:
    """Nobody waits for it any more."""
    journal.record(Verb.REMOVED, about=("heartbeat", row.pk), actor=actor, now=now)
    row.delete()


def let_end(source: int, key: str, *, now: datetime) -> None:
    """An alert that nobody will tell the end of is over: its time is up, which is seen to in a moment."""
    Alert.objects.filter(source=source, key=key, state="firing").update(lease_until=now)
