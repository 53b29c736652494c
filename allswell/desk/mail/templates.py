"""The use cases of mail templates: an organization says in its own words what mails to those who asked tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from allswell.desk.door import use_case
from allswell.desk.people import organization_for
from allswell.kernel import text as texts
from allswell.kernel.actor import Actor, Channel, Role
from allswell.kernel.errors import DeskError, Invalid, NotAllowed, NotFound, Stale
from allswell.notifications import mail, queries, templated
from allswell.notifications import operations as notifications
from allswell.notifications.letters import Letter, Matter, OwnWords, Said
from allswell.notifications.rules import Topic
from allswell.notifications.rules.templates import MailKind, Template, verb_of
from allswell.people import queries as people
from allswell.people.rules import Act, may, place_of, require
from allswell.tickets import queries as tickets
from allswell.tickets.rules import reference

from . import own_words, sending

if TYPE_CHECKING:
    from allswell.notifications.models import MailTemplate
    from allswell.tickets.models import Ticket

#: so many are listed on one page
MOST = 500
#: stands for an address that is not set
_NOWHERE = "nobody@example.invalid"
_REFERENCE = re.compile(r"\[?(?:[A-Za-z]{2,4}-|#)?(\d{1,12})\]?")


def visible_to(actor: Actor) -> list[MailTemplate]:
    """The templates the actor may read, those for all organizations first. Raises NotAllowed."""
    if not (actor.is_system or actor.has_role(Role.ADMINISTRATOR, Role.AUDITOR)):
        raise NotAllowed("Your role does not allow this.")
    return [row for row in queries.all_templates() if may(actor, Act.READ_SETUP, place_of(row.organization_id))]


def one(number: int, *, actor: Actor, act: Act = Act.READ_SETUP, is_locked: bool = False) -> MailTemplate:
    """A template, if the actor may do this to it. Raises NotAllowed, NotFound."""
    row = queries.template(number, is_locked=is_locked)
    if row is None or not may(actor, Act.READ_SETUP, place_of(row.organization_id)):
        raise NotFound("There is no such template.")
    require(actor, act, place_of(row.organization_id))
    return row


def version(row: MailTemplate) -> str:
    """What tells whether a template says something else by now."""
    return row.changed_at.isoformat()


def trouble(row: MailTemplate) -> DeskError | None:
    """Why a template that was written cannot be used any more, so that the built-in words are sent; None when all is well."""
    try:
        Template.parse(row.subject, row.text, kind=MailKind(row.kind))
    except (Invalid, ValueError) as error:
        return error if isinstance(error, DeskError) else Invalid("There is no such kind of mail.", field="kind")
    return None


def _place(organization: int | None, act: Act, *, actor: Actor) -> int | None:
    """The organization a template is for, None for all. Raises Invalid, NotAllowed."""
    if organization is not None:
        try:
            organization_for(organization, Act.READ_SETUP, actor=actor)
        except DeskError as error:
            raise Invalid("There is no such organization.", field="organization") from error
    require(actor, act, place_of(organization))
    return organization


def _kind(kind: str) -> MailKind:
    if kind not in set(MailKind):
        raise Invalid("Choose one of the list.", field="kind")
    return MailKind(kind)


def _language(locale: str) -> str:
    if locale not in dict(settings.LANGUAGES):
        raise Invalid("Choose one of the list.", field="locale")
    return locale


def _written(subject: str, text: str, *, kind: MailKind) -> dict[str, str]:
    """What is kept, once it can be used. Raises Invalid."""
    Template.parse(subject, text, kind=kind)
    return {"subject": texts.line(subject, field="subject", limit=200), "text": texts.prose(text, field="text")}


@use_case
def create(
    *, kind: str, locale: str, subject: str, text: str, organization: int | None = None, actor: Actor, now: datetime
) -> MailTemplate:
    """Words for a kind of mail in a language: of an organization and those below it, or (None) of all. Raises Invalid, NotAllowed."""
    place = _place(organization, Act.SET_UP, actor=actor)
    wanted, language = _kind(kind), _language(locale)
    rows = queries.all_templates()
    if rows.filter(kind=wanted.value, locale=language, organization=place).exists():
        raise Invalid("There are words for this already. Change those.", field="kind")
    if rows.count() >= MOST:
        raise Invalid("There are too many templates.")
    written = _written(subject, text, kind=wanted)
    values = {"kind": wanted.value, "locale": language, "organization_id": place, **written}
    return notifications.create_template(actor=actor, now=now, **values)


@use_case
def change(
    number: int, *, subject: str | None = None, text: str | None = None, seen: str = "", actor: Actor, now: datetime
) -> MailTemplate:
    """Change what is not None. `seen` is what `version` said when it was read. Raises Invalid, NotAllowed, NotFound, Stale."""
    row = one(number, actor=actor, act=Act.SET_UP, is_locked=True)
    if seen and seen != version(row):
        raise Stale("Somebody else changed these words in the meantime. Look again, and change them once more.")
    said = row.subject if subject is None else subject, row.text if text is None else text
    notifications.change_template(row, _written(*said, kind=_kind(row.kind)), actor=actor, now=now)
    return row


@use_case
def forget(number: int, *, actor: Actor, now: datetime) -> None:
    """Back to the words of those above, or the built-in ones. Raises NotAllowed, NotFound."""
    notifications.forget_template(one(number, actor=actor, act=Act.SET_UP, is_locked=True), actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail as it would go out about a ticket; `sender` and `answers` are "" where no address is set.

    `is_example`: nobody wrote publicly yet, so an example stands for it.
    """

    subject: str
    sender: str
    to: str
    answers: str
    plain: str
    html: str
    is_example: bool


