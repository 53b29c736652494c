"""Where a ticket was, and what it waited for, told from its steps. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allswell.sla.rules.story import Step
from allswell.tickets.rules import State

#: a hand-over this soon after the opening is routing, no hop
ROUTING = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """A time with a team (None: with none): as the how manieth, and whether that team had it before."""

    team: int | None
    hop: int
    is_return: bool
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """A time of waiting, and on what."""

    reason: str
    starts_at: datetime
    ends_at: datetime


def stays(steps: Sequence[Step]) -> Iterator[Stay]:
    """The times with teams that are over: by a hand-over or because the work was done. After a reopening another begins.

    Who had it before a hand-over in the first minute never had it; to be given a first team is no hop.
    """
    if not steps:
        return
    opened_at = steps[0].at
    team, since, hop = steps[0].facts.team, opened_at, 1
    had: set[int | None] = set()
    is_return = False
    is_on = not steps[0].facts.is_done
    for step in steps[1:]:
        if step.facts.team != team:
            if step.at - opened_at <= ROUTING:
                team = step.facts.team
            else:
                if is_on:
                    yield Stay(team, hop, is_return, since, step.at)
                if team is not None:
                    had.add(team)
                    hop += 1
                team, since = step.facts.team, step.at
                is_return = team is not None and team in had
        if is_on and step.facts.is_done:
            yield Stay(team, hop, is_return, since, step.at)
        elif not is_on and not step.facts.is_done:
            since = step.at
        is_on = not step.facts.is_done


def waits(steps: Sequence[Step]) -> Iterator[Wait]:
    """The times of waiting that are over, by reason; to wait for something else ends one and begins the next."""
    since: datetime | None = None
    reason = ""
    for step in steps:
        now = step.facts.waiting_on if step.facts.state == State.WAITING else None
        if since is not None and now != reason:
            yield Wait(reason, since, step.at)
            since = None
        if since is None and now is not None:
            since, reason = step.at, now
