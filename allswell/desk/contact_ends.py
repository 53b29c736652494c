"""A way whose receiver wants nothing any more: a browser that withdrew its leave, a number that asked for silence."""

from __future__ import annotations

from datetime import datetime

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Answer


def switch_off(contact: int | None, answer: Answer, *, actor: Actor, now: datetime) -> bool:
    """Inside a use case: nothing goes to a contact that answered so, until a code arrives there again; it is not forgotten.

    False when the answer was another, or nothing goes there anyway.
    """
    if contact is None or not answer.is_gone or not notifications.note_contact_gone(contact, now=now):
        return False
    data = {"is_verified": False, "reason": "gone"}
    journal.record(Verb.CHANGED, about=(notifications.CONTACT, contact), actor=actor, now=now, data=data)
    return True
