"""Clearing away what nobody needs any more, once a minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from allswell.desk import attachments, calls, contact_messages, machinery, practising, sign_in
from allswell.desk.alerts import changes, taking
from allswell.desk.mail import deciding
from allswell.kernel.actor import Actor
from allswell.kernel.actor import engine as engine_actor

from .loop import Work

Step = Callable[..., int | None]

STEPS: tuple[Step, ...] = (
    attachments.forget_unsent_uploads,
    attachments.forget_strays,
    calls.forget_calls,
    sign_in.tidy,
    contact_messages.tidy,
    practising.tidy,
    machinery.forget_the_absent,
    machinery.forget_old_machinery,
    machinery.give_up_mails,
    machinery.forget_old_deliveries,
    taking.forget_read,
    changes.forget,
    deciding.forget_handled,
)


class Sweep:
    """The module that sweeps. Every step has a transaction of its own; one that fails does not keep the others from their turn."""

    name, idle, limit = "sweep", 60.0, 120.0

    def __init__(self, steps: tuple[Step, ...] = STEPS) -> None:
        self.steps = steps

    def is_due(self, now: datetime) -> bool:
        """The pause between two sweeps is all there is to it."""
        return True

    def tick(self, now: datetime) -> Work:
        """One bounded round of every step. Raises the first failure, after all had their turn."""
        done, failures = 0, list[Exception]()
        actor: Actor = engine_actor()
        for step in self.steps:
            try:
                done += step(actor=actor, now=now) or 0
            except Exception as error:  # noqa: BLE001 - raised below
                failures.append(error)
        if failures:
            raise failures[0]
        return Work(done)
