"""The one door: every use case is one durable transaction, takes `actor` and `now`, and nothing outside it writes.

    @use_case
    def take(number: int, *, actor: Actor, now: datetime) -> Ticket: ...

No use case calls another; steps they share are plain functions. Whatever a use case did to tickets, their clocks follow.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ParamSpec, Protocol, TypeVar

from django.db import transaction

from allswell.tickets.operations import touched

from . import settling

P = ParamSpec("P")
R = TypeVar("R")


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
        if "actor" not in kwargs or "now" not in kwargs:
            raise TypeError(f"{function.__name__} takes actor and now by name")
        now: Any = kwargs["now"]
        extra = around.get()
        noted: list[Any] = []
        token = touched.set(noted)
        try:
            with transaction.atomic(durable=True):
                if extra is not None:
                    extra.before(now=now)
                result = function(*args, **kwargs)
                if noted:
                    settling.settle(noted, now=now)
                if extra is not None:
                    extra.after(result, now=now)
                return result
        finally:
            touched.reset(token)

    door.is_use_case = True  # type: ignore[attr-defined]
    return door


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
