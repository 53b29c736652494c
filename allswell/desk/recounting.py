"""After a change of an agreement or a calendar the open clocks are solved again, by the engine, in batches.

Completed clocks stay as they are. The journal of each ticket whose promises moved says from when to when, and because of what.

Where several write at once, an act may have read what held before the change and end after it. The engine therefore waits until all
that had begun to write when it first looked at the job have ended. When one takes very long, it counts what it can see meanwhile,
and all of it once more when that one has ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.database import alone
from allswell.jobs import operations as jobs
from allswell.jobs import queries as job_queries
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, NotFound
from allswell.people import queries as people
from allswell.sla import queries
from allswell.tickets import queries as tickets
from allswell.tickets.rules import FINAL_STATES

from . import clocks, job_ends
from .door import use_case

if TYPE_CHECKING:
    from allswell.jobs.models import Job
    from allswell.sla.models import Agreement

KIND = "clocks"
BATCH = 200
#: how often it looks whether the acts that were under way have ended, and after how long it counts without them at first
REST, PATIENCE = timedelta(seconds=1), timedelta(minutes=1)
#: what a job is because of; the rest of its `params` says how far it is
_BECAUSE = frozenset({"calendar", "calendar_version", "agreement", "agreements", "since", "organization"})


def calendar_changed(slug: str, number: int, *, actor: Actor, now: datetime) -> Job | None:
    """Write down that the open clocks that count in a calendar are to be solved again; None when there cannot be any."""
    because = {"calendar": slug, "calendar_version": number}
    total = _concerned(because, after=0).count()
    return _start(because, total, actor=actor, now=now) if total or alone.is_shared() else None


def agreement_changed(row: Agreement, *, since: datetime | None = None, actor: Actor, now: datetime) -> Job | None:
    """The same for the open tickets an agreement may be for: those opened at `since` (when it first held) or later.

    Several changes in one act make one job.
    """
    since = since or queries.first_in_force(row.pk)
    if since is None:
        return None
    because: dict[str, Any] = {"agreements": [row.pk], "since": since.isoformat()}
    earlier = job_queries.not_begun(actor.action, kind=KIND)
    if earlier is not None and "since" in earlier.params:
        because["agreements"] = sorted({row.pk, *earlier.params["agreements"]})
        because["since"] = min(since, datetime.fromisoformat(earlier.params["since"])).isoformat()
        jobs.widen(earlier, params={**because, "after": 0}, total=_concerned(because, after=0).count())
        return earlier
    total = _concerned(because, after=0).count()
    is_for_later = since > now  # who opens a ticket then has read what was agreed
    return _start(because, total, actor=actor, now=now) if total or (alone.is_shared() and not is_for_later) else None


def organization_moved(organization: int, *, actor: Actor, now: datetime) -> Job | None:
    """The same for the open tickets of an organization that is below another one now, and of those below it."""
    because = {"organization": organization}
    total = _concerned(because, after=0).count()
    return _start(because, total, actor=actor, now=now) if total or alone.is_shared() else None


def _start(because: dict[str, Any], total: int, *, actor: Actor, now: datetime) -> Job:
    return jobs.start(KIND, params={**because, "after": 0}, total=total, actor=actor, now=now)


def _concerned(because: dict[str, Any], *, after: int) -> Any:
    """The numbers of the tickets to look at, in order."""
    if "calendar" in because:
        return queries.tickets_counting_in(because["calendar"], after=after)
    rows = tickets.all_tickets().filter(pk__gt=after).exclude(state__in=FINAL_STATES)
    if "organization" in because:
        rows = rows.filter(organization__in=people.organization_and_below(because["organization"]))
    else:
        rows = rows.filter(opened_at__gte=datetime.fromisoformat(because["since"]))
    return rows.order_by("pk").values_list("pk", flat=True)


@use_case
def run_batch(job: Job, *, limit: int = BATCH, actor: Actor, now: datetime) -> bool:
    """Solve the clocks of the next tickets of a claimed job; True while there is more to do now and it is still ours."""
    current = job_queries.job(job.pk)
    if current is None or current.finished_at or current.is_cancelled:
        _end(job, actor=actor, now=now)
        return False
    if _has_to_wait(job, now=now):
        jobs.remember(job)
        jobs.rest(job, until=now + REST)
        return False
    because = {name: value for name, value in job.params.items() if name in _BECAUSE}
    numbers = list(_concerned(because, after=job.params["after"])[:limit])
    moved = clocks.count_again(numbers, because={**because, "job": job.pk}, actor=actor, now=now) if numbers else 0
    job.params["after"] = numbers[-1] if numbers else job.params["after"]
    is_through = len(numbers) < limit
    is_again = is_through and bool(job.params.get("behind"))
    if is_again:
        job.params |= {"after": 0, "is_again": True}
    jobs.remember(job)
    done = min(len(numbers), max(0, job.total - job.position))  # some have come since they were counted
    if not jobs.advance(job, done=done, changed=moved, now=now):
        raise Conflict("Another engine has taken this job over.")  # takes back what this one just did
    if not is_through or is_again:
        return True
    _end(job, actor=actor, now=now)
    return False


def left(job: Job) -> int:
    """How many tickets a stopped job has not looked at: their clocks go by what held before, until something happens to them."""
    return int(_concerned(job.params, after=job.params["after"]).count())


@use_case
def go_on(job_id: int, *, actor: Actor, now: datetime) -> Job:
    """Go on with a job of one's own that was stopped, where it stopped. Raises NotFound, Conflict."""
    job = job_queries.job(job_id)
    if job is None or job.person_id != actor.person or actor.person is None:
        raise NotFound("There is no such job.")
    if job.kind != KIND or not jobs.go_on(job, actor=actor, now=now):
        raise Conflict("This job was not stopped.")
    return job


def _has_to_wait(job: Job, *, now: datetime) -> bool:
    """Whether acts are still under way that may have read what held before the change; those are kept in `behind`."""
    if job.params["after"]:
        return False
    before = job.params.get("behind")
    job.params["behind"] = [name for name in alone.under_way() if before is None or name in before]
    if not job.params["behind"]:
        return False
    return bool(job.params.get("is_again")) or now - job.created_at < PATIENCE


def _end(job: Job, *, actor: Actor, now: datetime) -> None:
    """Finish, and tell who made the change how many tickets are due at other times now, if any."""
    told = {"subject": KIND, "changed": job.changed} if job.changed else None
    job_ends.end(job, came_of_it=told, actor=actor, now=now)
