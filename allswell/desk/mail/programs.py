"""Mail that no person wrote: bounces, automatic replies, receipts. It opens nothing, reopens nothing, and gets no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from allswell.desk import steps
from allswell.intake.parsers.mail.kinds import MailKind
from allswell.intake.rules.mailboxes import MessageState
from allswell.notifications.rules import Topic
from allswell.people import operations as people_operations
from allswell.people import queries as people
from allswell.tickets import operations as tickets

from . import ours, placing
from .case import Case, Outcome

if TYPE_CHECKING:
    from allswell.people.models import Person
    from allswell.tickets.models import Ticket

#: characters of what a server said that a note repeats
_SAID = 300


def handled(case: Case) -> Outcome | None:
    """What becomes of a mail of a program; None where it may become, or be part of, a ticket."""
    kind = case.found.judgement.kind
    if kind is MailKind.OWN:
        return Outcome(MessageState.IGNORED, "own")
    if kind in (MailKind.BOUNCE, MailKind.DELIVERY_REPORT):
        return _undelivered(case, kind)
    if kind is MailKind.AUTO_REPLY:
        is_letter = case.decision is not None and not case.found.judgement.is_certain  # somebody read it, and says so
        return None if is_letter else _automatic(case)
    if not kind.opens_ticket:
        ticket = placing.reported_on(case.message, case.found, case.own)
        return Outcome(MessageState.IGNORED, kind.value, ticket.pk if ticket is not None else None)
    return None


def folded(case: Case, ticket: Ticket, *, reason: str) -> Outcome:
    """An automatic mail on a ticket: an internal note of the program, of which nobody is told."""
    person = case.sender.person
    name = person.name if person is not None else case.sender.address or _("nobody")
    body = _("Automatic reply from %(name)s:") % {"name": name} + f"\n\n{case.found.said or case.found.mail.subject}"
    note, _entry = tickets.comment(
        ticket,
        body=body[:100_000],
        is_public=False,
        actor=case.house,
        now=case.now,
        is_auto=True,
        message_id=case.found.mail.message_id,
    )
    case.files.attach(ticket, comment=note, is_public=False, person=None, now=case.now)
    return case.taken(ticket, note, reason=reason)


def _automatic(case: Case) -> Outcome:
    ticket = placing.reported_on(case.message, case.found, case.own)
    if ticket is None:
        ticket = placing.place(case.message, case.found, case.own, case.sender.actor, is_sure=case.sender.is_proven).ticket
    if ticket is None and not case.found.judgement.is_certain:
        return Outcome(MessageState.HELD, "worded")  # only its words say so: somebody may have asked for something
    if ticket is None:
        return Outcome(MessageState.IGNORED, MailKind.AUTO_REPLY.value)
    case.say("on_ticket", ticket=ticket.pk)
    return folded(case, ticket, reason=MailKind.AUTO_REPLY.value)


def _undelivered(case: Case, kind: MailKind) -> Outcome:
    """A mail server could not deliver what we sent. Believed only where it shows the id, signed by us, of a mail to whom it names."""
    ticket = placing.reported_on(case.message, case.found, case.own)
    if ticket is None:
        return Outcome(MessageState.IGNORED, kind.value)
    failing = None
    for told in case.found.reports:
        person = people.person_by_address(told.recipient) if told.recipient else None
        if told.action != "failed" or person is None or not _got(case, person):
            continue
        if not told.is_permanent:
            case.say("not_now", ticket=ticket.pk, person=person.pk)
            continue
        rows = people.addresses(person.pk).filter(address=told.recipient, failing_since__isnull=True)
        if not rows.exists():
            case.say("fails_still", ticket=ticket.pk, person=person.pk)
            continue
        people_operations.note_mail(person.pk, told.recipient, arrives=False, now=case.now)
        case.say("address_fails", ticket=ticket.pk, person=person.pk)
        failing = _tell(case, ticket, person, told.recipient, told.why)
    return Outcome(MessageState.TAKEN if failing else MessageState.IGNORED, kind.value, ticket.pk, failing)


def _tell(case: Case, ticket: Ticket, person: Person, address: str, why: str) -> int:
    """Tell the desk that somebody does not get its mails; not those who do not."""
    named = {"name": person.name, "address": address}
    body = _("Mail to %(name)s (%(address)s) does not arrive: nobody is at this address.") % named
    if why:
        body += "\n\n" + "\n".join(f"> {line}" for line in why[:_SAID].splitlines())
    note, entry = tickets.comment(ticket, body=body, is_public=False, actor=case.house, now=case.now, is_auto=True)
    told = steps.desk_audience(ticket) - {person.pk}
    steps.tell(entry, topic=Topic.WATCHED, persons=told, actor=case.house, now=case.now)
    return note.pk


def _got(case: Case, person: Person) -> bool:
    """Whether the bounce shows the id of a mail that went to this very person: who got another one may not speak for them."""
    return any(ours.person_of(one) == person.pk for one in placing.shown_ids(case.found))
