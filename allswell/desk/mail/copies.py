"""What comes along with a mail: people in copy, and files that may not be attached."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from allswell.intake.parsers.mail.references import is_own_address
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.people import queries as people
from allswell.people.rules import Act, may
from allswell.tickets import operations as tickets
from allswell.tickets import queries
from allswell.tickets.rules import WatcherKind

from .case import Case

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

#: people in copy of one mail who are looked at, and named
_MOST, _NAMED = 50, 10


def add(case: Case, ticket: Ticket, actor: Actor | None) -> None:
    """Those in copy of a mail are in copy of the ticket, as far as who wrote it could put them there. Others are named in a note.

    A requester reaches people of their own organization, the desk those it knows. A restricted ticket grows by hand alone.
    """
    mail = case.found.mail
    said = [one.address for one in (*mail.to, *mail.cc)]
    own = {case.sender.address, ""}
    others = [one for one in dict.fromkeys(said) if one not in own and not is_own_address(one, case.own)][:_MOST]
    if not others:
        return
    reach = _reach(ticket, actor)
    left, there = [], set(queries.watchers(ticket.pk, [WatcherKind.PARTICIPANT])) | {ticket.requester_id, ticket.assignee_id}
    for address in others:
        person = people.person_by_address(address)
        if person is not None and person.pk in there:
            continue
        is_within = person is not None and person.is_active and (reach is None or person.organization_id in reach)
        if person is None or not is_within or ticket.is_restricted or len(there) > _MOST:
            left.append(address)
            continue
        there.add(person.pk)
        if tickets.watch(ticket, person=person.pk, kind=WatcherKind.PARTICIPANT, now=case.now):
            data = {"person": person.pk, "kind": WatcherKind.PARTICIPANT.value}
            tickets.record(Verb.WATCHED, ticket, actor=actor or case.house, now=case.now, data=data)
    if left:
        more = f" (+ {len(left) - _NAMED})" if len(left) > _NAMED else ""
        case.notes.append(
            _("In copy of the mail, but not of the ticket: %(addresses)s") % {"addresses": ", ".join(left[:_NAMED]) + more}
        )


def _reach(ticket: Ticket, actor: Actor | None) -> frozenset[int] | None:
    """The organizations whose people may come along; None: all."""
    if actor is None:
        return frozenset()
    if may(actor, Act.WORK, queries.facts(ticket, person=actor.person)):
        return people.reach(actor)
    return frozenset(people.organization_and_below(actor.organization)) if actor.organization else frozenset()


def attached(ticket: Ticket, ids: list[int], *, is_public: bool, actor: Actor, now: datetime) -> None:
    """Files came without words."""
    tickets.record(Verb.ATTACHED, ticket, actor=actor, now=now, data={"attachments": ids, "is_public": is_public})


def refused(case: Case) -> None:
    """Files that may not be attached are named; the mail itself still has them."""
    if case.files.refused:
        names = ", ".join(case.files.refused[:_NAMED])
        case.notes.append(_("Not attached, as programs and empty or too large files are not: %(names)s") % {"names": names})
