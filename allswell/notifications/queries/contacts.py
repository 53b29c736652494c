"""Reading how people and teams' rooms are reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from allswell.database.statements import ask
from allswell.notifications import rules
from allswell.notifications.models import ContactMessage, ContactMethod, ContactRule, PagingHours
from allswell.people import queries as people

#: zone, and minutes of the day between which it is quiet, of a person
Home = tuple[str, int | None, int | None]


def homes_of(person_ids: Iterable[int]) -> dict[int, Home]:
    """Person -> where they are, and when they are left in peace."""
    rows = people.people().filter(pk__in=set(person_ids))
    return {pk: (zone, *quiet) for pk, zone, *quiet in rows.values_list("pk", "time_zone", *QUIET)}


#: the columns of quiet hours, seen from a person
QUIET = ("paging_hours__quiet_from", "paging_hours__quiet_until")


def reachable(person_ids: Iterable[int], *, homes: Mapping[int, Home] | None = None) -> dict[int, rules.Reach]:
    """Person -> everything that decides how they are reached; four statements, however many people, three with their `homes`.

    Who is unknown is left out.
    """
    ids = sorted(set(person_ids))
    if not ids:
        return {}
    homes = homes_of(ids) if homes is None else homes
    methods: dict[int, list[rules.Method]] = defaultdict(list)
    for person, is_confirmed, is_failing in people.primary_proofs(ids):
        methods[person].append(rules.Method(rules.ContactKind.EMAIL, None, is_confirmed, is_failing))
    rows = _in_use().filter(person__in=ids).order_by("id").values_list("person_id", "kind", "id", "verified_at", "failing_since")
    for person, kind, contact, verified_at, failing_since in rows:
        methods[person].append(rules.Method(rules.ContactKind(kind), contact, verified_at is not None, failing_since is not None))
    said: dict[int, list[rules.Rule]] = defaultdict(list)
    of_rules = ContactRule.objects.filter(person__in=ids).order_by("person", "urgency", "position", "id")
    for person, urgency, contact, after in of_rules.values_list("person_id", "urgency", "contact_id", "after"):
        said[person].append(rules.Rule(rules.Urgency(urgency), contact, after))
    return {
        person: rules.Reach(
            methods=tuple(methods[person]),
            rules=tuple(said[person]),
            quiet=None if since is None or until is None else rules.Quiet(since, until),
            zone=zone or settings.DEFAULT_TIME_ZONE,
        )
        for person, (zone, since, until) in homes.items()
    }


def ways(contact_ids: Iterable[int]) -> dict[int, tuple[str, str, str]]:
    """Contact -> (kind, address as it is stored, flavor) of those that are verified and in use: nothing else is ever paged."""
    rows = _in_use().filter(pk__in=set(contact_ids), verified_at__isnull=False).values_list("id", "kind", "address", "flavor")
    return {pk: (kind, address, flavor) for pk, kind, address, flavor in rows}


def _in_use() -> QuerySet[ContactMethod]:
    return ContactMethod.objects.filter(removed_at__isnull=True)


def contacts_of(person: int) -> QuerySet[ContactMethod]:
    """The ways a person has added, the oldest first."""
    return _in_use().filter(person=person).order_by("id")


def rooms_of(team: int) -> QuerySet[ContactMethod]:
    """The rooms of a team, the oldest first."""
    return _in_use().filter(team=team).order_by("id")


def rooms() -> QuerySet[ContactMethod]:
    """The rooms of all teams, also those that were removed."""
    return ContactMethod.objects.filter(team__isnull=False)


def contacts_in_use() -> list[ContactMethod]:
    """Every way to a person and every room that is in use, the oldest first."""
    return list(_in_use().order_by("id"))


def who_said_how() -> list[int]:
    """The people who have added a way, an order of their own, or quiet hours."""
    added = _in_use().filter(person__isnull=False).values_list("person_id", flat=True)
    ordered = ContactRule.objects.values_list("person_id", flat=True)
    return sorted({*added, *ordered, *PagingHours.objects.values_list("person_id", flat=True)} - {None})


def contact(contact_id: int) -> ContactMethod | None:
    """A way that is in use, its team loaded."""
    return _in_use().select_related("team").filter(pk=contact_id).first()


def contacts_by_number(number: str) -> list[tuple[int, int]]:
    """(contact, person) of everybody who has shown that this telephone number is theirs; two may share one."""
    found = _in_use().filter(kind__in=("sms", "voice"), address=number, verified_at__isnull=False, person__isnull=False)
    return [(pk, person or 0) for pk, person in found.order_by("id").values_list("id", "person_id")]


def open_code(contact_id: int, *, now: datetime) -> ContactMessage | None:
    """The newest code that was made for a contact, while it opens."""
    codes = ContactMessage.objects.filter(contact=contact_id, purpose="code", used_at__isnull=True, expires_at__gt=now)
    return codes.order_by("-id").first()


def messages_since(person: int, since: datetime, *, purpose: str) -> int:
    """How many messages of this purpose a person has had sent since."""
    return ContactMessage.objects.filter(asked_by=person, purpose=purpose, created_at__gte=since).count()


def messages_to(contact_id: int, since: datetime) -> int:
    """How many messages were made for a contact since."""
    return ContactMessage.objects.filter(contact=contact_id, created_at__gte=since).count()


def tests_since(person: int, since: datetime) -> int:
    """How often a person has sent themselves a test since."""
    tests = ContactMessage.objects.filter(asked_by=person, purpose="test", created_at__gte=since)
    return tests.order_by().values("created_at").distinct().count()


def message(message_id: int) -> ContactMessage | None:
    """A message with its contact, while it waits to be sent."""
    return ContactMessage.objects.select_related("contact").filter(pk=message_id, settled_at__isnull=True).first()


def contact_of_message(message_id: int) -> int | None:
    """The contact a message goes to; None when that is the primary e-mail address."""
    return ContactMessage.objects.filter(pk=message_id).values_list("contact_id", flat=True).first()


def last_test(person: int, since: datetime) -> list[ContactMessage]:
    """The messages of the last test a person sent themselves, their contacts loaded."""
    rows = ContactMessage.objects.filter(asked_by=person, purpose="test", created_at__gte=since)
    newest = rows.order_by("-created_at").values_list("created_at", flat=True).first()
    return list(rows.filter(created_at=newest).select_related("contact").order_by("id")) if newest else []


def last_messages(contact_ids: Iterable[int]) -> dict[int, ContactMessage]:
    """Contact -> the newest message to it, to tell how it went."""
    rows = ContactMessage.objects.filter(contact__in=set(contact_ids)).order_by("id")
    return {row.contact_id: row for row in rows if row.contact_id is not None}


_DUE = """
SELECT 1 FROM notifications_contactmessage WHERE settled_at IS NULL AND due_at <= %s
AND (claimed_until IS NULL OR claimed_until < %s) LIMIT 1
"""


def is_message_due(now: datetime) -> bool:
    """Whether a code or a test waits to be sent; written by hand, because the engine asks several times a second."""
    at = connection.ops.adapt_datetimefield_value(now)
    return bool(ask(_DUE, [at, at]))
