"""The one door: every use case is one durable transaction, takes `actor` and `now`, and nothing outside it writes.

    @use_case
    def take(number: int, *, actor: Actor, now: datetime) -> Ticket: ...

No use case calls another; steps they share are plain functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import transaction

P = ParamSpec("P")
R = TypeVar("R")


def use_case(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in a transaction of its own; everything in it happens, or nothing."""

    @functools.wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        if "actor" not in kwargs or "now" not in kwargs:
            raise TypeError(f"{function.__name__} takes actor and now by name")
        with transaction.atomic(durable=True):
            return function(*args, **kwargs)

    door.is_use_case = True  # type: ignore[attr-defined]
    return door
