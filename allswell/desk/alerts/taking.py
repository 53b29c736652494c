"""The use cases of what monitoring tells: it is kept, it is taken, and time goes on over it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from allswell.database.alone import is_alone
from allswell.desk.door import use_case
from allswell.intake.operations import alerts as writing
from allswell.intake.parsers.alerts.shape import Action, Severity, clean_report
from allswell.intake.queries import alerts as queries
from allswell.intake.queries.alerts import Known
from allswell.intake.rules.kept import Raw
from allswell.intake.rules.standing import HEARTBEAT
from allswell.jobs import queries as jobs
from allswell.kernel.actor import Actor, Channel

from . import acting, changes, quiet
from .folding import Fold
from .reading import Read

if TYPE_CHECKING:
    from allswell.intake.models import Alert, Heartbeat

#: alerts are folded by one engine at a time, so that each sees what the one before it wrote
_ALONE = "allswell.alerts"
#: how long requests are kept word for word once they were read, and when they could not be; so many are forgotten at once
KEPT_FOR, KEPT_UNREAD_FOR = timedelta(days=1), timedelta(days=30)
_MOST_FORGOTTEN = 5_000
#: so many things that time brings about are done at once
_MOST = 200


@use_case
def keep(rows: Sequence[Raw], *, actor: Actor, now: datetime) -> None:
    """Keep requests word for word. Once this is done they may be answered: the engine reads them, now or after a restart."""
    writing.keep(rows)


@use_case
def take(reads: Sequence[Read], *, actor: Actor, now: datetime) -> int:
    """Take what was read: alerts are folded and written, and what follows is done. How many requests; 0: another is at it."""
    if not is_alone(_ALONE):
        return 0
    mine = writing.settle([one.raw for one in reads], now=now)
    reads = [one for one in reads if one.raw in mine]
    writing.refuse({one.raw: one.error for one in reads if one.error})
    counts: dict[int, tuple[int, datetime]] = {}
    for one in reads:
        count, at = counts.get(one.source.id, (0, one.received_at))
        counts[one.source.id] = (count + len(one.reports), max(at, one.received_at))
    writing.note_seen(counts)
    fold = Fold()
    fold.take_all(reads)
    _beat(fold)
    changes.keep(fold.told_changes)
    named = actor.via(Channel.MONITORING)
    acting.act(fold.write(), actor=named, now=now)
    noted = [
        (fold.lines[source.id, report.key], report) for source, report in fold.notes if (source.id, report.key) in fold.lines
    ]
    acting.note(noted, actor=named, now=now)
    return len(reads)


def _beat(fold: Fold) -> None:
    """What was heard of is not missing any more."""
    for source, report, received_at in list(fold.beats):
        row = writing.beat(source.id, report.key, at=received_at)
        if row is not None and row.missing_since is not None:
            over = clean_report(Action.RESOLVE, heartbeat_key(row.name), happened_at=received_at)
            fold.take_all([Read(0, source, received_at, (over,))])


def heartbeat_key(name: str) -> str:
    """The key of the alert that fires when a heartbeat is missing."""
    return f"{HEARTBEAT}{name}"


@use_case
def forget_read(*, actor: Actor, now: datetime) -> int:
    """Forget requests that were read a day ago, and those that could not be read and lie there for a month."""
    return writing.sweep(before=now - KEPT_FOR, failed_before=now - KEPT_UNREAD_FOR, limit=_MOST_FORGOTTEN)


@use_case
def go_on(*, actor: Actor, now: datetime) -> int:
    """What time brings about: leases and quiet times that are over, alerts that were told of no more or calmed down, heartbeats that
    are missing; and quiet times that begin."""
    if not is_alone(_ALONE):
        return 0
    silences, windows = queries.ended(now=now)
    let_go = queries.held_back(silences=silences, windows=windows) if silences or windows else []
    expired = queries.expired(now=now, limit=_MOST)
    calmed = queries.calmed(now=now, limit=_MOST)
    missing = _missing(now=now)
    stale = _stale(now=now)
    rows = [*let_go, *expired, *stale, *calmed]
    sources = queries.known({row.source_id for row in rows} | {row.source_id for row in missing})
    fold = Fold()
    fold.load(rows, sources)
    for row in expired:
        fold.end(fold.lines[row.source_id, row.key], at=row.lease_until or now, by="lease", now=now)
    for row in stale:
        fold.end(fold.lines[row.source_id, row.key], at=row.stale_at or now, by="unheard", now=now)
    for row in calmed:
        fold.calm(fold.lines[row.source_id, row.key])
    fold.take_all([_silent(row, sources[row.source_id], now=now) for row in missing])
    changed = fold.write()
    named = actor.via(Channel.MONITORING)
    if let_go:
        writing.let_go([row.pk for row in let_go])
        quiet.hold_on([row.pk for row in let_go], now=now)
        acting.route_again([fold.lines[row.source_id, row.key] for row in let_go], actor=named, now=now)
    writing.mark_over(silences=silences, windows=windows)
    acting.act(changed, actor=named, now=now)
    begun = quiet.begin(actor=named, now=now)
    return len(rows) + len(missing) + len(silences) + len(windows) + begun


def _stale(*, now: datetime) -> list[Alert]:
    """What nothing was told of for too long, left out what could not have been told of: while nothing was watched."""
    found = []
    for row in queries.stale(now=now, limit=_MOST):
        hours = row.source.ends_after
        until = row.seen_at + timedelta(hours=hours) + _blind(row.seen_at, now) if hours is not None else None
        if until is None or now < until:
            writing.put_off(row, until=until)
            continue
        found.append(row)
    return found


def _blind(heard: datetime, now: datetime) -> timedelta:
    """How long nothing was watched since then."""
    return sum((one.until_at - max(one.from_at, heard) for one in jobs.was_blind(heard, now)), timedelta())


def _missing(*, now: datetime) -> list[Heartbeat]:
    """Heartbeats that did not come in time, those left out that could not have been heard: while nothing was watched."""
    found = []
    for row in queries.missing_heartbeats(now=now, limit=_MOST):
        heard = row.last_at or row.created_at
        due = heard + timedelta(seconds=row.every + row.grace) + _blind(heard, now)
        if now < due:
            writing.credit(row, until=due)
            continue
        writing.miss(row, since=now)
        found.append(row)
    return found


def _silent(row: Heartbeat, source: Known, *, now: datetime) -> Read:
    said = clean_report(
        Action.FIRE,
        heartbeat_key(row.name),
        title=_("%(name)s is silent") % {"name": row.name},
        text=_("It was last heard of at %(at)s.") % {"at": row.last_at.isoformat() if row.last_at else "-"},
        severity=Severity.CRITICAL,
        labels={"heartbeat": row.name},
        happened_at=now,
    )
    return Read(0, source, now, (said,))
