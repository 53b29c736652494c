"""The outbox at work: what is due is claimed, looked at once more, sent by the engine outside any transaction, and settled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken

from allswell.journal.rules import PUBLIC_VERBS, Verb
from allswell.kernel.actor import Actor, Channel
from allswell.notifications import operations as notifications
from allswell.notifications import queries, rules
from allswell.notifications.letters import Call, Letter, Matter, Said
from allswell.notifications.rules import Answer, Claim, Outcome, Topic
from allswell.people import operations as people_operations
from allswell.people import queries as people
from allswell.tickets import queries as tickets
from allswell.tickets.rules import discreet, reference

from . import coverage_notices, machinery, report_mails, shift_notices
from .door import use_case
from .mail import own_words, refusing, sending, unsubscribing
from .sealing import unseal

if TYPE_CHECKING:
    from allswell.notifications.models import Delivery
    from allswell.tickets.models import Comment, Ticket


@use_case
def claim_mails(limit: int, *, actor: Actor, now: datetime) -> list[Claim]:
    """Take up to `limit` due mails under a lease, bundled by person and ticket."""
    return notifications.claim_mails(now=now, limit=limit)


@use_case
def claim_calls(limit: int, *, actor: Actor, now: datetime) -> list[Claim]:
    """Take up to `limit` due calls of webhooks under a lease."""
    return notifications.claim_calls(now=now, limit=limit)


def letter(claim: Claim) -> Letter | Outcome:
    """The mail as it is right to send it now, or why it is not sent: the recipient may not see it, it was taken back, is unwanted.

    Reads only; called outside any transaction.
    """
    notices = queries.notices(claim.id)
    if not notices:
        return Outcome.MOOT
    if (person_id := notices[0].person_id) is None:
        return refusing.letter(notices[0])
    person = people.person(person_id)
    if person is None:
        return Outcome.MOOT
    actor = people.actor_for(person, channel=Channel.EMAIL)
    wanted = [row for row in notices if queries.is_wanted(row)]
    if not wanted:
        return Outcome.UNWANTED
    try:
        parts = _parts(wanted, actor)
    except InvalidToken:
        return Outcome.MOOT  # a link sealed under a key that is gone: whoever asked asks again
    address = _address(notices[0], person_id)
    if not parts or not address:
        return Outcome.MOOT
    written = Letter(
        key=claim.key,
        to_name=person.name,
        to_address=address,
        locale=actor.locale,
        time_zone=actor.time_zone,
        parts=parts,
        unsubscribe=_unsubscribe(person_id, [said for _matter, told in parts for said in told]),
    )
    return sending.addressed(own_words.worded(written, recipient=actor), person=person_id)


def _unsubscribe(person: int, told: list[Said]) -> str:
    """The address that ends such mails by one click; "" where there is none."""
    number = told[0].facts.get("subscription")
    if told[0].topic is Topic.REPORT and number is not None:
        return unsubscribing.report_link(person, number)
    return unsubscribing.link(person, {said.topic for said in told})


def _address(row: Delivery, person: int) -> str:
    """The person's address today; a mail about the account goes where it was meant to."""
    if row.topic == Topic.ACCOUNT:
        return row.address
    return people.primary_addresses([person]).get(person, "")


def told(notices: Iterable[Delivery], actor: Actor) -> Iterator[tuple[Delivery, Matter | None, Said]]:
    """Those of the notices their recipient may be told today, in their order: the notice, its ticket, what it says."""
    notices = list(notices)
    numbers = {row.ticket_id for row in notices if row.ticket_id is not None}
    seen = {ticket.pk: ticket for ticket in tickets.visible_to(actor).filter(pk__in=numbers)}
    internal = set(tickets.at_the_desk(actor).filter(pk__in=numbers).values_list("pk", flat=True))
    spoken = tickets.spoken(pk for row in notices if (pk := _comment_of(row)) is not None)
    for row in notices:
        ticket = seen.get(row.ticket_id) if row.ticket_id else None
        if not _may_be_told(row, ticket, is_internal=row.ticket_id in internal, spoken=spoken):
            continue
        is_news = row.topic == Topic.ANNOUNCED
        matter = None if ticket is None or is_news else Matter(ticket.pk, reference(ticket.kind, ticket.pk), ticket.title)
        said = _said(row, spoken)
        if row.topic == Topic.REPORT:
            written = report_mails.written(row.content, actor=actor, now=row.created_at)
            if written is None:
                continue
            facts = {"title": written.title, "path": written.path, "subscription": row.content.get("subscription")}
            said = replace(said, body=written.body, facts=facts)
        elif row.topic in rules.SHIFT_TOPICS:
            write = coverage_notices.written if row.topic == Topic.UNCOVERED else shift_notices.written
            words = write(Topic(row.topic), row.content, actor=actor)
            if words is None:
                continue
            facts = {**row.content, "title": words.title, "path": words.path, "other_name": words.other_name}
            said = replace(said, body=words.body, facts=facts)
        elif row.topic == Topic.BLIND:
            said = replace(said, body=machinery.blind_text(row.content, actor=actor))
        yield row, matter, said


def _parts(notices: Iterable[Delivery], actor: Actor) -> tuple[tuple[Matter | None, tuple[Said, ...]], ...]:
    """What of the notices the recipient may be told, by ticket, in the order things happened."""
    found: dict[int | None, tuple[Matter | None, list[Said]]] = {}
    for _, matter, said in told(notices, actor):
        found.setdefault(matter.number if matter else None, (matter, []))[1].append(said)
    return tuple((matter, tuple(said)) for matter, said in found.values())


