"""What the benches of paging fill a database with; called in processes of their own, where Django is set up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

PEOPLE = 2000


def world(port: int, *, slug: str = "watch") -> tuple[int, list[int]]:
    """A desk team with very many people, each with a carrier's address; the team and its people."""
    from allswell.desk import sealing
    from allswell.kernel import clock
    from allswell.notifications.models import ContactMethod
    from allswell.people.models import Organization, Person, RoleGrant, Team

    now = clock.now()
    home = Organization.objects.create(name="Bench", slug=f"bench-{slug}", kind="business_unit", path="")
    Organization.objects.filter(pk=home.pk).update(path=f"/{home.pk}/")
    team = Team.objects.create(name="Watch", slug=slug)
    people = Person.objects.bulk_create(
        [Person(name=f"Person {n}", organization=home, created_at=now, password="!") for n in range(PEOPLE)]
    )
    RoleGrant.objects.bulk_create(
        [RoleGrant(person=person, role="agent", scope="installation", granted_at=now) for person in people]
    )
    address = sealing.seal(f"http://127.0.0.1:{port}/page")
    ContactMethod.objects.bulk_create(
        [
            ContactMethod(person=person, kind="webhook", address=address, shown="…", created_at=now, verified_at=now)
            for person in people
        ]
    )
    return team.pk, [person.pk for person in people]


def tickets(count: int, team: int) -> list[int]:
    from allswell.kernel import clock
    from allswell.tickets.models import Ticket

    now = clock.now()
    made: list[int] = []
    for start in range(0, count, 5000):
        rows = Ticket.objects.bulk_create(
            [
                Ticket(
                    kind="incident", title=f"Down {n}", state="new", impact=1, urgency=1, priority=1, team_id=team,
                    opened_at=now, updated_at=now, asked_at=now, channel="api", queue_rank=1, queue_at=now,
                )
                for n in range(start, min(count, start + 5000))
            ],
            batch_size=1000,
        )  # fmt: skip
        made += [row.pk for row in rows]
    return made


def definition(person: int) -> dict[str, Any]:
    return {
        "steps": [{"targets": [{"kind": "person", "person": person}], "wait": 3600}],
        "repeat": 1,
        "promise": 1800,
        "starts": [1],
        "urgent": [1],
    }


def runs(numbers: list[int], people: list[int], due: list[datetime], *, now: datetime) -> list[int]:
    from allswell.oncall.models import Escalation

    made: list[int] = []
    for start in range(0, len(due), 5000):
        rows = Escalation.objects.bulk_create(
            [
                Escalation(
                    ticket_id=numbers[n % len(numbers)],
                    definition=definition(people[n % len(people)]),
                    cause="by_hand",
                    started_at=now,
                    next_step_at=due[n],
                )
                for n in range(start, min(len(due), start + 5000))
            ],
            batch_size=1000,
        )
        made += [row.pk for row in rows]
    return made


def services(people: list[int], count: int, team: int) -> None:
    """Services of a team, each with a policy of its own that calls one person: nobody is called so often that pages wait."""
    from allswell.kernel import clock
    from allswell.oncall.models import EscalationPolicy, PolicyUse, PolicyVersion
    from allswell.services.models import ConfigurationItem

    now = clock.now()
    for n in range(count):
        service = ConfigurationItem.objects.create(name=f"Service {n}", slug=f"service-{n}", team_id=team)
        policy = EscalationPolicy.objects.create(name=f"Policy {n}", slug=f"policy-{n}", team_id=team, number=1, created_at=now)
        PolicyVersion.objects.create(policy=policy, number=1, definition=definition(people[n % len(people)]), created_at=now)
        PolicyUse.objects.create(policy=policy, service=service)
