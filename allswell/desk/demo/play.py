"""Ninety days of the demo company, played act by act in the order of time.

Every ticket is a script of acts, each some minutes of work after the one before; all scripts run on one clock, and what lies
after `now` does not happen. So the open tickets of today are simply those whose script is not at its end.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from allswell.kernel.actor import Actor, Channel
from allswell.people import queries as people

from .company import Company
from .plots import Everyday
from .scripts import Script
from .set_pieces import SetPieces
from .texts import Story, Words, stories

HERE = ZoneInfo("Europe/Zurich")
OPENS, CLOSES = time(7, 0), time(19, 0)


class Play:
    """Plays the whole of it; `run` once."""

    def __init__(self, company: Company, *, now: datetime, seed: int, tickets: int, progress: Callable[[int, int], None]) -> None:
        self.company, self.now, self.tickets, self.progress = company, now, tickets, progress
        self.rng = Random(seed)  # noqa: S311 - a play, not a secret
        self.words = Words(self.rng)
        self._actors: dict[tuple[str, Channel], Actor] = {}
        self._queue: list[tuple[datetime, int, Script, int]] = []
        self._opened = self._entered = 0

    # who speaks

    def by(self, name: str, now: datetime, channel: Channel = Channel.DESK) -> dict[str, Any]:
        """actor= and now= of a use case."""
        key = (name, channel)
        if key not in self._actors:
            self._actors[key] = people.actor_for(self.company.people[name], channel=channel)
        action = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        return {"actor": replace(self._actors[key], action=action), "now": now}

    def key(self, name: str) -> int:
        """The key of a person."""
        return self.company.people[name].pk

    def member(self, team: str) -> str:
        """Somebody of a team."""
        names = self.company.members[self.company.teams[team]]
        return self.rng.choice(names[1:] or names) if self.rng.random() < 0.9 else names[0]

    # the clock

    def at_work(self, moment: datetime) -> datetime:
        """The moment itself in working hours, else some minutes after the desk opens again."""
        local = moment.astimezone(HERE)
        if local.weekday() < 5 and OPENS <= local.time() < CLOSES:
            return moment
        day = local.date() + timedelta(days=0 if local.time() < OPENS else 1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
        return datetime.combine(day, OPENS, HERE).astimezone(moment.tzinfo) + timedelta(minutes=self.rng.uniform(3, 50))

    def workday(self, days: int, hour: float) -> datetime:
        """A working day about `days` ago, at that local hour."""
        day = (self.now - timedelta(days=days)).astimezone(HERE).date()
        while day.weekday() >= 5:
            day -= timedelta(days=1)
        return (datetime.combine(day, time(0), HERE) + timedelta(hours=hour)).astimezone(self.now.tzinfo)

    def enter(self, script: Script, at: datetime) -> None:
        """A script begins at this instant with its first act, which opens the ticket."""
        self._push(script, at, 0)

    def _push(self, script: Script, at: datetime, act: int) -> None:
        if at <= self.now:
            self._entered += 1
            heapq.heappush(self._queue, (at, self._entered, script, act))

    def run(self) -> None:
        """Play everything up to now."""
        pieces, everyday = SetPieces(self), Everyday(self)
        pieces.enter_all()
        told = stories()
        for number, opened_at in enumerate(self._openings(self.tickets - pieces.count)):
            story = told[number % len(told)] if number < len(told) else self.rng.choice(told)
            everyday.enter_story(story, opened_at, is_repeated=number >= len(told))
        while self._queue:
            at, _, script, place = heapq.heappop(self._queue)
            script.acts[place][1](script.number, at)
            if place == 0:
                self._opened += 1
                self.progress(self._opened, self.tickets)
            if place + 1 < len(script.acts):
                due = at + timedelta(minutes=script.acts[place + 1][0])
                self._push(script, due if script.is_urgent else self.at_work(due), place + 1)

    def _openings(self, count: int) -> list[datetime]:
        """When tickets are opened: in working hours, seldom at night, more in the last days."""
        moments = [self.now - timedelta(minutes=self.rng.uniform(6, 900)) for _ in range(min(34, count))]
        while len(moments) < count:
            days = 1 + 88 * self.rng.random() ** 1.5
            day = (self.now - timedelta(days=days)).astimezone(HERE).date()
            if day.weekday() >= 5 and self.rng.random() < 0.88:
                continue
            hour = min(21.5, max(6.5, self.rng.choice((self.rng.gauss(9.4, 1.1), self.rng.gauss(14.2, 1.7)))))
            moment = datetime.combine(day, time(0), HERE) + timedelta(hours=hour)
            moment = moment.astimezone(self.now.tzinfo)
            if moment < self.now - timedelta(hours=15):
                moments.append(moment)
        self.rng.shuffle(moments)
        return moments

    def told(self, story: Story, *, first: str, home: str) -> Story:
        """A story with its places filled."""
        return self.words.fill(story, first=first, branch=home if "branch" in home else "Harbor branch")
