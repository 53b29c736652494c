"""Pages at work: what is due is claimed, looked at once more, sent by the engine outside any transaction, and settled.

A page is never sent again without need and never lost: whoever dies between sending and settling leaves it claimed, and when the lease
is over it goes out once more with the same key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.fernet import InvalidToken
from django.conf import settings

from allswell.jobs import queries as jobs
from allswell.kernel.actor import Actor
from allswell.notifications import operations as notifications
from allswell.notifications import page_wording
from allswell.notifications import queries as contacts
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.page_wording import BundledPage, PageFacts, Reader
from allswell.notifications.rules import Answer, ContactKind, Outcome
from allswell.oncall.operations import deliveries as writing
from allswell.oncall.operations.deliveries import Sent
from allswell.oncall.queries import escalations
from allswell.oncall.queries.reaching import Around
from allswell.oncall.rules import escalating, sending
from allswell.oncall.rules.policies import Policy
from allswell.oncall.rules.sending import Claim
from allswell.people import operations as people_operations
from allswell.people import queries as people
from allswell.people.rules import Act, may
from allswell.tickets import queries as tickets
from allswell.tickets.rules import reference

from . import contact_ends, going_on, handover_messages, page_links
from .contact_messages import way_of
from .door import use_case
from .page_answers_by_mail import Answers, answers

if TYPE_CHECKING:
    from allswell.oncall.models import Page

#: so many more pages of a storm are told in one message than are claimed at once, or put off with them
_MOST_TOGETHER = 1000
#: up to so many pages at once say whom the next step reaches; in a storm there is no time to find out for each
_FEW = 10


@dataclass(frozen=True, slots=True)
class Group:
    """Deliveries told in one message: the first, and those that go with it."""

    head: Claim
    rest: tuple[Claim, ...] = ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All of them."""
        return (self.head, *self.rest)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message and where it goes; `address` is that of a mail, for what is remembered about it."""

    group: Group
    message: PageMessage
    way: Way
    person: int | None = None


@dataclass(frozen=True, slots=True)
class Unsent:
    """What is not sent, and why: it does not matter any more, or cannot go this way."""

    group: Group
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of sending a parcel."""

    parcel: Parcel
    answer: Answer


def is_due(now: datetime) -> bool:
    """Whether a page waits to be sent."""
    return escalations.is_delivery_due(now)


@use_case
def claim(*, limit: int, actor: Actor, now: datetime) -> list[Group]:
    """Take due deliveries under a lease; those of a storm together, or back for a while. The longest waiting first."""
    claims = writing.claim(now=now, limit=limit)
    by_destination: dict[str, list[Claim]] = defaultdict(list)
    for held in claims:
        by_destination[held.destination].append(held)
    sent = writing.sent_lately(by_destination, now=now)
    groups = []
    for destination, held_there in by_destination.items():
        found = sending.sort_out(held_there, sent_at=sent.get(destination, ()), now=now)
        groups += [Group(held) for held in found.alone]
        if found.together:
            more = writing.claim(now=now, limit=_MOST_TOGETHER, destination=destination)
            groups.append(Group(found.together[0], (*found.together[1:], *more)))
        if found.later:
            writing.postpone(destination, until=found.until or now, now=now, limit=_MOST_TOGETHER)
        for held in found.later:
            writing.put_back(held, due_at=found.until or now, is_attempt=False)
    return groups


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of the pages that are sent: who may know of which, and how their addresses read."""

    pages: Mapping[int, Page]
    actors: Mapping[int, Actor]
    ways: Mapping[int, tuple[str, str, str]]
    mailboxes: Mapping[int, str]
    allowed: frozenset[tuple[int, int]]  # (person, ticket)
    following: Mapping[int, str]  # page: who is called next
    answers: Answers  # where those to mails go


def parcels(groups: Sequence[Group], *, now: datetime) -> list[Parcel | Unsent]:
    """The messages as it is right to send them now, in their recipients' words. Reads only; called outside any transaction."""
    seen = _look({held.page for group in groups for held in group.claims}, groups, now=now)
    return [_parcel(group, seen, now=now) for group in groups]


