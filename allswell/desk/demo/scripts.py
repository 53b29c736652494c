"""What happens to one ticket of the demo, act by act, and the acts that every plot uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allswell.desk import tickets
from allswell.kernel import actor as actors
from allswell.kernel.actor import Channel
from allswell.kernel.errors import DeskError
from allswell.tickets import queries
from allswell.tickets.rules import State, WaitingOn

if TYPE_CHECKING:
    from .play import Play

Act = Callable[[int, datetime], object]


@dataclass(slots=True)
class Script:
    """What happens to one ticket: (minutes of work since the act before, act). `number` is known once it is opened."""

    acts: list[tuple[float, Act]] = field(default_factory=list)
    is_urgent: bool = False
    number: int = 0
    told: int = 0  # place after the act with which the desk first says something
    waits: list[int] = field(default_factory=list)  # places of the acts after which it waits

    def then(self, minutes: float, act: Act, *, is_wait: bool = False) -> None:
        """One more act."""
        if is_wait:
            self.waits.append(len(self.acts))
        self.acts.append((minutes, act))


class Pen:
    """Writes the acts that every plot uses."""

    def __init__(self, play: Play) -> None:
        self.play, self.rng, self.company = play, play.rng, play.company

    def do(self, script: Script, use_case: Callable[..., object], who: str, minutes: float, **what: Any) -> None:
        """Somebody does something to the ticket."""
        script.then(minutes, lambda number, now: quietly(use_case, number, **what, **self.play.by(who, now)))

    def take(self, script: Script, who: str, minutes: float) -> None:
        script.then(minutes, lambda number, now: quietly(tickets.take, number, **self.play.by(who, now)))

    def say(self, script: Script, who: str, body: str, minutes: float, channel: Channel = Channel.DESK) -> None:
        script.then(minutes, lambda number, now: quietly(tickets.reply, number, body=body, **self.play.by(who, now, channel)))

    def note(self, script: Script, who: str, body: str, minutes: float) -> None:
        script.then(minutes, lambda number, now: quietly(tickets.note, number, body=body, **self.play.by(who, now)))

    def wait(self, script: Script, who: str, on: WaitingOn, reason: str, minutes: float, days: float | None = None) -> None:
        def act(number: int, now: datetime) -> None:
            until = now + timedelta(days=days) if days and now + timedelta(days=days) > self.play.now else None
            quietly(tickets.wait, number, on=on, reason=reason, until=until, **self.play.by(who, now))

        script.then(minutes, act, is_wait=True)

    def hand_over(self, script: Script, who: str, team: str, why: str, tried: str, minutes: float) -> None:
        target = self.company.teams[team]
        script.then(
            minutes,
            lambda number, now: quietly(
                tickets.hand_over, number, team=target, reason=why, tried=tried, **self.play.by(who, now)
            ),
        )


def close_by_itself(number: int, now: datetime) -> None:
    ticket = queries.ticket(number)
    if ticket is not None and State(ticket.state) in (State.RESOLVED, State.FULFILLED):
        tickets.close(number, actor=actors.engine(), now=now)


def quietly(act: Callable[..., object], number: int, **how: Any) -> None:
    """An act that may have become impossible meanwhile (the parent was resolved, somebody took it back) does not happen."""
    try:
        act(number, **how)
    except DeskError:
        return
