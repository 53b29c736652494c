"""Writing how people and teams' rooms are reached, inside the desk's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q

from allswell.notifications import rules
from allswell.notifications.models import ContactMessage, ContactMethod, ContactRule, PagingHours

#: how the journal calls them
CONTACT = "contact_method"


def create_contact(
    *,
    person: int | None,
    team: int | None,
    kind: rules.ContactKind,
    address: str,
    shown: str,
    label: str,
    flavor: str,
    now: datetime,
) -> ContactMethod:
    """Write a way to reach a person or a team's room, not verified yet. `address` is sealed where it must be."""
    return ContactMethod.objects.create(
        person_id=person,
        team_id=team,
        kind=kind.value,
        address=address,
        shown=shown,
        label=label,
        flavor=flavor,
        created_at=now,
    )


def note_contact_verified(contact: int, *, now: datetime) -> bool:
    """It was shown that messages arrive there; False when that was known."""
    return bool(ContactMethod.objects.filter(pk=contact, verified_at__isnull=True).update(verified_at=now))


def remove_contact(contact: int, *, now: datetime) -> bool:
    """Nothing goes there any more, and the address is forgotten; the rules that name it go with it."""
    gone = ContactMethod.objects.filter(pk=contact, removed_at__isnull=True).update(removed_at=now, address="", verified_at=None)
    ContactRule.objects.filter(contact=contact).delete()
    ContactMessage.objects.filter(contact=contact).update(code="", used_at=now)
    return bool(gone)


def write_rules(person: int, urgency: rules.Urgency, wanted: Iterable[tuple[int | None, int]]) -> None:
    """Put these rules, (contact, seconds) in order, in the place of a person's rules for an urgency. None: the defaults hold again."""
    ContactRule.objects.filter(person=person, urgency=urgency.value).delete()
    ContactRule.objects.bulk_create(
        ContactRule(person_id=person, urgency=urgency.value, contact_id=contact, after=after, position=position)
        for position, (contact, after) in enumerate(wanted)
    )


def write_quiet_hours(person: int, quiet: rules.Quiet | None) -> None:
    """When normal pages wait; None: never."""
    if quiet is None:
        PagingHours.objects.filter(person=person).delete()
        return
    PagingHours.objects.update_or_create(person_id=person, defaults={"quiet_from": quiet.since, "quiet_until": quiet.until})


def note_contact_used(*contacts: int, has_arrived: bool, now: datetime) -> None:
    """Something was handed to the carriers of contacts, or could not be."""
    row = ContactMethod.objects.filter(pk__in=contacts)
    if has_arrived:
        row.update(last_sent_at=now, failing_since=None)
    else:
        row.filter(failing_since__isnull=True).update(failing_since=now)


def enqueue_message(
    *, contact: int | None, asked_by: int, purpose: str, code: str, digest: str, key: str, now: datetime
) -> ContactMessage:
    """A code or a test that waits to be sent; a former code to the same contact opens nothing any more."""
    if purpose == "code":
        ContactMessage.objects.filter(contact=contact, purpose="code", used_at__isnull=True).update(used_at=now, code="")
    return ContactMessage.objects.create(
        contact_id=contact,
        asked_by_id=asked_by,
        purpose=purpose,
        code=code,
        digest=digest,
        key=key,
        created_at=now,
        expires_at=now + rules.CODE_OPENS_FOR,
        due_at=now,
    )


def count_guess(message: int) -> bool:
    """Whether a guess at a code is still allowed; it is counted before it is looked at, so that many at once gain nothing."""
    left = ContactMessage.objects.filter(pk=message, guesses__lt=rules.CODE_GUESSES)
    return bool(left.update(guesses=F("guesses") + 1))


def use_code(message: int, *, now: datetime) -> bool:
    """The code was right, once."""
    return bool(ContactMessage.objects.filter(pk=message, used_at__isnull=True).update(used_at=now, code=""))


# messages on their way: claimed under a lease, sent, settled


def claim_messages(*, now: datetime, limit: int) -> list[rules.Claim]:
    """Take due codes and tests under a lease. Of many engines each gets others."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    rows = ContactMessage.objects.select_for_update(skip_locked=True).filter(free, settled_at__isnull=True, due_at__lte=now)
    ids = list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])
    if not ids:
        return []
    taken = ContactMessage.objects.filter(pk__in=ids)
    taken.update(lease=F("lease") + 1, claimed_until=now + rules.MESSAGE_LEASE)
    return [
        rules.Claim(pk, lease, key, kind or rules.ContactKind.EMAIL.value, attempts, created_at)
        for pk, lease, key, kind, attempts, created_at in taken.order_by("due_at", "id").values_list(
            "id", "lease", "key", "contact__kind", "attempts", "created_at"
        )
    ]


def settle_message(claim: rules.Claim, outcome: rules.Outcome, *, detail: str, now: datetime) -> bool:
    """It is over; the code itself is forgotten. False when another engine holds it by now."""
    return bool(
        ContactMessage.objects.filter(pk=claim.id, lease=claim.lease, settled_at__isnull=True).update(
            settled_at=now,
            outcome=outcome.value,
            detail=detail[:500],
            claimed_until=None,
            attempts=claim.attempts + 1,
            code="",
        )
    )


def put_back_message(claim: rules.Claim, *, due_at: datetime, detail: str) -> bool:
    """To be tried again; False when another engine holds it by now."""
    return bool(
        ContactMessage.objects.filter(pk=claim.id, lease=claim.lease, settled_at__isnull=True).update(
            due_at=due_at, attempts=claim.attempts + 1, claimed_until=None, detail=detail[:500]
        )
    )


def forget_messages(*, before: datetime) -> int:
    """Remove codes and tests made before."""
    return ContactMessage.objects.filter(created_at__lt=before).delete()[0]