def _look(page_ids: set[int], groups: Sequence[Group], *, now: datetime) -> _Seen:
    pages = {page.pk: page for page in escalations.pages(page_ids)}
    persons = {page.person_id for page in pages.values() if page.person_id is not None}
    actors = people.actors(persons)
    held = {page.ticket.pk: page.ticket for page in pages.values() if page.ticket is not None}
    facts = tickets.facts_for_many(held.values(), persons)
    allowed = {
        (page.person_id, page.ticket_id)
        for page in pages.values()
        if page.person_id in actors and page.ticket_id and may(actors[page.person_id], Act.SEE_INTERNAL, facts[page.ticket_id])
    }
    claims = [one for group in groups for one in group.claims]
    mailed = {pages[one.page].person_id for one in claims if one.page in pages and one.contact is None}
    few = pages.values() if len(pages) <= _FEW else ()
    ways = contacts.ways({one.contact for one in claims if one.contact is not None})
    kinds = {kind for kind, _, _ in ways.values()} | ({ContactKind.EMAIL.value} if mailed else set())
    return _Seen(
        pages=pages,
        actors=actors,
        ways=ways,
        mailboxes=people.primary_addresses([person for person in mailed if person is not None]),
        allowed=frozenset((person, ticket) for person, ticket in allowed if person and ticket),
        following=_next_names(few),
        answers=answers(kinds),
    )


def _next_names(pages: Iterable[Page]) -> dict[int, str]:
    """Page -> whom the next step of its run reaches as things stand; "" when that cannot be said.

    To the minute, as shifts change: so runs that began together are answered by the same statements.
    """
    runs = [(page, page.escalation, page.ticket) for page in pages]
    calling = [
        (page.pk, run, Policy.parse(row.definition), ticket.priority, run.next_at.replace(second=0, microsecond=0))
        for page, row, ticket in runs
        if row and ticket and (run := escalations.stands(row)).state is escalating.RunState.RUNNING and run.next_at
    ]
    around = Around([policy for _, _, policy, _, _ in calling])
    found = {}
    for page_id, run, policy, priority, at in calling:
        came = escalating.advance(run, policy, priority=priority, at=at, world=around)
        persons = [one.person for taken in came.taken if taken.empty is None for one in taken.called if one.person]
        found[page_id] = around.names.get(persons[0], "") if persons else ""
    return found


def _parcel(group: Group, seen: _Seen, *, now: datetime) -> Parcel | Unsent:
    """One message: those of its pages that still matter."""
    live = [(held, seen.pages[held.page]) for held in group.claims if _matters(seen.pages.get(held.page), seen)]
    if not live:
        is_unseen = any(_is_unseen(seen.pages.get(held.page), seen) for held in group.claims)
        return Unsent(group, Outcome.MOOT, going_on.UNSEEN if is_unseen else "")
    head, page = live[0]
    way = _way(head, page, seen)
    if way is None:
        return Unsent(group, Outcome.FAILED, "This contact is not there any more, or its secret cannot be read.")
    reader = _reader(page, seen)
    if len(live) == 1:
        message = seen.answers.for_page(_message(head, page, seen, now=now), way)
    else:
        message = page_wording.bundle(
            [_bundled(one, reader, now=now) for _, one in live],
            reader,
            key=head.key,
            link=_link(page, now=now),
            urgency=max((one.urgency for _, one in live), key=lambda urgency: urgency == "urgent"),
        )
    ordered = Group(head, tuple(held for held in group.claims if held is not head))
    return Parcel(ordered, message, way, person=page.person_id if head.contact is None else None)


def _matters(page: Page | None, seen: _Seen) -> bool:
    """Whether a page still calls, somebody who may know of it."""
    if page is None or page.closed_at is not None or page.acknowledged_at is not None:
        return False
    if page.ticket is None or page.room_id is not None:
        return page.person_id is None or page.person_id in seen.actors
    return (page.person_id, page.ticket_id) in seen.allowed


def _is_unseen(page: Page | None, seen: _Seen) -> bool:
    """Whether a page still calls, and its person may not know any more what it is about."""
    if page is None or page.closed_at is not None or page.ticket is None or page.person_id is None:
        return False
    return page.acknowledged_at is None and not _matters(page, seen)


