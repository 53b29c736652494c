"""What the engine writes about itself: heartbeats, and the clearing away of what nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from allswell.jobs import operations as jobs
from allswell.jobs import rules as job_rules
from allswell.jobs.queries import Pulse
from allswell.kernel.actor import Actor
from allswell.notifications import operations as notifications
from allswell.notifications import rules
from allswell.tickets import operations as tickets

from .door import use_case

JOBS_KEPT = timedelta(days=90)


@use_case
def beat(pulses: Sequence[Pulse], *, actor: Actor, now: datetime) -> None:
    """Say that these modules of a node are alive, and what went wrong in them last."""
    jobs.beat(pulses)


@use_case
def leave(node: str, *, actor: Actor, now: datetime) -> None:
    """A node ends in good order."""
    jobs.forget(node)


@use_case
def forget_the_absent(*, actor: Actor, now: datetime) -> int:
    """Who had a ticket open an hour ago has it open no more."""
    return tickets.forget_presence(before=now - timedelta(hours=1))


@use_case
def forget_old_machinery(*, actor: Actor, now: datetime) -> int:
    """Throw away heartbeats of nodes that are gone and jobs finished long ago; the journal keeps what they did."""
    return jobs.forget_silent(before=now - job_rules.FORGOTTEN_AFTER) + jobs.forget_jobs(before=now - JOBS_KEPT, limit=100)


@use_case
def give_up_mails(*, actor: Actor, now: datetime) -> int:
    """Mails that nobody could take for days have failed, visibly."""
    return notifications.give_up_mails(now=now, limit=500)


@use_case
def forget_old_deliveries(*, actor: Actor, now: datetime) -> int:
    """Throw away deliveries that were over long ago, with their tries and words."""
    return notifications.forget_deliveries(before=now - rules.DELIVERIES_KEPT, limit=500)
