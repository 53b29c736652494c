"""Writing what monitoring tells. Alerts are written many at once: a storm comes in thousands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from allswell.intake.models import Alert, AlertEpisode, AlertRule, AlertSource, Heartbeat, MaintenanceWindow, RawReport, Silence
from allswell.intake.parsers.alerts.shape import AlertReport
from allswell.intake.rules.kept import Raw
from allswell.intake.rules.recent import counted
from allswell.intake.rules.standing import HEARTBEAT, Standing
from allswell.journal import bulk


def keep(rows: Sequence[Raw]) -> None:
    """Keep requests word for word; they wait to be read."""
    bulk.insert(
        [
            RawReport(source_id=row.source, received_at=row.received_at, head=row.head, body=row.body, nonce=row.nonce)
            for row in rows
        ]
    )


def settle(ids: Collection[int], *, now: datetime) -> set[int]:
    """Take requests as read; answers those that were still waiting, so that nothing is taken twice."""
    waiting = RawReport.objects.filter(pk__in=ids, handled_at=None)
    mine = set(waiting.select_for_update().values_list("pk", flat=True))
    RawReport.objects.filter(pk__in=mine).update(handled_at=now)
    return mine


def refuse(errors: Mapping[int, str]) -> None:
    """Write down why requests could not be read."""
    for number, why in errors.items():
        RawReport.objects.filter(pk=number).update(error=why[:300])


def wait_again(number: int) -> bool:
    """A request that could not be read waits again; False when there is no such."""
    found = RawReport.objects.filter(~Q(error=""), pk=number)
    return bool(found.update(error="", handled_at=None))


def forget(number: int) -> bool:
    """Delete a request that could not be read; False when there is no such."""
    return bool(RawReport.objects.filter(~Q(error=""), pk=number).delete()[0])


def note_seen(counts: Mapping[int, tuple[int, datetime]]) -> None:
    """Count what sources said, and remember when they were heard of last. One transaction at a time does this."""
    recent = dict(AlertSource.objects.filter(pk__in=counts).values_list("pk", "recent"))
    for source in sorted(counts):
        count, at = counts[source]
        lately = counted(recent.get(source, {}), count, at=at)
        AlertSource.objects.filter(pk=source).update(seen_count=F("seen_count") + count, last_seen_at=at, recent=lately)


# alerts


def columns_of(standing: Standing) -> dict[str, Any]:
    """The columns of `Alert` that say how it stands."""
    return {
        "state": standing.state.value,
        "severity": standing.severity.value,
        "episode": standing.episode,
        "count": standing.count,
        "total": standing.total,
        "started_at": standing.started_at,
        "since_at": standing.since_at,
        "last_at": standing.last_at,
        "seen_at": standing.seen_at,
        "resolved_at": standing.resolved_at,
        "ended_by": standing.ended_by,
        "lease_until": standing.lease_until,
        "turns": [turn.isoformat() for turn in standing.turns],
        "is_flapping": standing.is_flapping,
        "calm_at": standing.calm_at,
        "acknowledged_at": standing.acknowledged_at,
        "acknowledged_by": standing.acknowledged_by,
        "told_by": standing.told_by,
        "left_out_at": standing.left_out_at,
    }


def words_of(report: AlertReport) -> dict[str, Any]:
    """The columns of `Alert` that hold what its newest report says."""
    return {
        "group": report.group,
        "title": report.title[:255],
        "text": report.text,
        "labels": report.labels,
        "links": [list(link) for link in report.links],
    }


def new_alert(source: int, key: str, *, columns: Mapping[str, Any], raw: int | None) -> Alert:
    """An alert, not yet written."""
    return Alert(source_id=source, key=key, raw=raw, **columns)


def create(rows: Sequence[Alert]) -> None:
    """Write new alerts; each gets its key."""
    bulk.insert(rows)


def write(changes: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """Write columns of alerts that are there."""
    bulk.update_columns(Alert, sorted(changes, key=lambda change: change[0]))


def begin_episodes(begun: Iterable[tuple[int, Standing]]) -> None:
    """An episode of each alert begins, as it stands."""
    bulk.insert(
        [
            AlertEpisode(alert_id=alert, number=one.episode, severity=one.severity.value, started_at=one.started_at)
            for alert, one in begun
        ]
    )


def end_episodes(ended: Iterable[tuple[Alert, Standing]]) -> None:
    """An episode of each alert is over, as it stood then."""
    for row, one in ended:
        AlertEpisode.objects.filter(alert=row.pk, number=one.episode, ended_at=None).update(
            ended_at=one.resolved_at,
            ended_by=one.ended_by,
            count=one.count,
            severity=one.severity.value,
            ticket=row.ticket_id,
        )


def decided(rows: Iterable[Alert], *, outcome: str) -> None:
    """Remember of the present episodes what was done about them: "opened", "attached", "recorded", "silenced", "expected"."""
    by_number: dict[int, list[int]] = {}
    for row in rows:
        by_number.setdefault(row.episode, []).append(row.pk)
    for number, ids in by_number.items():
        for start in range(0, len(ids), 500):
            AlertEpisode.objects.filter(alert__in=ids[start : start + 500], number=number).update(outcome=outcome)


def note_fits(counts: Mapping[int, int], *, now: datetime) -> None:
    """Count what rules fitted."""
    for rule in sorted(counts):
        AlertRule.objects.filter(pk=rule).update(fits_count=F("fits_count") + counts[rule], last_fit_at=now)


def mark_over(*, silences: Collection[int], windows: Collection[int]) -> None:
    """These have ended, and what they held back has been looked at again."""
    Silence.objects.filter(pk__in=silences).update(is_over=True)
    MaintenanceWindow.objects.filter(pk__in=windows).update(is_over=True)


def let_go(alerts: Collection[int]) -> None:
    """These are held back no more."""
    Alert.objects.filter(pk__in=alerts).update(silence=None, window=None)


def put_off(row: Alert, *, until: datetime | None) -> None:
    """It is waited for until then that something is told of it; None: for ever."""
    Alert.objects.filter(pk=row.pk).update(stale_at=until)


def reckon_stale(source: int, hours: int | None) -> None:
    """What fires of a source ends so many hours after it was last told of; None: not by itself."""
    rows = Alert.objects.filter(~Q(key__startswith=HEARTBEAT), source=source, state="firing")
    rows.update(stale_at=F("seen_at") + timedelta(hours=hours) if hours is not None else None)


# heartbeats


def beat(source: int, name: str, *, at: datetime) -> Heartbeat | None:
    """It was heard of; the heartbeat as it stood before, None when nobody waits for one of this name."""
    found = Heartbeat.objects.filter(source=source, name=name, is_active=True).first()
    if found is not None and (found.last_at is None or at > found.last_at):
        due = at + timedelta(seconds=found.every + found.grace)
        Heartbeat.objects.filter(pk=found.pk).update(last_at=at, due_at=due, missing_since=None)
    return found


def miss(row: Heartbeat, *, since: datetime) -> None:
    """It was not heard of in time; the next word of it ends that."""
    Heartbeat.objects.filter(pk=row.pk).update(missing_since=since, due_at=None)


def credit(row: Heartbeat, *, until: datetime) -> None:
    """We were not listening ourselves for a while: it has until then."""
    Heartbeat.objects.filter(pk=row.pk).update(due_at=until)


# sources


def create_source(**values: Any) -> AlertSource:
    """Write a new source."""
    return AlertSource.objects.create(**values)


def change_source(row: AlertSource, **values: Any) -> None:
    """Change columns of a source; `row` is brought up to date."""
    AlertSource.objects.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)


def note_refusal(source: int, why: str, *, now: datetime) -> None:
    """Remember the last request of a source that was refused."""
    AlertSource.objects.filter(pk=source).update(refused_at=now, refusal=why[:200])


def sweep(*, before: datetime, failed_before: datetime, limit: int) -> int:
    """Forget requests that were read before `before`, and those that could not be read before `failed_before`; how many."""
    done = Q(error="", handled_at__lt=before) | Q(handled_at__lt=failed_before)
    ids = list(RawReport.objects.filter(done).order_by("handled_at").values_list("pk", flat=True)[:limit])
    RawReport.objects.filter(pk__in=ids).delete()
    return len(ids)
