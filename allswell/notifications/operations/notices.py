"""Writing notices into the outbox, in the transaction of the fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from allswell.database.rows import Prepared, insert_all
from allswell.database.statements import ask
from allswell.journal.models import Entry
from allswell.notifications import rules
from allswell.notifications.models import Attempt, Delivery, Preference, Webhook
from allswell.people import queries as people

_SAID = Prepared(
    lambda topic, *people: Preference.objects.filter(person__in=people, topic=topic).values_list(
        "person_id", "channel", "is_wanted"
    )
)


def withdraw(entries: Iterable[int], *, ticket: int, now: datetime) -> bool:
    """What journal entries of a ticket told is moot now. False when some mail of it is out, or on its way, already."""
    told = Delivery.objects.filter(ticket=ticket, entry__in=list(entries))
    told.filter(channel="email", settled_at__isnull=True, claimed_until__isnull=True).update(
        settled_at=now, outcome=rules.Outcome.MOOT.value
    )
    told.filter(channel="app").update(outcome=rules.Outcome.MOOT.value, read_at=now)
    return not told.filter(channel="email", outcome__in=["", rules.Outcome.SENT.value, rules.Outcome.BUNDLED.value]).exists()


@dataclass(frozen=True, slots=True)
class Ways:
    """How people want to hear of a topic: person -> channels, and where their mails go."""

    wanted: dict[int, frozenset[str]]
    addresses: dict[int, str]


def ways(topic: rules.Topic, persons: Iterable[int]) -> Ways:
    """How these people want to hear of a topic. Writes nothing."""
    ids = sorted(set(persons))
    if not ids:
        return Ways({}, {})
    said: dict[int, dict[str, bool]] = defaultdict(dict)
    for person, channel, is_wanted in _SAID.rows(topic.value, *ids):
        said[person][channel] = is_wanted
    wanted = {person: rules.channels(topic, said=said[person]) for person in ids}
    return Ways(wanted, people.primary_addresses([person for person in ids if "email" in wanted[person]]))


def enqueue(
    entry: Entry,
    *,
    topic: rules.Topic,
    persons: Iterable[int],
    content: dict[str, Any],
    now: datetime,
    due_at: datetime | None = None,
    known: Ways | None = None,
) -> None:
    """One pending delivery per person and wanted channel. App notices are settled at once: being there is being delivered.

    Nothing is sent before `due_at`. `known` are the ways to all of them, if they have been asked for.
    """
    ids = sorted(set(persons))
    if not ids:
        return
    to = known or ways(topic, ids)
    deliveries = []
    for person in ids:
        for channel in sorted(to.wanted[person]):
            if channel == "email" and person not in to.addresses:
                continue
            deliveries.append(
                Delivery(
                    channel=channel,
                    topic=topic.value,
                    person_id=person,
                    address=to.addresses.get(person, "") if channel == "email" else "",
                    ticket_id=entry.ticket_id,
                    entry=entry,
                    content=content,
                    key=f"{entry.action.hex}.{entry.pk}.{topic.value}.{person}.{channel}",
                    created_at=now,
                    due_at=max(due_at or now, rules.due_at(topic, channel, now=now)),
                    settled_at=now if channel == "app" else None,
                    outcome="sent" if channel == "app" else "",
                )
            )
    insert_all(deliveries)


def prefer(person: int, wanted: dict[tuple[str, str], bool]) -> list[tuple[str, str]]:
    """Write what a person wants: {(topic, channel): wanted}. Answers the choices that changed; a default is not written."""
    said = {(row.topic, row.channel): row for row in Preference.objects.filter(person=person)}
    changed: list[tuple[str, str]] = []
    for (topic, channel), is_wanted in sorted(wanted.items()):
        row = said.get((topic, channel))
        if row is None:
            if is_wanted is (channel in rules.DEFAULTS[rules.Topic(topic)]):
                continue
            Preference.objects.create(person_id=person, topic=topic, channel=channel, is_wanted=is_wanted)
        elif row.is_wanted is not is_wanted:
            Preference.objects.filter(pk=row.pk).update(is_wanted=is_wanted)
        else:
            continue
        changed.append((topic, channel))
    return changed


def mail_account(person: int, *, address: str, subject: str, link: str, entry: Entry, now: datetime) -> None:
    """A mail about a person's own sign-in, to `address`, at once. `subject`: a key of `wording.ACCOUNT`; `link`: what they open,
    sealed.

    It stands in the outbox only until the mail is sent.
    """
    Delivery.objects.create(
        channel="email",
        topic=rules.Topic.ACCOUNT.value,
        person_id=person,
        address=address,
        entry=entry,
        content={"subject": subject, "link": link},
        key=f"{entry.action.hex}.{entry.pk}.account.{person}.email",
        created_at=now,
        due_at=now,
    )


def mail_stranger(address: str, *, content: dict[str, str], key: str, now: datetime) -> None:
    """A mail to an address that belongs to nobody we know, at once. `content`: {"subject"}, a key of `wording.ACCOUNT`, and more."""
    Delivery.objects.create(
        channel="email",
        topic=rules.Topic.ACCOUNT.value,
        address=address,
        content=content,
        key=key,
        created_at=now,
        due_at=now,
    )


# the outbox: claimed under a lease, sent, settled. Marking before sending would lose notices at a crash.


def _free(now: datetime) -> Q:
    return Q(settled_at__isnull=True) & (Q(claimed_until__isnull=True) | Q(claimed_until__lt=now))


def claim_mails(*, now: datetime, limit: int) -> list[rules.Claim]:
    """Take due mails under a lease, each with what else waits for the same person about the same ticket.

    Of many engines each gets others. A mail of an engine that died is taken alone: what it may have sent must not grow.
    """
    due = list(
        Delivery.objects.select_for_update(skip_locked=True)
        .filter(_free(now), channel="email", due_at__lte=now)
        .order_by("due_at")[:limit]
    )
    if not due:
        return []
    heads = {mail.pk for mail in due if mail.claimed_until is not None or mail.person_id is None}
    for person in {mail.person_id for mail in due if mail.pk not in heads}:
        heads |= _bundle(person, due={mail.pk for mail in due}, now=now)
    return _lease(heads, now=now)


def _bundle(person: int | None, *, due: set[int], now: datetime) -> set[int]:
    """Bring a person's waiting mails together; the ids of those that are due to be sent."""
    rows = (
        Delivery.objects.select_for_update(skip_locked=True)
        .filter(person=person, channel="email", settled_at__isnull=True, claimed_until__isnull=True)
        .values_list("id", "topic", "ticket_id")
        .order_by("id")[:500]
    )
    heads = set()
    for head, *others in rules.bundles(rules.Waiting(pk, rules.Topic(topic), ticket) for pk, topic, ticket in rows):
        if not due.intersection((head, *others)):
            continue
        heads.add(head)
        if others:
            Delivery.objects.filter(bundled_in__in=others).update(bundled_in=head)
            Delivery.objects.filter(pk__in=others).update(settled_at=now, outcome=rules.Outcome.BUNDLED.value, bundled_in=head)
    return heads


