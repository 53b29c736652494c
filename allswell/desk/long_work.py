"""Long work of every kind, as the engine does it: a claimed job is done batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.kernel.actor import Actor

from . import bulk, recounting, what_if

if TYPE_CHECKING:
    from allswell.jobs.models import Job

KINDS: Mapping[str, Callable[..., bool]] = {
    bulk.KIND: bulk.run_batch,
    recounting.KIND: recounting.run_batch,
    what_if.KIND: what_if.run_batch,
}


def run_batch(job: Job, *, actor: Actor, now: datetime) -> bool:
    """Do the next batch of a claimed job; True while there is more to do and it is still ours."""
    return KINDS[job.kind](job, actor=actor, now=now)
