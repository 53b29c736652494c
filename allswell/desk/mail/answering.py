"""A mail that belongs to a ticket: a reply of who asked, of somebody in copy, or of the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from allswell.desk import steps
from allswell.desk.door import attempt, body_of
from allswell.desk.tickets import moving, talking
from allswell.intake.parsers.mail.kinds import MailKind
from allswell.intake.queries import mail as queries
from allswell.intake.rules.mailboxes import TICKET_RATE, MessageState
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict
from allswell.notifications.rules import Topic
from allswell.people.rules import Act, may
from allswell.tickets import operations as tickets
from allswell.tickets import queries as ticket_queries
from allswell.tickets.rules import FINAL_STATES, RESOLVED_STATES, State

from . import commands, copies, programs
from .case import Case, Outcome
from .placing import Place

if TYPE_CHECKING:
    from allswell.tickets.models import Comment, Ticket


def answer(case: Case, place: Place) -> Outcome:
    """Put a mail on the ticket where it belongs."""
    ticket, actor = place.ticket, case.sender.actor
    assert ticket is not None
    assert actor is not None
    case.say("on_ticket", ticket=ticket.pk, by=place.how)
    within, at_most = TICKET_RATE
    if case.decision is None:
        if case.sender.is_forged:
            return Outcome(MessageState.HELD, "forged")
        since = case.message.received_at - within
        if queries.count_of_ticket(ticket.pk, since=since, at_most=at_most) >= at_most:
            return Outcome(MessageState.HELD, "ticket_rate", ticket.pk)
    if case.is_program or case.found.judgement.kind is MailKind.NOTICE:
        return programs.folded(case, ticket, reason="automatic")
    if may(actor, Act.WORK, ticket_queries.facts(ticket, person=actor.person)) and not steps.is_requester_side(actor, ticket):
        return _from_desk(case, ticket, actor)
    return _from_requester(case, place, ticket, actor)


def _from_desk(case: Case, ticket: Ticket, actor: Actor) -> Outcome:
    """Somebody of the desk answers. Unless it is proven that they did, nobody outside sees it, and nothing else happens."""
    what = commands.asked(case.found.said)
    if not _is_sure(case):
        case.say("unproven")
        case.notes.append(
            _(
                "This mail names %(name)s as its sender, which no server proved. So it is a note, and nothing it asks for was done."
            )
            % {"name": actor.name}
        )
        return _as_note(case, ticket, actor, what.words if "note" in what.commands else case.found.said)
    copies.add(case, ticket, actor)
    if what.commands:
        case.say("commands", commands=list(what.commands))
        done = commands.do(ticket, what, actor=actor, now=case.now)
        case.notes += [_("“#%(command)s” was not done: %(why)s") % {"command": name, "why": why} for name, why in done.failed]
        return _finished(case, ticket, done.comment, is_public="note" not in what.commands, person=actor.person)
    if State(ticket.state) in FINAL_STATES:
        case.notes.append(_("The ticket is closed, so this is a note. Open a follow-up to answer."))
        return _as_note(case, ticket, actor, case.found.said)
    written = body_of(talking.reply)(ticket.pk, body=_words(case), actor=actor, now=case.now)
    return _finished(case, ticket, written, is_public=True, person=actor.person)


def _is_sure(case: Case) -> bool:
    """Whether they may act: a server proved who wrote, or a person said by whom it counts. To let a held mail in proves nothing."""
    return case.sender.is_proven or (case.decision is not None and case.decision.person is not None)


def _as_note(case: Case, ticket: Ticket, actor: Actor, words: str) -> Outcome:
    """An internal note in the name of the program, as it is not proven, or not possible, that it is anything else."""
    author = actor if _is_sure(case) else case.house
    written, entry = tickets.comment(ticket, body=words or _words(case), is_public=False, actor=author, now=case.now)
    steps.tell(entry, topic=Topic.WATCHED, persons=steps.desk_audience(ticket), actor=author, now=case.now, is_held=True)
    return _finished(case, ticket, written, is_public=False, person=author.person)


def _from_requester(case: Case, place: Place, ticket: Ticket, actor: Actor) -> Outcome:
    """Who asked, or somebody in copy, answers. What is done opens again when they say more than thanks."""
    is_sure = case.sender.is_proven or place.is_signed or case.decision is not None
    if not case.sender.is_proven:
        case.say("unproven")
    if not is_sure:
        case.notes.append(_("Nothing proves that %(name)s sent the last mail.") % {"name": actor.name})
    if commands.asked(case.found.said).commands:
        case.notes.append(_("The mail begins with a command; only the desk acts on tickets by mail, so these are words."))
    if State(ticket.state) in RESOLVED_STATES:
        if case.found.is_thanks:
            case.say("thanks")
            case.notes.append(_("They only say thank you, so the ticket stays as it is. Reopen it if they meant more."))
        elif ticket.requester_id == actor.person and is_sure:
            ticket = _reopened(case, ticket, actor)
    if case.found.is_thanks and State(ticket.state) in FINAL_STATES:
        return _thanked(case, ticket, actor)
    written = body_of(talking.reply)(ticket.pk, body=_words(case), actor=actor, now=case.now)
    if written.ticket_id != ticket.pk:
        case.say("follow_up", ticket=written.ticket_id)
        ticket = written.ticket
    if case.sender.is_proven:
        copies.add(case, ticket, actor)
    return _finished(case, ticket, written, is_public=True, person=actor.person)


def _thanked(case: Case, ticket: Ticket, actor: Actor) -> Outcome:
    """Thanks for what is closed: a word on the ticket that opens nothing."""
    case.say("thanks")
    words = _words(case)
    written, entry = tickets.comment(ticket, body=words, is_public=True, actor=actor, now=case.now)
    steps.tell(entry, topic=Topic.REPLIED, persons=steps.desk_audience(ticket), actor=actor, now=case.now, is_held=True)
    return _finished(case, ticket, written, is_public=True, person=actor.person)


def _reopened(case: Case, ticket: Ticket, actor: Actor) -> Ticket:
    """The ticket, open again; where it is too late for that the reply waits for nothing and the desk is told."""
    try:
        with attempt():
            found = body_of(moving.reopen)(ticket.pk, actor=actor, now=case.now)
    except Conflict:
        case.say("too_late", ticket=ticket.pk)
        case.notes.append(_("It is too late to reopen this ticket by itself; open a follow-up if there is more to do."))
        return ticket
    case.say("reopened", ticket=ticket.pk)
    return found


def _words(case: Case) -> str:
    return case.found.said or _("(no text)")


def _finished(case: Case, ticket: Ticket, written: Comment | None, *, is_public: bool, person: int | None) -> Outcome:
    """The files, the notes and the id of the mail go with what it became."""
    attached = case.files.attach(ticket, comment=written, is_public=is_public, person=person, now=case.now)
    if attached and written is None:
        copies.attached(ticket, attached, is_public=is_public, actor=case.house, now=case.now)
    if written is not None and case.found.mail.message_id:
        tickets.came_by(written, case.found.mail.message_id)
    copies.refused(case)
    case.note(ticket)
    return case.taken(ticket, written)
