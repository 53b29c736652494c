"""Reading people, and the addresses they are known by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from allswell.database.rows import Prepared, PreparedModel
from allswell.people.models import EmailAddress, Person
from allswell.people.rules import is_away

#: people up to whose number a statement is composed once and kept
FEW = 8


def active(*ids: int) -> QuerySet[Person]:
    """Those of these people who are in use."""
    return Person.objects.filter(pk__in=ids, is_active=True)


_AT_HOME = PreparedModel(Person, active, related=("organization",))


_BY_ADDRESS = PreparedModel(
    Person,
    lambda address: Person.objects.filter(
        pk__in=EmailAddress.objects.filter(address=address).exclude(proof="claimed").values("person")
    ),
    related=("organization",),
)


_PRIMARY = Prepared(
    lambda *people: EmailAddress.objects.filter(person__in=people, is_primary=True).values_list("person_id", "address")
)


def person_by_address(address: str) -> Person | None:
    """The person a proven (vouched or confirmed) address belongs to, their organization loaded. `address` is folded."""
    found: Person | None = _BY_ADDRESS.record(address)
    return found


def primary_addresses(person_ids: list[int]) -> dict[int, str]:
    """Person id -> primary address."""
    if len(person_ids) > FEW:
        rows = EmailAddress.objects.filter(person__in=person_ids, is_primary=True)
        return dict(rows.values_list("person_id", "address"))
    return dict(_PRIMARY.rows(*person_ids)) if person_ids else {}


def primary_proofs(person_ids: Iterable[int]) -> list[tuple[int, bool, bool]]:
    """(person, whether a link sent to their primary address was opened, whether mails to it fail) of those who have one."""
    rows = EmailAddress.objects.filter(person__in=set(person_ids), is_primary=True)
    found = rows.values_list("person_id", "proof", "failing_since")
    return [(person, proof == "confirmed", failing_since is not None) for person, proof, failing_since in found]


def away(person_ids: Iterable[int], *, now: datetime) -> set[int]:
    """Those of these people who are out of office."""
    rows = Person.objects.filter(pk__in=set(person_ids)).exclude(away_from=None, away_until=None)
    return {pk for pk, since, until in rows.values_list("pk", "away_from", "away_until") if is_away(since, until, now=now)}


def person(person_id: int) -> Person | None:
    """An active person, their organization loaded."""
    found: Person | None = _AT_HOME.record(person_id)
    return found


def any_person(person_id: int) -> Person | None:
    """A person, in use or not."""
    return Person.objects.select_related("organization").filter(pk=person_id).first()


def person_by_ref(external_ref: str) -> Person | None:
    """The person with this key in another system."""
    return Person.objects.filter(external_ref=external_ref).first() if external_ref else None


def people() -> QuerySet[Person]:
    """Everybody."""
    return Person.objects.all()


def present(person_id: int, *, now: datetime) -> int:
    """Who does a person's work now: they themselves, or while they are away who stands in for them (and for those, in turn).

    Where everybody is away, or nobody stands in, it stays with the person.
    """
    seen: list[int] = []
    at: int | None = person_id
    while at is not None and at not in seen:
        seen.append(at)
        row = Person.objects.filter(pk=at).values_list("is_active", "away_from", "away_until", "stands_in_id").first()
        if row is None:
            break
        is_active, away_from, away_until, stands_in = row
        if is_active and not is_away(away_from, away_until, now=now):
            return at
        at = stands_in
    return person_id


def addresses(person_id: int) -> QuerySet[EmailAddress]:
    """A person's addresses, the one for mail first."""
    return EmailAddress.objects.filter(person=person_id).order_by("-is_primary", "id")


def address(address_id: int) -> EmailAddress | None:
    """An address with its person."""
    return EmailAddress.objects.select_related("person").filter(pk=address_id).first()
