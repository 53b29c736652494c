"""Whose words a mail has: of the ticket's organization, of the nearest above it, of the installation, else the built-in ones."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.translation import gettext as _

from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.notifications import queries
from allswell.notifications.letters import Letter, OwnWords, Said
from allswell.notifications.rules.templates import MailKind, Template, kind_of
from allswell.tickets import queries as tickets
from allswell.tickets.rules import reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from allswell.tickets.models import Ticket

log = logging.getLogger(__name__)


def worded(letter: Letter, *, recipient: Actor) -> Letter:
    """The letter in the words chosen for it. The desk's own mails, and those about several tickets, have the built-in ones.

    At most four small statements; one where nobody chose words. What cannot be read stops no mail.
    """
    matter, told = letter.parts[0]
    kind = kind_of((said.topic, said.verb) for said in told) if len(letter.parts) == 1 and matter is not None else None
    if kind is None or matter is None or not queries.has_templates(kind, letter.locale):
        return letter
    ticket = tickets.for_mail(matter.number)
    if ticket is None:
        return letter
    if ticket.requester_id != recipient.person and tickets.at_the_desk(recipient).filter(pk=ticket.pk).exists():
        return letter
    template = _chosen(ticket, kind, letter.locale)
    if template is None:
        return letter
    return replace(letter, own_words=OwnWords(template, values(ticket, told, kind, letter=letter)))


def _chosen(ticket: Ticket, kind: MailKind, locale: str) -> Template | None:
    """The nearest template that was written; None where there is none, or it cannot be used any more."""
    path = ticket.organization.path if ticket.organization else ""
    near = [int(part) for part in reversed(path.split("/")) if part]
    found = queries.templates_for(kind, locale, organizations=near)
    row = next((found[place] for place in (*near, None) if place in found), None)
    try:
        return Template.parse(row.subject, row.text, kind=kind) if row is not None else None
    except Invalid as error:
        log.warning("mail template %s cannot be used, the built-in words are sent: %s", row.pk if row else "", error)
        return None


def values(ticket: Ticket, told: Sequence[Said], kind: MailKind, *, letter: Letter) -> dict[str, str]:
    """What fills the words, but for what the mail itself knows. `ticket` has its requester, organization and service loaded."""
    who = next((said.who for said in reversed(told) if kind_of([(said.topic, said.verb)]) is kind), "")
    with translation.override(letter.locale):
        nobody = _("Allswell")
    return {
        "ticket.reference": reference(ticket.kind, ticket.pk),
        "ticket.title": ticket.title,
        "recipient.name": letter.to_name,
        "requester.name": ticket.requester.name if ticket.requester else letter.to_name,
        "agent.name": who or nobody,
        "organization.name": ticket.organization.name if ticket.organization else "",
        "service.name": ticket.service.name if ticket.service else "",
        "resolution": ticket.resolution,
    }
