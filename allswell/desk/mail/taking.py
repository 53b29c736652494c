"""Taking mail: what was read becomes part of a ticket, a new one, or nothing, with the reason written down. One mail, one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from allswell.database.alone import is_alone
from allswell.desk.door import use_case
from allswell.intake.operations import mail as writing
from allswell.intake.parsers.mail.kinds import MailKind
from allswell.intake.parsers.mail.references import is_invented
from allswell.intake.queries import mail as queries
from allswell.intake.rules import repeating
from allswell.intake.rules.mailboxes import ATTEMPTS, SENDER_RATES, Decision, MessageState
from allswell.kernel.actor import Actor, Channel
from allswell.notifications import queries as notifications
from allswell.tickets import queries as tickets

from . import alerting, answering, opening, placing, programs, senders
from .case import Case, Outcome
from .files import Files, store
from .placing import Place
from .reading import Read

#: one engine takes mail at a time, so that mails of one sender and on one ticket are taken in the order in which they came
_ALONE = "allswell.mail"
_FOLDED = 200_000
#: so many of our last mails to a sender are looked at
_TOLD = 500
#: mails that may come to have files on a ticket
_WITH_FILES = (MailKind.PERSON, MailKind.CALENDAR, MailKind.NOTICE, MailKind.LIST, MailKind.AUTO_REPLY)


def take(read: Read, *, actor: Actor, now: datetime) -> Outcome | None:
    """Take a mail that was read; None when another engine is at it, or was. Its files are stored before the transaction."""
    found = read.found
    files = store(found.mail.attachments) if found is not None and found.judgement.kind in _WITH_FILES else Files()
    try:
        outcome = _take(read, files, actor=actor, now=now)
    except BaseException:
        files.discard()
        raise
    if not files.is_used:
        files.discard()
    return outcome


@use_case
def _take(read: Read, files: Files, *, actor: Actor, now: datetime) -> Outcome | None:
    if not is_alone(_ALONE):
        return None
    message = queries.pending(read.message)
    if message is None:
        return None
    if message.mailbox_id is not None:
        writing.note_came(message.mailbox_id, at=message.received_at)
    if read.found is None:
        outcome = Outcome(MessageState.QUARANTINED, read.error)
        writing.settle(message, state=outcome.state, now=now, reason=read.error[:40])
        return outcome
    decision = Decision.parse(message.decision)
    case = Case(
        message=message,
        found=read.found,
        own=read.own,
        files=files,
        sender=senders.sender_of(read.found, decision),
        decision=decision,
        house=actor.via(Channel.EMAIL),
        now=now,
    )
    outcome = _became(case)
    _write(case, outcome)
    return outcome


@use_case
def give_up(message: int, *, error: str, is_final: bool = False, actor: Actor, now: datetime) -> bool:
    """A mail could not be taken. It is tried again; the last time it is put aside, so that what is behind it goes on. Whether it is."""
    row = queries.pending(message)
    if row is None:
        return True
    attempts = row.attempts + 1
    if attempts < ATTEMPTS and not is_final:
        writing.failed(message, attempts=attempts, detail=error)
        return False
    writing.settle(row, state=MessageState.QUARANTINED, now=now, reason="failed", detail=error[:300], attempts=attempts)
    return True


def _became(case: Case) -> Outcome:
    """What becomes of a mail, step by step; the first step that decides is the last."""
    judgement = case.found.judgement
    case.say("kind", kind=judgement.kind.value, why=judgement.why)
    if case.decision is not None:
        case.say("released", person=case.decision.by)
    elif (outcome := _again(case)) is not None:
        return outcome
    if (outcome := alerting.handled(case)) is not None:
        return outcome
    if not case.is_monitoring and (outcome := programs.handled(case)) is not None:
        return outcome
    if case.decision is None:
        if (outcome := _too_many(case)) is not None:
            return outcome
        case.is_program = case.is_program or _is_repeated(case)
    place = _place(case)
    if case.found.mail.has_tnef:
        case.notes.append(_("Some of this mail is in a winmail.dat (TNEF), which Outlook made and few others can read."))
    if place.ticket is not None:
        return answering.answer(case, place)
    return opening.open_ticket(case, place)


def _again(case: Case) -> Outcome | None:
    """The same mail came before, by another mailbox or from a server that was not sure."""
    mail = case.found.mail
    before = queries.same(case.message, message_id=mail.message_id, sender=case.sender.address, content=case.found.content)
    if before is None:
        return None
    case.say("came_before", message=before.pk)
    return Outcome(MessageState.IGNORED, "duplicate", before.ticket_id)


def _too_many(case: Case) -> Outcome | None:
    until = case.message.received_at
    for within, at_most in SENDER_RATES:
        since, is_proven = until - within, case.sender.is_proven
        count = queries.count_of_sender(case.sender.address, since=since, until=until, is_proven=is_proven, at_most=at_most)
        if count >= at_most:
            case.say("rate", at_most=at_most, minutes=int(within.total_seconds() // 60))
            return Outcome(MessageState.HELD, "sender_rate")
    return None


def _is_repeated(case: Case) -> bool:
    """Whether they said the same so often, and in such time, that a program must have written it, whatever it looks like."""
    if not case.found.judgement.kind.is_answered:
        return False
    at, person = case.message.received_at, case.sender.person
    since = at - repeating.WITHIN
    came = [*queries.times_saying(case.sender.address, case.found.mark, since=since, at_most=repeating.MANY), at]
    if len(came) <= repeating.SAME:
        return False
    told = notifications.mailed_at(person.pk, since=since, limit=_TOLD) if person is not None else []
    if not repeating.is_by_program(came, told):
        return False
    case.say("repeats", times=len(came))
    return True


def _place(case: Case) -> Place:
    chosen = case.decision.ticket if case.decision is not None else None
    if chosen is not None and case.sender.actor is not None and (ticket := tickets.ticket(chosen)) is not None:
        return Place(ticket, "decision")
    is_sure = case.sender.is_proven or case.decision is not None
    return placing.place(case.message, case.found, case.own, case.sender.actor, is_sure=is_sure)


def _write(case: Case, outcome: Outcome) -> None:
    """Write down what became of it and why, and the ids by which answers find the ticket."""
    found, mail, checked = case.found, case.found.mail, case.found.authentication
    authentication: dict[str, Any] = {"is_checked": checked.is_checked, "is_aligned": checked.is_aligned, "why": checked.why}
    authentication |= {name: value for name in ("dmarc", "spf", "dkim") if (value := getattr(checked, name))}
    writing.settle(
        case.message,
        state=outcome.state,
        now=case.now,
        reason=outcome.reason,
        detail=outcome.detail[:300],
        ticket_id=outcome.ticket,
        comment_id=outcome.comment,
        person_id=case.sender.person.pk if case.sender.person is not None else None,
        message_id=mail.message_id[:250],
        sender=case.sender.address,
        sender_name=case.sender.name,
        subject=mail.subject[:250],
        mail_kind=found.judgement.kind.value,
        is_certain=found.judgement.is_certain,
        authentication=authentication,
        trail=case.trail,
        folded=found.folded[:_FOLDED],
        mark=found.mark,
        content=found.content,
    )
    is_conversation = outcome.state is MessageState.TAKEN and found.judgement.kind.opens_ticket
    if is_conversation and outcome.ticket is not None:
        ids = [mail.message_id]
        if case.sender.is_proven:
            told = [one for one in (*mail.references[-10:], *mail.in_reply_to) if one not in ids]
            elsewhere = queries.tickets_of(told) if told else {}
            ids += [one for one in told if one not in elsewhere]  # an answer to it belongs where it was seen first
        seen = [one for one in ids if one and not is_invented(one, case.own)]
        writing.refer(outcome.ticket, seen, is_ours=False, now=case.now)