def _way(held: Claim, page: Page, seen: _Seen) -> Way | None:
    if held.contact is None:
        address = seen.mailboxes.get(page.person_id or 0)
        return Way(ContactKind.EMAIL.value, address) if address else None
    if held.contact not in seen.ways:
        return None
    kind, address, flavor = seen.ways[held.contact]
    try:
        return way_of(kind, address, flavor)
    except InvalidToken:
        return None


def _reader(page: Page, seen: _Seen) -> Reader:
    actor = seen.actors.get(page.person_id or 0)
    if actor is None:
        return Reader(settings.LANGUAGE_CODE, settings.DEFAULT_TIME_ZONE)
    return Reader(actor.locale, actor.time_zone)


def _link(page: Page, *, now: datetime) -> str:
    """Where a page leads: its own address; from a room, where several read, the ticket's, which asks who is there."""
    if page.person_id is None and page.ticket is not None:
        return f"{settings.PUBLIC_URL}/{reference(page.ticket.kind, page.ticket.pk)}"
    return page_links.link(page.pk, now=now)


def _message(held: Claim, page: Page, seen: _Seen, *, now: datetime) -> PageMessage:
    """What one page says: of a ticket, of a shift that nobody has taken, or that it only tries the way."""
    reader = _reader(page, seen)
    if page.handover is not None:
        return handover_messages.message(page, page.handover, reader, key=held.key, link=_link(page, now=now))
    return page_wording.message(_facts(held, page, seen, now=now), reader)


def _facts(held: Claim, page: Page, seen: _Seen, *, now: datetime) -> PageFacts:
    ticket, run = page.ticket, page.escalation
    if ticket is None or run is None:
        return _drill(held, page, seen, now=now)
    named = reference(ticket.kind, ticket.pk)
    is_told_openly = page.room_id is None or not ticket.is_restricted
    return PageFacts(
        key=held.key,
        urgency=page.urgency,
        link=_link(page, now=now),
        reference=named,
        number=ticket.pk,
        title=ticket.title if is_told_openly else named,
        priority=ticket.priority,
        since=ticket.occurred_at or ticket.opened_at,
        cause="not_kept" if run.acknowledged_at is not None else run.cause,
        code=str(ticket.pk) if page.person_id is not None else "",
        service=ticket.service.name if ticket.service and is_told_openly else "",
        team=ticket.team.name if ticket.team else "",
        asked_by=run.started_by.name if run.started_by else "",
        reason=run.reason if is_told_openly else "",
        next_who=seen.following.get(page.pk, ""),
        next_at=run.next_step_at,
        round=run.round,
        blind=_blind(page),
        callback=page_links.carrier_link(held.id, now=now) if page.person_id is not None else "",
    )


def _drill(held: Claim, page: Page, seen: _Seen, *, now: datetime) -> PageFacts:
    asked_by = people.person(page.asked_by_id) if page.asked_by_id and page.asked_by_id != page.person_id else None
    return PageFacts(
        key=held.key,
        reference="",
        number=0,
        title=page_wording.drill_title(_reader(page, seen).locale),
        priority=1 if page.urgency == "urgent" else 5,
        since=page.created_at,
        cause="drill",
        urgency=page.urgency,
        link=_link(page, now=now),
        code="",
        asked_by=asked_by.name if asked_by else "",
        is_drill=True,
        callback=page_links.carrier_link(held.id, now=now) if page.person_id is not None else "",
    )


def _blind(page: Page) -> tuple[datetime, datetime] | None:
    """From when to when nothing was watching, when that is why a page came late."""
    if not page.late_by:
        return None
    found = jobs.was_blind(page.created_at - timedelta(seconds=page.late_by), page.created_at)
    return (found[0].from_at, found[-1].until_at) if found else None


def _bundled(page: Page, reader: Reader, *, now: datetime) -> BundledPage:
    ticket = page.ticket
    if page.handover is not None:
        return handover_messages.in_a_bundle(page, page.handover, reader, link=_link(page, now=now))
    if ticket is None:
        return BundledPage("", page_wording.drill_title(reader.locale), 5, "", _link(page, now=now))
    named = reference(ticket.kind, ticket.pk)
    title = named if page.room_id is not None and ticket.is_restricted else ticket.title
    return BundledPage(named, title, ticket.priority, str(ticket.pk), _link(page, now=now))


