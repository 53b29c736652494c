"""Fill an empty, migrated database with many tickets: the same ones every time.

    ALLSWELL_DATABASE_URL=… python -m bench.corpus 100000

Like the corpus the peers were measured with: bodies of about 640 characters, 20 % open, 500 requesters, "zebrafish" in 0.1 % of the
tickets and "toner" in 5 %. Every ticket has its journal entry and its search document; 200 tickets have 30 journal entries and
replies more. Prints the number of tickets a second.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allswell.boot.settings")
django.setup()

from django.db import connection, transaction

from allswell.desk import agreements, calendars, clocks
from allswell.journal.models import Entry
from allswell.journal.queries import newest_id
from allswell.kernel.actor import setup
from allswell.people.models import EmailAddress, Membership, Organization, Person, RoleGrant, Team, Token
from allswell.people.queries import digest
from allswell.reporting.models import Place
from allswell.services.models import ConfigurationItem
from allswell.sla.models import Clock
from allswell.tickets.models import Comment, Ticket

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TOKEN = "alw_for-the-bench-only"
RICH = 200
_WORDS = """
account access screen error again since morning cannot open file report customer branch counter system slow message window restart
password login mail printer network server database connection timeout transfer payment statement letter document update version
button page table list order invoice stock warehouse scanner terminal keyboard monitor laptop phone line call
""".split()  # noqa: SIM905 - shorter so


def _text(pick: random.Random, length: int) -> str:
    words: list[str] = []
    size = 0
    while size < length:
        word = pick.choice(_WORDS)
        words.append(word)
        size += len(word) + 1
    return " ".join(words)


def people() -> tuple[list[Person], list[Person], list[Team], list[ConfigurationItem], list[Organization]]:
    """500 requesters in 10 organizations, 40 agents in 10 teams, 20 services; agent 1 holds the bench's token."""
    organizations = []
    for number in range(10):
        row = Organization.objects.create(name=f"Unit {number}", slug=f"unit-{number}", path="")
        row.path = f"/{row.pk}/"
        row.save()
        organizations.append(row)
    everybody = Person.objects.bulk_create(
        [
            Person(name=f"Person {number}", organization=organizations[number % 10], created_at=NOW, password="!")
            for number in range(540)
        ]
    )
    EmailAddress.objects.bulk_create(
        [
            EmailAddress(person=person, address=f"p{number}@example.org", proof="confirmed", is_primary=True, added_at=NOW)
            for number, person in enumerate(everybody)
        ]
    )
    requesters, agents = everybody[:500], everybody[500:]
    teams = [Team.objects.create(name=f"Team {number}", slug=f"team-{number}", line=1 + number % 3) for number in range(10)]
    for number, agent in enumerate(agents):
        RoleGrant.objects.create(person=agent, role="agent", scope="installation", granted_at=NOW)
        Membership.objects.create(person=agent, team=teams[number % 10], joined_at=NOW)
    services = [
        ConfigurationItem.objects.create(
            name=f"Service {number}", slug=f"service-{number}", team=teams[number % 10], criticality=1 + number % 4
        )
        for number in range(20)
    ]
    Token.objects.create(person=agents[0], name="bench", digest=digest(TOKEN), hint="alw_", scopes=["all"], created_at=NOW)
    return requesters, agents, teams, services, organizations


