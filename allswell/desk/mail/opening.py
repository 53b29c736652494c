"""A mail that belongs to no ticket opens one: whose it is, what its mailbox and the rules make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from allswell.desk.door import attempt, body_of
from allswell.desk.tickets import reporting
from allswell.desk.tickets.reporting import Report
from allswell.intake.operations import mail as writing
from allswell.intake.parsers.mail.kinds import LIST_HEADERS, MailKind, list_header
from allswell.intake.parsers.mail.references import is_own_address
from allswell.intake.queries import mail as queries
from allswell.intake.rules import mail_rules
from allswell.intake.rules.mail_rules import Rule, RuleAct
from allswell.intake.rules.mailboxes import MessageState, UnknownSenders
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError, Invalid
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.tickets import operations as tickets
from allswell.tickets import queries as ticket_queries
from allswell.tickets.rules import Kind, LinkKind, reference

from . import alerting, copies, refusing, senders
from .case import Case, Outcome
from .placing import Place

if TYPE_CHECKING:
    from allswell.people.models import Person
    from allswell.tickets.models import Ticket

_TITLE = 200


def open_ticket(case: Case, place: Place) -> Outcome:
    """Open a ticket for a mail, unless a rule or what is known of its sender is against it."""
    rule = mail_rules.decide(alerting.facts_of(case), queries.mail_rules())
    if rule.number is not None:
        if not case.is_monitoring:  # that is said already
            case.say("rule", rule=rule.number)
        writing.note_fit(rule.number, now=case.now)
    if case.decision is None:
        if rule.act is RuleAct.IGNORE:
            return Outcome(MessageState.IGNORED, "rule")
        if rule.act is RuleAct.HOLD:
            return Outcome(MessageState.HELD, "rule")
        if case.sender.is_unusable:
            return Outcome(MessageState.HELD, "inactive")
        if case.sender.is_forged:
            return Outcome(MessageState.HELD, "forged")
    if (stranger := _stranger(case, rule)) is not None:
        return stranger
    requester, forwarded = _requester(case)
    actor = case.sender.actor or case.house
    ticket = _opened(case, rule, requester, actor)
    case.say("opened", ticket=ticket.pk)
    case.files.attach(ticket, comment=None, is_public=True, person=case.sender.person_id, now=case.now)
    if case.sender.actor is not None and not case.sender.is_proven and case.decision is None:
        case.say("unproven")
    _belongs(case, ticket, place)
    if forwarded:
        case.notes.append(forwarded)
    if not case.is_program:
        copies.add(case, ticket, case.sender.actor)
    copies.refused(case)
    case.note(ticket)
    return case.taken(ticket)


def _stranger(case: Case, rule: Rule) -> Outcome | None:
    """What the mailbox says about senders whom nobody knows; None when the mail goes on."""
    if case.sender.person is not None:
        return None
    if case.decision is None and (kept_out := _kept_out(case, rule)) is not None:
        return kept_out
    if not case.sender.address or case.is_program or case.found.judgement.kind is MailKind.NOTICE:
        return None  # they are not made known, and get no answer
    try:
        with attempt():
            person = senders.make_known(case.sender, case.message.mailbox, actor=case.house, now=case.now)
    except DeskError:
        return Outcome(MessageState.HELD, "unknown")
    case.say("made_known", person=person.pk)
    case.sender = senders.sender_of(case.found, case.decision)
    return None


def _kept_out(case: Case, rule: Rule) -> Outcome | None:
    """Why the mail of a sender whom nobody knows opens no ticket, be it a person or a program, whatever rule it fits."""
    if not case.sender.address:
        return Outcome(MessageState.HELD, "no_sender")
    mailbox = case.message.mailbox
    policy = UnknownSenders(mailbox.unknown_senders) if mailbox is not None else UnknownSenders.HOLD
    if policy is UnknownSenders.REFUSE:
        return refusing.refuse(case)
    if policy is UnknownSenders.HOLD:
        return Outcome(MessageState.HELD, "unknown")
    header = list_header(case.found.mail, case.own)
    if not header or rule.header in LIST_HEADERS:  # who made a rule about lists knows this one
        return None
    case.say("by_list", header=header)
    return Outcome(MessageState.HELD, "list")


def _requester(case: Case) -> tuple[Person | None, str]:
    """Who asks, and what to say about that: an agent's forward is the request of who wrote it first."""
    writer, actor = case.sender.person, case.sender.actor
    original = case.found.original
    if original is None or actor is None or not actor.is_agent or is_own_address(original.sender.address, case.own):
        return writer, ""
    said = f"{original.sender.name} <{original.sender.address}>".strip()
    first = people.person_by_address(original.sender.address)
    reach = people.reach(actor)
    is_within = first is not None and first.is_active and (reach is None or first.organization_id in reach)
    if is_within and (case.sender.is_proven or case.decision is not None):
        case.say("forwarded", person=first.pk if first else None)
        return first, _("%(agent)s passed on a mail of %(sender)s, who is the requester.") % {"agent": actor.name, "sender": said}
    case.say("written_first", address=original.sender.address[:254], name=original.sender.name[:120])
    return writer, _("This mail was passed on; it was first written by %(sender)s. Perhaps they are the requester.") % {
        "sender": said
    }


def _opened(case: Case, rule: Rule, requester: Person | None, actor: Actor) -> Ticket:
    mailbox = case.message.mailbox
    wanted = rule.service if rule.service is not None else mailbox.service_id if mailbox is not None else None
    service = services.by_ref(wanted) if wanted is not None else None
    team = rule.team or (mailbox.team_id if mailbox is not None else None)
    category = rule.category if rule.category and ticket_queries.category(rule.category) is not None else None
    kind = Kind(rule.kind or (mailbox.ticket_kind if mailbox is not None else Kind.INCIDENT))
    by = actor if requester is None or actor.person == requester.pk or actor.is_agent else case.house
    what = Report(
        kind=kind,
        title=_title(case),
        description=case.found.said[:100_000],
        requester=requester.pk if requester is not None else None,
        service=service.pk if service is not None and service.is_active else None,
        team=team if team is not None and people.team(team) is not None else None,
        impact=rule.impact,
        urgency=rule.urgency,
        category=category,
        is_by_mail=True,
        is_answered=not case.is_program and case.found.judgement.kind.is_answered,
    )
    return body_of(reporting.report)(what, actor=by, now=case.now)


def _title(case: Case) -> str:
    try:
        return text.line(case.found.mail.subject[:_TITLE], field="title", limit=_TITLE)
    except Invalid:
        return _("(no subject)")


def _belongs(case: Case, ticket: Ticket, place: Place) -> None:
    """It names a ticket that its sender may not see: both are linked for the desk, and nobody else learns of it."""
    other = place.maybe
    if other is None:
        return
    case.say("maybe", ticket=other.pk, by=place.maybe_how)
    if place.maybe_how == "subject" and not case.sender.is_proven:
        words = _("The subject names %(reference)s, and no server proved who sent this mail. Perhaps it belongs there.")
    elif place.maybe_how == "subject":
        words = _("The subject names %(reference)s, which the sender of this mail may not see. Perhaps it belongs there.")
    else:
        words = _("This mail answers one about %(reference)s, which its sender may not see. Perhaps it belongs there.")
        tickets.link(ticket, other, kind=LinkKind.RELATED, actor=case.house, now=case.now)
    case.notes.append(words % {"reference": reference(other.kind, other.pk)})
