"""Writing jobs, heartbeats, and when nothing was watching."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor

from . import rules
from .models import BlindTime, Heartbeat, Job, Vigil, Watcher
from .queries import Pulse

if TYPE_CHECKING:
    from allswell.journal.models import Entry


def start(kind: str, *, params: dict[str, Any], total: int, actor: Actor, now: datetime) -> Job:
    """Write down long work for the engine. `params` is JSON and says all that is needed to do it; `total` records it has."""
    job = Job.objects.create(kind=kind, person_id=actor.person, params=params, action=actor.action, created_at=now, total=total)
    journal.record(Verb.JOB_STARTED, about=("job", job.pk), actor=actor, now=now, data={"kind": kind, "total": total})
    return job


def claim(*, now: datetime) -> Job | None:
    """Take the oldest free job under a new lease; None when there is none. Of many engines one gets it."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    job = (
        Job.objects.select_for_update(skip_locked=True)
        .filter(free, finished_at__isnull=True)
        .order_by("created_at", "id")
        .first()
    )
    if job is None:
        return None
    values: dict[str, Any] = {"lease": job.lease + 1, "claimed_until": now + rules.LEASE}
    if job.started_at is None:
        values["started_at"] = now
    Job.objects.filter(pk=job.pk, lease=job.lease).update(**values)
    for name, value in values.items():
        setattr(job, name, value)
    return job


def advance(job: Job, *, done: int, changed: int, problems: Iterable[dict[str, Any]] = (), now: datetime) -> bool:
    """Note `done` more records as dealt with; False when another engine has taken the job over (nothing was written)."""
    kept = [*job.problems, *problems][: rules.PROBLEMS_KEPT]
    values = {"position": job.position + done, "changed": job.changed + changed, "problems": kept}
    matched = Job.objects.filter(pk=job.pk, lease=job.lease, finished_at__isnull=True).update(
        claimed_until=now + rules.LEASE, **values
    )
    for name, value in values.items():
        setattr(job, name, value)
    return bool(matched)


def remember(job: Job) -> None:
    """Write the job's `params`, in which it keeps what later batches need."""
    Job.objects.filter(pk=job.pk, lease=job.lease, finished_at__isnull=True).update(params=job.params)


def release(job: Job) -> None:
    """Give the job back, so that any engine may go on with it at once."""
    Job.objects.filter(pk=job.pk, lease=job.lease, finished_at__isnull=True).update(claimed_until=None)


def rest(job: Job, *, until: datetime) -> None:
    """Keep the job from every engine until then: what it waits for is not there yet."""
    Job.objects.filter(pk=job.pk, lease=job.lease, finished_at__isnull=True).update(claimed_until=until)


def widen(job: Job, *, params: dict[str, Any], total: int) -> None:
    """A job that has not begun has more to do, or other things."""
    job.params, job.total = params, total
    Job.objects.filter(pk=job.pk, started_at__isnull=True).update(params=params, total=total)


def finish(job: Job, *, actor: Actor, now: datetime) -> bool:
    """The job is done; False when another engine has taken it over."""
    matched = Job.objects.filter(pk=job.pk, lease=job.lease, finished_at__isnull=True).update(finished_at=now, claimed_until=None)
    if matched:
        job.finished_at = now
        found = {"kind": job.kind, "changed": job.changed, "problems": len(job.problems)}
        journal.record(Verb.JOB_FINISHED, about=("job", job.pk), actor=actor, now=now, data=found)
    return bool(matched)


def cancel(job: Job) -> bool:
    """Ask the engine to stop the job after its batch; False when it is finished already."""
    return bool(Job.objects.filter(pk=job.pk, finished_at__isnull=True).update(is_cancelled=True))


def go_on(job: Job, *, actor: Actor, now: datetime) -> bool:
    """Let the engine go on with a job that somebody stopped, where it stopped; False when it was not stopped."""
    stopped = Job.objects.filter(pk=job.pk, is_cancelled=True)
    if not stopped.update(is_cancelled=False, finished_at=None, claimed_until=None):
        return False
    journal.record(Verb.JOB_STARTED, about=("job", job.pk), actor=actor, now=now, data={"kind": job.kind, "total": job.total})
    return True