# afterwards


@use_case
def settle(done: Sequence[Done], *, chance: float, actor: Actor, now: datetime) -> None:
    """Write down what came of tries: sent, to be tried again, or failed for good; then the next way of the page begins at once.

    `chance` in [0, 1) spreads the next tries.
    """
    sent = [one for one in done if one.answer.outcome is Outcome.SENT]
    writing.settle_sent([Sent(one.parcel.group.head, one.answer.reference, one.answer.status, now) for one in sent])
    for one in sent:
        if one.parcel.group.rest:
            writing.bundle(one.parcel.group.head, one.parcel.group.rest, now=now)
    _note_use(sent, has_arrived=True, now=now)
    for one in done:
        if one.answer.outcome is not Outcome.SENT:
            _not_sent(one, chance=chance, now=now)
            contact_ends.switch_off(one.parcel.group.head.contact, one.answer, actor=actor, now=now)


def _not_sent(one: Done, *, chance: float, now: datetime) -> None:
    answer, head = one.answer, one.parcel.group.head
    again = None
    if answer.outcome is Outcome.RETRY:
        again = sending.next_try(head.attempts + 1, now=now, retry_after=answer.retry_after)
    if again is not None:
        for held in one.parcel.group.claims:
            writing.put_back(held, due_at=again + timedelta(seconds=chance), is_attempt=True, is_certain=answer.is_certain)
        writing.note_attempt(head, now=now, detail=answer.detail, status=answer.status, is_certain=answer.is_certain)
        writing.hurry_next(head.page, now=now)
        return
    for held in one.parcel.group.claims:
        writing.settle(held, "failed", now=now, detail=answer.detail, status=answer.status)
        writing.hurry_next(held.page, now=now)
    _note_use([one], has_arrived=False, now=now)


def _note_use(done: Sequence[Done], *, has_arrived: bool, now: datetime) -> None:
    """Remember of contacts and mailboxes whether they take what is sent."""
    contacts_used = {one.parcel.group.head.contact for one in done} - {None}
    if contacts_used:
        notifications.note_contact_used(*(pk for pk in contacts_used if pk), has_arrived=has_arrived, now=now)
    for one in done:
        if one.parcel.person is not None and (has_arrived or one.answer.is_bad_address):
            people_operations.note_mail(one.parcel.person, one.parcel.way.address, arrives=has_arrived, now=now)


@use_case
def settle_barely(done: Done, *, actor: Actor, now: datetime) -> None:
    """Write down of a try that could not be settled as it should whether it went out, and nothing else."""
    for held in done.parcel.group.claims:
        again = None if done.answer.outcome is Outcome.FAILED else sending.next_try(held.attempts + 1, now=now)
        if done.answer.outcome is Outcome.SENT:
            writing.settle(held, "sent", now=now)
        elif again is not None:
            writing.put_back(held, due_at=again, is_attempt=True, is_certain=False)
            writing.hurry_next(held.page, now=now)
        else:
            writing.settle(held, "failed", now=now)
            writing.hurry_next(held.page, now=now)


@use_case
def drop(unsent: Iterable[Unsent], *, actor: Actor, now: datetime) -> None:
    """Not sent: it does not matter any more, or it cannot go this way, and the next way begins at once.

    What could not be written now (RETRY) is tried again as what could not be sent.
    """
    unsent = list(unsent)
    going_on.without(
        {held.page for one in unsent if one.detail == going_on.UNSEEN for held in one.group.claims}, actor=actor, now=now
    )
    for one in unsent:
        for held in one.group.claims:
            again = sending.next_try(held.attempts + 1, now=now) if one.outcome is Outcome.RETRY else None
            if again is not None:
                writing.put_back(held, due_at=again, is_attempt=True)
                writing.note_attempt(held, now=now, detail=one.detail, status=None)
                writing.hurry_next(held.page, now=now)
                continue
            detail = one.detail if one.detail != going_on.UNSEEN else ""
            writing.settle(held, "moot" if one.outcome is Outcome.MOOT else "failed", now=now, detail=detail)
            if one.outcome is not Outcome.MOOT:
                writing.hurry_next(held.page, now=now)
