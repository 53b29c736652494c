"""What the engine writes about itself: heartbeats, when nothing was watching, and the clearing away of what nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import translation

from allswell.jobs import operations as jobs
from allswell.jobs import rules as job_rules
from allswell.jobs.queries import Pulse
from allswell.jobs.rules import Glance
from allswell.kernel.actor import Actor
from allswell.kernel.text import line
from allswell.notifications import blind_wording, rules
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, require
from allswell.tickets import operations as tickets

from .door import use_case

if TYPE_CHECKING:
    from allswell.jobs.models import BlindTime

JOBS_KEPT = timedelta(days=90)
#: where blind times are shown
SHOWN_AT = "/setup/machinery"


@use_case
def beat(pulses: Sequence[Pulse], glance: Glance, *, actor: Actor, now: datetime) -> list[BlindTime]:
    """Say that these modules of a node are alive and what went wrong in them last; answers when nothing was watching before."""
    found = _watch(glance, actor=actor, now=now)
    jobs.beat(pulses)
    return found


@use_case
def leave(glance: Glance, *, actor: Actor, now: datetime) -> None:
    """A node ends in good order."""
    _watch(glance, actor=actor, now=now)
    jobs.end_vigil(glance.node, now=now)
    jobs.forget(glance.node)


def _watch(glance: Glance, *, actor: Actor, now: datetime) -> list[BlindTime]:
    """Say that somebody watches; administrators are told of a long blindness before."""
    found = jobs.keep_vigil(glance, actor=actor, now=now)
    for row, entry in found:
        length = row.until_at - row.from_at
        if length <= job_rules.TOLD_AFTER:
            continue
        content = {**entry.data, "seconds": round(length.total_seconds()), "path": SHOWN_AT}
        notifications.enqueue(entry, topic=Topic.BLIND, persons=people.administrators(), content=content, now=now)
    return [row for row, _entry in found]


def blind_text(content: dict[str, Any], *, actor: Actor) -> str:
    """What a notice about a blindness says, in its reader's language and zone."""
    with translation.override(actor.locale):
        return blind_wording.body(content, locale=actor.locale, zone=actor.time_zone)


@use_case
def watched_by(name: str, *, actor: Actor, now: datetime) -> None:
    """A watcher on another machine looked whether an engine watches."""
    jobs.note_watcher(line(name, field="name", limit=60), now=now)


def view(actor: Actor) -> None:
    """Who may see how the machinery fares: who reads the setup of the whole installation. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)


@use_case
def forget_the_absent(*, actor: Actor, now: datetime) -> int:
    """Who had a ticket open an hour ago has it open no more."""
    return tickets.forget_presence(before=now - timedelta(hours=1))


@use_case
def forget_old_machinery(*, actor: Actor, now: datetime) -> int:
    """Throw away heartbeats of nodes that are gone, jobs finished and blindness over long ago; the journal keeps what they did."""
    return (
        jobs.forget_silent(before=now - job_rules.FORGOTTEN_AFTER)
        + jobs.forget_jobs(before=now - JOBS_KEPT, limit=100)
        + jobs.forget_blind_times(before=now - job_rules.BLIND_TIMES_KEPT)
        + jobs.forget_watchers(before=now - job_rules.WATCHER_FORGOTTEN_AFTER)
    )


@use_case
def give_up_mails(*, actor: Actor, now: datetime) -> int:
    """Mails that nobody could take for days have failed, visibly."""
    return notifications.give_up_mails(now=now, limit=500)


@use_case
def forget_old_deliveries(*, actor: Actor, now: datetime) -> int:
    """Throw away deliveries that were over long ago, with their tries and words."""
    return notifications.forget_deliveries(before=now - rules.DELIVERIES_KEPT, limit=500)
