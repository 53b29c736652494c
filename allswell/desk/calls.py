"""Calls that must not happen twice: the answer is kept in the transaction of the act, and a repetition gets it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allswell.kernel.actor import Actor
from allswell.people import api_calls as people

from .door import use_case

#: how long an answer is kept
KEPT_FOR = timedelta(hours=24)


class Repeated(Exception):
    """The call was made before; nothing happened this time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it went out: status, body and headers."""

    status: int
    answer: str
    headers: dict[str, str]


@dataclass(slots=True)
class Once:
    """What the door does around a call from outside (`door.Around`).

    `check` looks whether the thing is still as the caller saw it. With a `key`, the call is claimed before the act and the answer
    that `render` makes of the act's result is kept with it. Two calls with one key at once: the second waits for the first.
    """

    token: int
    key: str
    digest: str
    render: Callable[[Any], Kept]
    check: Callable[[], None] | None = None

    def before(self, *, now: datetime) -> None:
        """Claim the call. Raises Repeated."""
        if self.key and not people.claim_call(self.token, self.key, digest=self.digest, now=now, forgotten_before=now - KEPT_FOR):
            raise Repeated
        if self.check:
            self.check()

    def after(self, result: Any, *, now: datetime) -> None:
        """Keep the answer."""
        kept = self.render(result)
        if self.key:
            people.keep_answer(self.token, self.key, status=kept.status, answer=kept.answer, headers=kept.headers)


@use_case
def forget_calls(*, actor: Actor, now: datetime) -> int:
    """Throw away answers kept for longer than a day. Returns how many."""
    return people.forget_calls(before=now - KEPT_FOR)


@use_case
def note_token_use(token: int, *, actor: Actor, now: datetime) -> None:
    """Write down that a token was used; once a minute is enough."""
    people.note_use(token, now=now, unless_since=now - timedelta(minutes=1))