def preview(
    *,
    kind: str,
    locale: str,
    subject: str,
    text: str,
    ticket: str,
    organization: int | None = None,
    actor: Actor,
    now: datetime,
) -> Preview:
    """The very mail that these words would make of a ticket the actor may see; nothing is written or sent.

    Raises Invalid, NotAllowed; NotFound beside `ticket`.
    """
    _place(organization, Act.READ_SETUP, actor=actor)
    wanted, language = _kind(kind), _language(locale)
    template = Template.parse(subject, text, kind=wanted)
    found = _ticket(ticket, actor=actor)
    person = found.requester
    if person is None:
        raise Invalid("Nobody asked for this ticket, so nobody gets a mail about it.", field="ticket")
    said, is_example = _said(found, wanted, language, actor=actor, now=now)
    letter = Letter(
        key="preview",
        to_name=person.name,
        to_address=people.primary_addresses([person.pk]).get(person.pk, _NOWHERE),
        locale=language,
        time_zone=people.actor_for(person, channel=Channel.EMAIL).time_zone,
        parts=((Matter(found.pk, reference(found.kind, found.pk), found.title), (said,)),),
    )
    words = OwnWords(template, own_words.values(found, [said], wanted, letter=letter))
    letter = sending.addressed(replace(letter, own_words=words), person=person.pk)
    made = mail.message(letter, sender=settings.MAIL_FROM or _NOWHERE, public_url=settings.PUBLIC_URL, now=now)
    plain, page = made.get_body(("plain",)), made.get_body(("html",))
    return Preview(
        subject=str(made["Subject"]),
        sender=_address(made["From"]),
        to=str(made["To"]),
        answers=_address(made["Reply-To"]),
        plain=str(plain.get_content()) if plain is not None else "",
        html=str(page.get_content()) if page is not None else "",
        is_example=is_example,
    )


def _address(header: object) -> str:
    return "" if str(header) == _NOWHERE else str(header)


def _ticket(ticket: str, *, actor: Actor) -> Ticket:
    told = _REFERENCE.fullmatch(ticket.strip())
    number = int(told[1]) if told else 0
    found = tickets.for_mail(number) if tickets.visible_to(actor).filter(pk=number).exists() else None
    if found is None:
        raise NotFound("There is no such ticket, or you may not see it.", field="ticket")
    return found


def _said(ticket: Ticket, kind: MailKind, locale: str, *, actor: Actor, now: datetime) -> tuple[Said, bool]:
    """What the mail tells: of a reply the last that the requester did not write, else an example."""
    if kind is not MailKind.REPLIED:
        topic = Topic.RECEIVED if kind is MailKind.RECEIVED else Topic.STATE
        return Said(topic, verb_of(kind), actor.name, now), False
    spoken = tickets.comments(ticket, internal=False).exclude(author=ticket.requester_id).last()
    if spoken is not None:
        return Said(Topic.REPLIED, "ticket.replied", spoken.author.name if spoken.author else "", now, spoken.body), False
    with translation.override(locale):
        return Said(Topic.REPLIED, "ticket.replied", actor.name, now, _("(Here stands what was answered.)")), True


built_in = templated.built_in
