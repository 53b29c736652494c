"""Strangers at a mailbox that takes no mail of strangers: their mail becomes nothing, and they are told so, politely and seldom.

Only who is proven to have written is told, or we would write to those whose address was forged; and no program is, or two of them would
write to each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from allswell.intake.queries import mail as queries
from allswell.intake.queries import mailboxes
from allswell.intake.rules.mailboxes import REFUSES_AGAIN, MessageState
from allswell.kernel.text import clean
from allswell.notifications import operations as notifications
from allswell.notifications.letters import Letter, Said
from allswell.notifications.rules import Outcome as Sending
from allswell.notifications.rules import Topic

from . import ours, sending
from .case import Case, Outcome

if TYPE_CHECKING:
    from allswell.notifications.models import Delivery

_TITLE = 100


def refuse(case: Case) -> Outcome:
    """Their mail becomes nothing; it stays in the list of what came in."""
    if not _is_told(case):
        return Outcome(MessageState.REFUSED, "unknown")
    mail, mailbox = case.found.mail, case.message.mailbox
    notifications.mail_stranger(
        case.sender.address,
        content={
            "subject": "refused",
            "title": " ".join(clean(mail.subject).split())[:_TITLE],
            "to": mailbox.address if mailbox is not None else "",
            "name": case.sender.name,
            "answers": mail.message_id if sending.ID.fullmatch(mail.message_id) else "",
        },
        key=f"refused.{case.message.pk}.email",
        now=case.now,
    )
    return Outcome(MessageState.REFUSED, "unknown_told")


def _is_told(case: Case) -> bool:
    kind = case.found.judgement.kind
    if not (kind.is_answered and case.sender.is_proven) or case.is_program:
        return False
    return not queries.was_told(case.sender.address, since=case.message.received_at - REFUSES_AGAIN)


def letter(row: Delivery) -> Letter | Sending:
    """What a stranger is told, in the language of the installation; moot where the mailbox is gone or off."""
    facts = row.content
    mailbox = mailboxes.all_mailboxes().filter(address=facts.get("to", ""), is_active=True).select_related("organization").first()
    if row.topic != Topic.ACCOUNT or facts.get("subject") != "refused" or mailbox is None:
        return Sending.MOOT
    name, address = sending.sender(mailbox)
    return Letter(
        key=row.key,
        message_id=ours.message_id(0, row.key),
        to_name=str(facts.get("name", "")),
        to_address=row.address,
        locale=settings.LANGUAGE_CODE,
        time_zone=settings.DEFAULT_TIME_ZONE,
        parts=((None, (Said(Topic.ACCOUNT, "", "", row.created_at, facts=facts),)),),
        from_name=name,
        from_address=address,
        reply_to=mailbox.address,
        answers=str(facts.get("answers", "")),
    )
