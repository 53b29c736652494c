"""The one door: every use case is one durable transaction, takes `actor` and `now`, and nothing outside it writes.

    @use_case
    def take(number: int, *, actor: Actor, now: datetime) -> Ticket: ...

No use case calls another; steps they share are plain functions. Whatever a use case did to tickets, their paging and their
clocks follow.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from django.db import transaction

from allswell.kernel.actor import Actor
from allswell.tickets.operations import touched

from . import following, settling

P = ParamSpec("P")
R = TypeVar("R")
L = TypeVar("L")


class Around(Protocol):
    """What an entry point wants done inside the transaction of a use case, before and after the act itself.

    The API keeps the answer to a call with an Idempotency-Key this way: the answer is there exactly when the act is.
    """

    def before(self, *, now: datetime) -> None:
        """Look at things as they are; raising takes everything back."""

    def after(self, result: Any, *, now: datetime) -> None:
        """Keep what follows from the result."""


around: ContextVar[Around | None] = ContextVar("around", default=None)


def use_case(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in a transaction of its own; everything in it happens, or nothing."""

    @functools.wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        actor, now = _named(function, kwargs)
        return _inside(lambda: function(*args, **kwargs), actor=actor, now=now)

    door.is_use_case = True  # type: ignore[attr-defined]
    return door


def use_case_after(look: Callable[P, L]) -> Callable[[Callable[Concatenate[L, P], R]], Callable[P, R]]:
    """The same for an act that first looks things up, refuses what does not fit, and works out what to write.

    `look` gets what the act gets, and the act its result before that. It comes before the transaction, so that nobody waits for
    it who wants to write, and it writes nothing. What it saw may be a moment old, as anything seen by a transaction of PostgreSQL
    that does not lock it: what must still be so when the act happens, the act asks itself. Where something is to be done in the
    transaction before the act (a call that may be a repeated one), the look comes after that.
    """

    def of_act(function: Callable[Concatenate[L, P], R]) -> Callable[P, R]:
        @functools.wraps(look)
        def body(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(look(*args, **kwargs), *args, **kwargs)

        @functools.wraps(function)
        def door(*args: P.args, **kwargs: P.kwargs) -> R:
            actor, now = _named(function, kwargs)
            if around.get() is not None:
                return _inside(lambda: body(*args, **kwargs), actor=actor, now=now)
            seen = look(*args, **kwargs)
            return _inside(lambda: function(seen, *args, **kwargs), actor=actor, now=now)

        vars(door)["__wrapped__"] = body
        door.is_use_case = True  # type: ignore[attr-defined]
        return door

    return of_act


def _named(function: Callable[..., Any], given: Mapping[str, Any]) -> tuple[Actor, datetime]:
    if "actor" not in given or "now" not in given:
        raise TypeError(f"{function.__name__} takes actor and now by name")
    return given["actor"], given["now"]


def _inside(act: Callable[[], R], *, actor: Actor, now: datetime) -> R:
    """Act in a transaction of its own, and bring the runs and clocks of the tickets it touched up to date there."""
    extra = around.get()
    noted: list[Any] = []
    token = touched.set(noted)
    try:
        with transaction.atomic(durable=True):
            if extra is not None:
                extra.before(now=now)
            result = act()
            if noted:
                following.follow(tuple(noted), actor=actor, now=now)
                settling.settle(noted, now=now)
            if extra is not None:
                extra.after(result, now=now)
            return result
    finally:
        touched.reset(token)


@contextlib.contextmanager
def attempt() -> Iterator[None]:
    """A part of a use case that may fail alone: what it wrote is taken back then, and which tickets it touched forgotten."""
    noted = touched.get()
    before = len(noted or ())
    try:
        with transaction.atomic():
            yield
    except BaseException:
        if noted is not None:
            del noted[before:]
        raise


def body_of(function: Callable[P, R]) -> Callable[P, R]:
    """The steps of a use case without its transaction, for a use case that does many of them in its own (bulk changes)."""
    body: Callable[P, R] = getattr(function, "__wrapped__", function)
    return body
