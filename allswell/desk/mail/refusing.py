"""Strangers at a mailbox that takes no mail of strangers."""

from __future__ import annotations

from allswell.intake.rules.mailboxes import MessageState

from .case import Case, Outcome


def refuse(case: Case) -> Outcome:
    """Their mail becomes nothing; it stays in the list of what came in."""
    return Outcome(MessageState.REFUSED, "unknown")
