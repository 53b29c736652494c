"""What the engine writes about itself: heartbeats, and the clearing away of what nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allswell.jobs import operations as jobs
from allswell.jobs.queries import Pulse
from allswell.kernel.actor import Actor

from .door import use_case


@use_case
def beat(pulses: Sequence[Pulse], *, actor: Actor, now: datetime) -> None:
    """Say that these modules of a node are alive, and what went wrong in them last."""
    jobs.beat(pulses)


@use_case
def leave(node: str, *, actor: Actor, now: datetime) -> None:
    """A node ends in good order."""
    jobs.forget(node)
