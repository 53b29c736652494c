"""The cast of the stories and a clock that only moves when told to.

world.maria is an employee; world.jonas an agent of the service desk; world.amir and world.priya are DBAs; world.lena leads both;
world.olga is the duty manager; world.ada administers; world.audrey audits; world.otto works for another customer, and
world.oskar is that customer's agent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from allswell.desk import tickets as desk
from allswell.kernel.actor import Actor, Channel
from allswell.people import queries as people
from allswell.people.models import EmailAddress, Membership, Organization, Person, RoleGrant, Team
from allswell.services.models import ConfigurationItem
from allswell.sla import operations as agreements
from allswell.sla.models import Agreement
from allswell.sla.rules.terms import Audience, Terms
from allswell.tickets.models import Ticket
from allswell.tickets.rules import Kind

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class World:
    """An installation with a bank (branches below it), another customer, two teams, two services and a cast."""

    def __init__(self) -> None:
        self.now = START
        self.bank = self._organization("Northbank")
        self.branch = self._organization("Lindenhof branch", parent=self.bank)
        self.other = self._organization("Othertown", kind="customer")
        self.lena = self._person("Lena Frei", self.bank)
        self.desk_team = self._team("Service desk", line=1, lead=self.lena)
        self.dba_team = self._team("Databases", line=3, lead=self.lena)
        self.other_team = self._team("Othertown support", line=2, organization=self.other)
        self.olga = self._person("Olga Brandt", self.bank, role="duty_manager")
        self.lena.manager = self.olga
        self.lena.save()
        self._grant(self.lena, "lead", team=self.desk_team)
        self._grant(self.lena, "lead", team=self.dba_team)
        self.maria = self._person("Maria Keller", self.branch)
        self.rolf = self._person("Rolf Meier", self.branch)
        self.jonas = self._person("Jonas Berg", self.bank, role="agent", teams=[self.desk_team])
        self.julia = self._person("Julia Roth", self.bank, role="agent", teams=[self.desk_team])
        self.amir = self._person("Amir Haddad", self.bank, role="agent", teams=[self.dba_team])
        self.priya = self._person("Priya Nair", self.bank, role="agent", teams=[self.dba_team])
        self.ada = self._person("Ada Admin", self.bank, role="administrator")
        self.audrey = self._person("Audrey Audit", self.bank, role="auditor")
        self.otto = self._person("Otto Other", self.other)
        self.oskar = self._person("Oskar Outside", self.other, teams=[self.other_team])
        self._grant(self.oskar, "agent", organization=self.other)
        self.ledger = self._service("Ledger database", kind="technical_service", team=self.dba_team, criticality=1)
        self.lookup = self._service("Account look-up", team=self.desk_team, criticality=1)
        self.printing = self._service("Printing", team=self.desk_team, criticality=3)

    # the clock

    def forward(self, **delta: float) -> datetime:
        """Let time pass: world.forward(minutes=15)."""
        self.now += timedelta(**delta)
        return self.now

    # speaking

    def actor(self, person: Person, channel: Channel = Channel.DESK) -> Actor:
        """The actor a member of the cast is now, with fresh rights."""
        return people.actor_for(Person.objects.get(pk=person.pk), channel=channel)

    def by(self, person: Person) -> dict[str, Any]:
        """actor= and now= of a use case."""
        return {"actor": self.actor(person), "now": self.now}

    def by_actor(self, actor: Actor) -> dict[str, Any]:
        """actor= and now= of who did something before, now."""
        return self.by(Person.objects.get(pk=actor.person))

    def report(self, person: Person | None = None, title: str = "Account look-up is down", **values: Any) -> Ticket:
        """Somebody (Maria) reports an incident."""
        values.setdefault("kind", Kind.INCIDENT)
        return desk.report(desk.Report(title=title, **values), **self.by(person or self.maria))

    # making

    def _organization(self, name: str, *, parent: Organization | None = None, kind: str = "business_unit") -> Organization:
        row = Organization.objects.create(name=name, slug=name.lower().replace(" ", "-"), kind=kind, parent=parent, path="")
        row.path = f"{parent.path if parent else '/'}{row.pk}/"
        row.save()
        return row

    def _team(self, name: str, **values: Any) -> Team:
        return Team.objects.create(name=name, slug=name.lower().replace(" ", "-"), **values)

    def _service(self, name: str, **values: Any) -> ConfigurationItem:
        return ConfigurationItem.objects.create(name=name, slug=name.lower().replace(" ", "-"), **values)

    def _person(self, name: str, organization: Organization, *, role: str = "", teams: list[Team] | None = None) -> Person:
        person = Person.objects.create(name=name, organization=organization, created_at=START, password="!")
        EmailAddress.objects.create(
            person=person, address=f"{name.split()[0].lower()}@example.org", proof="confirmed", is_primary=True, added_at=START
        )
        if role:
            self._grant(person, role)
        for team in teams or []:
            Membership.objects.create(person=person, team=team, joined_at=START)
        return person

    def _grant(self, person: Person, role: str, *, organization: Organization | None = None, team: Team | None = None) -> None:
        scope = "organization" if organization else "team" if team else "installation"
        RoleGrant.objects.create(person=person, role=role, scope=scope, organization=organization, team=team, granted_at=START)

    # what is promised

    def promise(self, **changes: Any) -> None:
        """An agreement for everyone, counted around the clock: taken up in 15 minutes, answered in 30, resolved in 4 hours of working
        time; waiting for the requester stops the last of them."""
        terms = {
            "zone": "Europe/Paris",
            "targets": [
                _target("acknowledgement", 15),
                _target("first_response", 30),
                _target("resolution", 240, pauses=["requester"], warn={"share": 0.8}),
                _target("fulfilment", 2400, pauses=["requester"]),
            ],
            **changes,
        }
        row = Agreement(name="Standard", slug="standard", audience="customer")
        by = {"actor": self.actor(self.ada), "now": self.now}
        agreements.create(row, **by)
        parsed = Terms.parse(terms, audience=Audience.CUSTOMER)
        agreements.add_version(row, parsed, in_force_from=self.now, note="", **by)


def _target(metric: str, minutes: int, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "within": {"counting": "working", "amount": minutes, "calendar": "always"}, **more}