def _rows(count: int, first: int, cast: Any) -> Iterator[tuple[dict[str, Any], str]]:
    requesters, agents, teams, services, _ = cast
    pick = random.Random(1)
    bodies = [_text(pick, 600) for _ in range(997)]
    start = NOW - timedelta(days=730)
    step = timedelta(days=730) / count
    for index in range(count):
        number = first + index
        opened = start + step * index
        is_open = pick.random() < 0.2
        requester = requesters[index % 500]
        words = ("zebrafish " if index % 1000 == 7 else "") + ("toner " if index % 20 == 3 else "")
        body = words + bodies[index % 997]
        impact, urgency = pick.randint(1, 4), pick.randint(1, 4)
        priority = min(5, impact + urgency - 1)
        state = (
            pick.choice(("new", "in_progress", "in_progress", "waiting"))
            if is_open
            else pick.choice(("resolved", "closed", "closed"))
        )
        done = None if is_open else opened + timedelta(hours=pick.randint(1, 90))
        yield (
            {
                "id": number,
                "kind": "incident" if index % 4 else "request",
                "title": f"{_text(pick, 40)} {number}",
                "description": body,
                "state": state if is_open or index % 4 or state == "closed" else "fulfilled",
                "waiting_on": "requester" if state == "waiting" else "",
                "impact": impact,
                "urgency": urgency,
                "priority": priority,
                "queue_rank": priority + (10 if state == "waiting" else 0),
                "service_id": services[index % 20].pk,
                "team_id": teams[index % 10].pk,
                "assignee_id": agents[index % 40].pk if state != "new" and index % 3 else None,
                "requester_id": requester.pk,
                "reporter_id": requester.pk,
                "organization_id": requester.organization_id,
                "channel": "portal",
                "queue_at": opened,
                "opened_at": opened,
                "updated_at": done or opened,
                "resolved_at": done,
                "done_at": done,
                "closed_at": done if state == "closed" else None,
            },
            body,
        )


def _defaults() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in Ticket._meta.concrete_fields:
        found[column.attname] = column.get_default() if column.has_default() else None
    found["custom"] = "{}"
    return found