def _comment_of(row: Delivery) -> int | None:
    return row.entry.data.get("comment") if row.entry else None


def _may_be_told(row: Delivery, ticket: Ticket | None, *, is_internal: bool, spoken: dict[int, Comment]) -> bool:
    """Whether this still is for its recipient: the ticket visible, the desk's news for the desk, the words not taken back."""
    topic = Topic(row.topic)
    if topic in (Topic.ANNOUNCED, Topic.ACCOUNT, Topic.JOB, Topic.DIGEST, Topic.REPORT, Topic.BLIND, *rules.SHIFT_TOPICS):
        return True  # their words stand in the notice, and were written for the recipient
    if ticket is None or (topic in rules.DESK_TOPICS and not is_internal):
        return False
    if (pk := _comment_of(row)) is None:
        return True
    comment = spoken.get(pk)
    return comment is not None and (comment.is_public or is_internal)


def _said(row: Delivery, spoken: dict[int, Comment]) -> Said:
    entry, pk = row.entry, _comment_of(row)
    own_words = str(row.content.get("body", "")) if row.topic == Topic.ANNOUNCED else ""
    return Said(
        topic=Topic(row.topic),
        verb=entry.verb if entry else "",
        who=entry.person.name if entry and entry.person else "",
        at=entry.happened_at if entry else row.created_at,
        body=spoken[pk].body if pk is not None and pk in spoken else own_words,
        facts=_facts(row),
    )


def _facts(row: Delivery) -> dict[str, Any]:
    link = row.content.get("link", "") if row.topic == Topic.ACCOUNT else ""
    return {**row.content, "link": unseal(link)} if link else row.content


def call(claim: Claim, *, now: datetime) -> Call | Outcome:
    """The call of a webhook as it is right to make it now, or why it is not made: the webhook is off, its owner may not see it.

    Reads only; called outside any transaction.
    """
    row = queries.call(claim.id)
    if row is None or row.webhook is None or not row.webhook.is_active or row.entry is None:
        return Outcome.MOOT
    owner = people.person(row.webhook.owner_id)
    if owner is None:
        return Outcome.MOOT
    actor = people.actor_for(owner, channel=Channel.API)
    seen = tickets.visible_to(actor) if row.entry.verb in PUBLIC_VERBS else tickets.at_the_desk(actor)
    content = row.content
    if row.entry.verb == Verb.PAGED and row.ticket is not None and row.ticket.is_restricted:
        content = discreet(content)  # a policy calls it as it calls a room: of a restricted ticket by its number alone
    elif row.ticket_id is None or not seen.filter(pk=row.ticket_id).exists():
        return Outcome.MOOT
    sealed = [row.webhook.secret]
    if row.webhook.old_secret and row.webhook.old_secret_until and now < row.webhook.old_secret_until:
        sealed.append(row.webhook.old_secret)
    return Call(
        key=row.key,
        url=row.webhook.url,
        body=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
        secrets=tuple(unseal(text) for text in sealed),
    )


@use_case
def settle(claim: Claim, answer: Answer, *, chance: float, actor: Actor, now: datetime) -> bool:
    """Write down what came of a try: sent, to be tried again later, or failed for good. False when the lease was lost.

    `chance` in [0, 1) spreads the next tries.
    """
    notifications.note_attempt(claim, answer)
    if claim.channel == "email" and answer.reference and (answer.outcome is Outcome.SENT or not answer.is_certain):
        sending.remember(claim.id, answer.reference, now=now)
    if claim.person is not None and (answer.outcome is Outcome.SENT or answer.is_bad_address):
        people_operations.note_mail(claim.person, answer.address, arrives=not answer.is_bad_address, now=now)
    if answer.outcome is Outcome.SENT:
        if claim.webhook is not None:
            notifications.recovered(claim.webhook)
        return notifications.settle(claim, Outcome.SENT, now=now)
    if answer.is_gone and claim.webhook is not None:
        notifications.disable_webhook(claim.webhook, reason="gone")
    again = rules.next_try(claim, answer, chance=chance) if answer.outcome is Outcome.RETRY else None
    if claim.webhook is not None and not answer.is_gone:
        notifications.rest(claim.webhook, until=rules.rests_until(again or now, now=now), now=now)
    if again is None:
        return notifications.settle(claim, Outcome.FAILED, now=now)
    return notifications.put_back(claim, due_at=again, is_attempt=True, is_certain=answer.is_certain)


@use_case
def drop(claim: Claim, outcome: Outcome, *, actor: Actor, now: datetime) -> bool:
    """Not sent, because it does not matter any more or is not wanted."""
    return notifications.settle(claim, outcome, now=now)


@use_case
def put_back(claims: Iterable[Claim], *, pause: timedelta, actor: Actor, now: datetime) -> None:
    """Not tried: the channel is down, or there was no time. They come up again after `pause`."""
    for claim in claims:
        notifications.put_back(claim, due_at=now + pause, is_attempt=False)


def is_mail_due(now: datetime) -> bool:
    """Whether a mail waits to be sent."""
    return queries.is_due("email", now)


def is_call_due(now: datetime) -> bool:
    """Whether a webhook waits to be called."""
    return queries.is_due("webhook", now)