def beat(pulses: Iterable[Pulse]) -> None:
    """Write the heartbeats of one node's modules."""
    names = [name for name in Pulse.__slots__ if name not in ("node", "module")]
    Heartbeat.objects.bulk_create(
        [Heartbeat(**{name: getattr(pulse, name) for name in Pulse.__slots__}) for pulse in pulses],
        update_conflicts=True,
        unique_fields=["node", "module"],
        update_fields=names,
    )


def forget(node: str) -> None:
    """A node ended in good order: its modules are not missed."""
    Heartbeat.objects.filter(node=node).delete()


def forget_silent(*, before: datetime) -> int:
    """Remove heartbeats of nodes not heard of since `before`."""
    return Heartbeat.objects.filter(beat_at__lt=before).delete()[0]


def forget_jobs(*, before: datetime, limit: int) -> int:
    """Remove jobs finished before; the journal keeps that they were. At most `limit`."""
    old = Job.objects.filter(finished_at__lt=before).order_by("id").values_list("pk", flat=True)[:limit]
    return Job.objects.filter(pk__in=list(old)).delete()[0]


def keep_vigil(glance: rules.Glance, *, actor: Actor, now: datetime) -> list[tuple[BlindTime, Entry]]:
    """Say that an engine watches, and write down when nothing was watching before; of many engines one does.

    Whoever comes first holds the row until it has written; who comes next finds it fresh.
    """
    vigil = Vigil.objects.select_for_update().order_by("pk").first()
    if vigil is None:
        Vigil.objects.bulk_create(
            [Vigil(pk=1, seen_at=now, wall_at=glance.wall_at or now, node=glance.node)], ignore_conflicts=True
        )
        return []
    if not glance.is_watching:
        return []
    found = rules.blindness(vigil.seen_at, vigil.left_at, glance, now=now)
    written = [_note(blind, glance.node, actor=actor, now=now) for blind in found if not _is_noted(blind, glance.node, now=now)]
    Vigil.objects.filter(pk=vigil.pk).update(seen_at=now, wall_at=glance.wall_at or now, left_at=None, node=glance.node)
    return written


def end_vigil(node: str, *, now: datetime) -> None:
    """An engine ends in good order; whether others go on watching they say themselves."""
    Vigil.objects.update(seen_at=now, left_at=now, node=node)


def _is_noted(blind: rules.Blind, node: str, *, now: datetime) -> bool:
    if blind.why is not rules.Why.CLOCK_MOVED:
        return False
    others = BlindTime.objects.filter(why=blind.why.value).order_by("-id").values_list("node", "from_at", "moved_seconds")
    return rules.is_same_move(blind, node, others=list(others[:5]))


def _note(blind: rules.Blind, node: str, *, actor: Actor, now: datetime) -> tuple[BlindTime, Entry]:
    row = BlindTime.objects.create(
        from_at=blind.from_at,
        until_at=blind.until_at,
        node=node,
        why=blind.why.value,
        moved_seconds=round(blind.moved.total_seconds()),
        noted_at=now,
    )
    told = {
        "from": blind.from_at.isoformat(),
        "until": blind.until_at.isoformat(),
        "why": blind.why.value,
        "moved_seconds": row.moved_seconds,
        "node": node,
    }
    return row, journal.record(Verb.WAS_BLIND, about=("blind_time", row.pk), actor=actor, now=now, data=told)


def forget_blind_times(*, before: datetime) -> int:
    """Remove blind times that ended before; the journal keeps them."""
    return BlindTime.objects.filter(until_at__lt=before).delete()[0]


def note_watcher(name: str, *, now: datetime) -> None:
    """A watcher looked."""
    if not Watcher.objects.filter(name=name).update(seen_at=now):
        Watcher.objects.bulk_create([Watcher(name=name, first_seen_at=now, seen_at=now)], ignore_conflicts=True)


def forget_watchers(*, before: datetime) -> int:
    """Remove watchers not seen since."""
    return Watcher.objects.filter(seen_at__lt=before).delete()[0]