def _write(table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Many rows, as fast as the database takes them."""
    quoted = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join("?" for _ in columns)
            plain = [tuple(v.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(v, datetime) else v for v in row) for row in rows]
            connection.connection.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", plain)
        else:
            with cursor.copy(f"COPY {table} ({quoted}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)


def _entries(row: dict[str, Any], key: Any) -> Iterator[tuple[Any, ...]]:
    """The journal of a ticket: it was opened and, as long as it is open, what brought it where it stands."""
    told = [("incident.reported" if row["kind"] == "incident" else "request.made", 0, {"priority": row["priority"]})]
    if row["done_at"] is None and row["state"] != "new":
        told.append(("ticket.acknowledged", 10, {"from": "new", "to": "in_progress"}))
    if row["state"] == "waiting":
        told.append(("ticket.waited", 40, {"from": "in_progress", "to": "waiting", "on": "requester"}))
    for verb, minutes, data in told:
        at = row["opened_at"] + timedelta(minutes=minutes)
        about = (at, at, verb, "ticket", row["id"], row["id"], row["requester_id"])
        yield (*about, "person", "portal", key, json.dumps(data))


def _agree() -> None:
    """What is promised: P1 and P2 around the clock, the rest in office hours with a lunch break and a country's holidays."""
    week = [[(480, 720), (780, 1080)]] * 5 + [[], []]
    hours = calendars.Hours(week=week, country="DE", subdivision="HE")
    by = {"actor": setup(), "now": NOW}
    office = calendars.create_calendar(
        name="Office hours", zone="Europe/Berlin", hours=hours, effective_on=date(2020, 1, 1), **by
    )
    targets = []
    for priorities, slug, minutes in (([1, 2], "always", 30), ([3, 4, 5], office.slug, 120)):
        times = {
            "acknowledgement": minutes,
            "first_response": 2 * minutes,
            "restoration": 16 * minutes,
            "fulfilment": 80 * minutes,
        }
        targets += [
            {
                "key": f"{metric}-{priorities[0]}",
                "metric": metric,
                "within": {"counting": "working", "amount": amount, "calendar": slug},
                "priorities": priorities,
                "pauses": ["requester"],
                "warn": {"share": 0.8},
            }
            for metric, amount in times.items()
        ]
    definition = {"zone": "Europe/Berlin", "targets": targets}
    agreements.create(name="Standard", definition=definition, in_force_from=NOW - timedelta(days=1000), **by)


def _start_clocks() -> None:
    """The clocks of the open tickets, solved from their journal."""
    numbers = list(Ticket.objects.filter(done_at=None).values_list("pk", flat=True))
    for start in range(0, len(numbers), 1000):
        with transaction.atomic():
            clocks.follow_many(numbers[start : start + 1000], now=NOW)
    Place.objects.update_or_create(pk=1, defaults={"entry": newest_id()})  # reports are counted
    Clock.objects.update(alarm_at=None)  # all that passed has been told of


def fill(count: int, *, batch: int = 20_000) -> int:
    """Write `count` tickets; the number of the first rich one."""
    first = 1001
    cast = people()
    columns = list(_defaults())
    defaults = _defaults()
    tickets: list[tuple[Any, ...]] = []
    entries: list[tuple[Any, ...]] = []
    documents: list[tuple[Any, ...]] = []
    action = uuid.UUID(int=1)
    entry_columns = [
        "happened_at",
        "recorded_at",
        "verb",
        "about_kind",
        "about_id",
        "ticket_id",
        "person_id",
        "actor_kind",
        "channel",
        "action",
        "data",
    ]
    key = action.hex if connection.vendor == "sqlite" else action

    def flush() -> None:
        with transaction.atomic():
            _write("tickets_ticket", columns, tickets)
            _write("journal_entry", entry_columns, entries)
            if connection.vendor == "sqlite":
                connection.connection.executemany(
                    "INSERT INTO search_document (rowid, public, internal) VALUES (?, ?, '')", documents
                )
        tickets.clear()
        entries.clear()
        documents.clear()

    _agree()
    for row, body in _rows(count, first, cast):
        tickets.append(tuple({**defaults, **row}.values()))
        entries += _entries(row, key)
        documents.append((row["id"], f"{row['title']}\n{body}"))
        if len(tickets) == batch:
            flush()
    flush()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = 'tickets_ticket'", [first + count])
            cursor.execute("ANALYZE")
        else:
            cursor.execute(
                "INSERT INTO search_document SELECT id, v, v FROM (SELECT id, to_tsvector('english', title || ' ' || description) v"
                " FROM tickets_ticket) t"
            )
            cursor.execute(f"ALTER TABLE tickets_ticket ALTER COLUMN id RESTART WITH {first + count + 1}")
            cursor.execute("ANALYZE")
    _enrich(first + count - RICH, cast)
    _start_clocks()
    with connection.cursor() as cursor:  # as autovacuum leaves a desk that was not filled a minute ago
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM (ANALYZE)")
    return first + count - RICH


def _enrich(start: int, cast: Any) -> None:
    """Give the newest tickets 30 entries each: 20 public replies, 10 notes."""
    requesters, agents, *_ = cast
    pick = random.Random(2)
    comments, entries = [], []
    for number in range(start, start + RICH):
        for index in range(29):
            at = NOW + timedelta(minutes=index)
            is_public = index % 3 != 0
            author = requesters[number % 500] if index % 6 == 1 else agents[(number + index) % 40]
            comments.append(
                Comment(
                    ticket_id=number, author=author, is_public=is_public, body=_text(pick, 300), channel="desk", created_at=at
                )
            )
    comments = Comment.objects.bulk_create(comments, batch_size=500)
    for comment in comments:
        entries.append(
            Entry(
                happened_at=comment.created_at,
                recorded_at=comment.created_at,
                about_kind="ticket",
                about_id=comment.ticket_id,
                verb="ticket.replied" if comment.is_public else "ticket.noted",
                ticket_id=comment.ticket_id,
                person_id=comment.author_id,
                actor_kind="person",
                channel="desk",
                action=uuid.uuid4(),
                data={"comment": comment.pk},
            )
        )
    Entry.objects.bulk_create(entries, batch_size=500)


if __name__ == "__main__":
    began = time.perf_counter()
    amount = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rich = fill(amount)
    print(f"{amount} tickets, {amount / (time.perf_counter() - began):.0f}/s; rich tickets from {rich}")