def claim_calls(*, now: datetime, limit: int) -> list[rules.Claim]:
    """Take due calls of webhooks under a lease; of an endpoint that fails only one, to see whether it is back."""
    failing = set(Webhook.objects.filter(failing_since__isnull=False).values_list("pk", flat=True))
    rows = (
        Delivery.objects.select_for_update(skip_locked=True)
        .filter(_free(now), channel="webhook", due_at__lte=now)
        .order_by("due_at")
        .values_list("id", "webhook_id")[: limit * 4]
    )
    taken: dict[int, list[int]] = defaultdict(list)
    for pk, webhook in rows:
        if len(taken[webhook]) < (1 if webhook in failing else limit // 2):
            taken[webhook].append(pk)
    return _lease({pk for ids in taken.values() for pk in ids}, now=now)


def _lease(ids: set[int], *, now: datetime) -> list[rules.Claim]:
    Delivery.objects.filter(pk__in=ids).update(lease=F("lease") + 1, claimed_until=now + rules.LEASE)
    rows = Delivery.objects.filter(pk__in=ids).order_by("due_at", "id")
    names = ("id", "lease", "key", "channel", "attempts", "created_at", "webhook_id", "person_id")
    return [rules.Claim(*row) for row in rows.values_list(*names)]


def settle(claim: rules.Claim, outcome: rules.Outcome, *, now: datetime) -> bool:
    """The delivery is over; False when another engine holds it by now. What a mail of the account said is forgotten."""
    mine = Delivery.objects.filter(pk=claim.id, lease=claim.lease, settled_at__isnull=True)
    forget: dict[str, Any] = {"content": {}} if mine.filter(topic=rules.Topic.ACCOUNT.value).exists() else {}
    return bool(mine.update(settled_at=now, outcome=outcome.value, claimed_until=None, **forget))


def put_back(claim: rules.Claim, *, due_at: datetime, is_attempt: bool, is_certain: bool = True) -> bool:
    """To be tried again; False when another engine holds it by now. What may have arrived is not bundled with others any more."""
    return bool(
        Delivery.objects.filter(pk=claim.id, lease=claim.lease, settled_at__isnull=True).update(
            due_at=due_at,
            attempts=claim.attempts + int(is_attempt),
            claimed_until=None if is_certain else due_at,
        )
    )


def note_attempt(claim: rules.Claim, answer: rules.Answer) -> None:
    """Write down a try and what came of it."""
    Attempt.objects.create(
        delivery_id=claim.id,
        channel=claim.channel,
        started_at=answer.started_at,
        ended_at=answer.ended_at,
        outcome=answer.outcome.value,
        detail=answer.detail[:500],
        status=answer.status,
    )
    if answer.outcome is rules.Outcome.SENT:
        Delivery.objects.filter(pk=claim.id).update(attempts=claim.attempts + 1)


def give_up_mails(*, now: datetime, limit: int) -> int:
    """Mails nobody could take for days (no mail server is set) have failed."""
    old = Delivery.objects.filter(
        _free(now), channel="email", due_at__lte=now, created_at__lt=now - rules.MAIL_GIVES_UP_AFTER
    ).values_list("pk", flat=True)[:limit]
    return Delivery.objects.filter(pk__in=list(old), settled_at__isnull=True).update(
        settled_at=now, outcome=rules.Outcome.FAILED.value
    )


def forget_deliveries(*, before: datetime, limit: int) -> int:
    """Remove deliveries made and over before, oldest first; looks at no more than `limit`."""
    oldest = Delivery.objects.order_by("id").values_list("id", "created_at", "settled_at")[:limit]
    old = [pk for pk, created_at, settled_at in oldest if created_at < before and settled_at is not None]
    Delivery.objects.filter(bundled_in__in=old).exclude(pk__in=old).update(bundled_in=None)
    return Delivery.objects.filter(pk__in=old).delete()[0]


# webhooks


def fan_out(entry: Entry, *, payload: Callable[[], dict[str, Any]], now: datetime) -> None:
    """A pending call for every webhook that wants this verb. Whether its owner may see the ticket is asked when it is sent.

    `payload` is asked for only when somebody wants it, so that an installation without webhooks pays one small look.
    """
    if not ask("SELECT 1 FROM notifications_webhook WHERE is_active LIMIT 1"):
        return
    rows = Webhook.objects.filter(is_active=True).order_by("id").values_list("id", "verbs")
    wanting = [pk for pk, verbs in rows if rules.takes(verbs, entry.verb)]
    if not wanting:
        return
    content = payload()
    Delivery.objects.bulk_create(_call(pk, entry, content, now=now) for pk in wanting)


def call_webhook(webhook: int, entry: Entry, *, payload: dict[str, Any], now: datetime) -> None:
    """A pending call of one webhook, whatever verbs it wants, if it is in use and is not called for this anyway."""
    made = _call(webhook, entry, payload, now=now)
    if Webhook.objects.filter(pk=webhook, is_active=True).exists() and not Delivery.objects.filter(key=made.key).exists():
        made.save(force_insert=True)


def _call(webhook: int, entry: Entry, content: dict[str, Any], *, now: datetime) -> Delivery:
    return Delivery(
        channel="webhook",
        topic=rules.Topic.WEBHOOK.value,
        webhook_id=webhook,
        ticket_id=entry.ticket_id,
        entry=entry,
        content=content,
        key=f"msg_{entry.action.hex}_{entry.pk}_{webhook}",
        created_at=now,
        due_at=now,
    )


def create_webhook(*, name: str, url: str, secret: str, verbs: list[str], owner: int, now: datetime) -> Webhook:
    """Write a webhook; `secret` is sealed."""
    return Webhook.objects.create(name=name, url=url, secret=secret, verbs=verbs, owner_id=owner, created_at=now)


def change_webhook(webhook: Webhook, **values: Any) -> None:
    """Update columns of a webhook; the row is brought up to date."""
    Webhook.objects.filter(pk=webhook.pk).update(**values)
    for name, value in values.items():
        setattr(webhook, name, value)


def redeliver(delivery: Delivery, *, now: datetime) -> bool:
    """Send a call once more, with the key and the words it had; False when it still waits anyway."""
    return bool(
        Delivery.objects.filter(pk=delivery.pk, channel="webhook", settled_at__isnull=False).update(
            settled_at=None, outcome="", attempts=0, due_at=now, claimed_until=None
        )
    )


def rest(webhook: int, *, until: datetime, now: datetime) -> None:
    """An endpoint failed: its other deliveries wait a little, so that it does not hold up the others'."""
    Webhook.objects.filter(pk=webhook, failing_since__isnull=True).update(failing_since=now)
    Delivery.objects.filter(webhook=webhook, settled_at__isnull=True, claimed_until__isnull=True, due_at__lt=until).update(
        due_at=until
    )


def recovered(webhook: int) -> None:
    """An endpoint answered as it should."""
    Webhook.objects.filter(pk=webhook, failing_since__isnull=False).update(failing_since=None)


def disable_webhook(webhook: int, *, reason: str) -> None:
    """No more calls to this endpoint; what waits for it becomes moot."""
    Webhook.objects.filter(pk=webhook).update(is_active=False, disabled_reason=reason)


def mark_read(person: int, *, up_to: int, now: datetime) -> int:
    """A person read their notices in the app up to this one; answers how many were new."""
    new = Delivery.objects.filter(person=person, channel="app", read_at__isnull=True, pk__lte=up_to)
    return new.update(read_at=now)


def settle_the_past(*, before: datetime, now: datetime) -> None:
    """Send nothing that was due until now, and count app notices from before `before` as read: for history that was played."""
    Delivery.objects.filter(settled_at__isnull=True, due_at__lte=now).update(settled_at=now, outcome="moot")
    Delivery.objects.filter(channel="app", read_at__isnull=True, created_at__lt=before).update(read_at=F("created_at"))
