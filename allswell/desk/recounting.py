"""After a change of an agreement or a calendar the open clocks are solved again, by the engine, in batches.

Completed clocks stay as they are. The journal of each ticket whose promises moved says from when to when, and because of what.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.jobs import operations as jobs
from allswell.jobs import queries as job_queries
from allswell.journal import queries as journal
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic
from allswell.sla import queries
from allswell.tickets import queries as tickets
from allswell.tickets.rules import FINAL_STATES

from . import clocks
from .door import use_case

if TYPE_CHECKING:
    from allswell.jobs.models import Job
    from allswell.sla.models import Agreement

KIND = "clocks"
BATCH = 200


def calendar_changed(slug: str, number: int, *, actor: Actor, now: datetime) -> Job | None:
    """Write down that the open clocks that count in a calendar are to be solved again; None when there are none."""
    return _start({"calendar": slug, "calendar_version": number}, actor=actor, now=now)


def agreement_changed(row: Agreement, *, since: datetime | None = None, actor: Actor, now: datetime) -> Job | None:
    """The same for the open tickets an agreement may be for: those opened at `since` (when it first held) or later."""
    since = since or queries.first_in_force(row.pk)
    return None if since is None else _start({"agreement": row.pk, "since": since.isoformat()}, actor=actor, now=now)


def _start(because: dict[str, Any], *, actor: Actor, now: datetime) -> Job | None:
    total = _concerned(because, after=0).count()
    return jobs.start(KIND, params={**because, "after": 0}, total=total, actor=actor, now=now) if total else None


def _concerned(because: dict[str, Any], *, after: int) -> Any:
    """The numbers of the tickets to look at, in order."""
    if "calendar" in because:
        return queries.tickets_counting_in(because["calendar"], after=after)
    since = datetime.fromisoformat(because["since"])
    rows = tickets.all_tickets().filter(opened_at__gte=since, pk__gt=after).exclude(state__in=FINAL_STATES)
    return rows.order_by("pk").values_list("pk", flat=True)


@use_case
def run_batch(job: Job, *, limit: int = BATCH, actor: Actor, now: datetime) -> bool:
    """Solve the clocks of the next tickets of a claimed job; True while there is more to do and it is still ours."""
    current = job_queries.job(job.pk)
    if current is None or current.finished_at or current.is_cancelled:
        _end(job, actor=actor, now=now)
        return False
    because = {name: value for name, value in job.params.items() if name != "after"}
    numbers = list(_concerned(because, after=job.params["after"])[:limit])
    moved = clocks.count_again(numbers, because={**because, "job": job.pk}, actor=actor, now=now) if numbers else 0
    job.params["after"] = numbers[-1] if numbers else job.params["after"]
    jobs.remember(job)
    if not jobs.advance(job, done=len(numbers), changed=moved, now=now):
        raise Conflict("Another engine has taken this job over.")  # takes back what this one just did
    if len(numbers) == limit:
        return True
    _end(job, actor=actor, now=now)
    return False


def _end(job: Job, *, actor: Actor, now: datetime) -> None:
    """Finish, and tell who made the change how many tickets are due at other times now, if any."""
    if not jobs.finish(job, actor=actor, now=now) or not job.person_id or not job.changed:
        return
    entry = journal.about("job", job.pk).first()
    if entry is not None:
        content = {"job": job.pk, "subject": KIND, "changed": job.changed}
        notifications.enqueue(entry, topic=Topic.JOB, persons=[job.person_id], content=content, now=now)
