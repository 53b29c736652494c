"""How long work of every kind ends: it is finished once, and who asked for it is told what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.jobs import operations as jobs
from allswell.journal import queries as journal
from allswell.kernel.actor import Actor
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic

if TYPE_CHECKING:
    from allswell.jobs.models import Job
    from allswell.journal.models import Entry


def end(job: Job, *, came_of_it: Mapping[str, Any] | None, actor: Actor, now: datetime) -> Entry | None:
    """Finish a claimed job and tell who asked for it, unless there is nothing to tell; for use cases that do more.

    Answers its entry in the journal; None when another engine has taken it over, which ends it then.
    """
    if not jobs.finish(job, actor=actor, now=now):
        return None
    entry = journal.about("job", job.pk).first()
    if entry is not None and came_of_it is not None and job.person_id:
        content = {"job": job.pk, **came_of_it}
        notifications.enqueue(entry, topic=Topic.JOB, persons=[job.person_id], content=content, now=now)
    return entry
