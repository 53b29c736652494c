"""The use cases of what a person wants to be told, and how."""

from __future__ import annotations

from datetime import datetime

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid, NotAllowed
from allswell.notifications import operations as notifications
from allswell.notifications import rules

from .door import use_case


@use_case
def prefer(wanted: dict[tuple[str, str], bool], *, actor: Actor, now: datetime) -> int:
    """Say which topics the actor wants by which channel: {(topic, channel): wanted}. Answers how many choices changed.

    Raises Invalid for a topic or channel one cannot choose.
    """
    if actor.person is None:
        raise NotAllowed("Only people have preferences.")
    if not rules.CHOICES.issuperset(wanted):
        raise Invalid("There is no such choice.", field="preferences")
    changed = notifications.prefer(actor.person, wanted)
    if changed:
        named = {f"{topic}.{channel}": wanted[topic, channel] for topic, channel in changed}
        journal.record(Verb.CHANGED, about=("person", actor.person), actor=actor, now=now, data={"preferences": named})
    return len(changed)
