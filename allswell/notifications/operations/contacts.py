"""Writing how people and teams' rooms are reached, inside the desk's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

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


def note_contact_used(contact: int, *, has_arrived: bool, now: datetime) -> None:
    """Something was handed to the carrier of a contact, or could not be."""
    row = ContactMethod.objects.filter(pk=contact)
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
