"""The people, teams, services, organizations and categories that rows name: found, or made on the way.

They are known by the words of the source; what is made has no rights, no password and sends and gets no mail by itself.
Caches are bounded, so that a file with a million names needs no more memory than one with a thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.db import models

from allswell.intake.rules.mapping import TicketMapping
from allswell.intake.rules.records import Record
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.people import queries as people
from allswell.people.models import EmailAddress, Organization, Person, Team
from allswell.services.models import ConfigurationItem
from allswell.tickets.models import Category, CustomField
from allswell.tickets.rules import Matrix

CACHE = 20_000


class _Named(Protocol):
    pk: Any


N = TypeVar("N", bound=models.Model)


class Names:
    """Keys of what rows name, for one import. `created` counts what was made."""

    def __init__(self, mapping: TicketMapping, *, actor: Actor) -> None:
        self.mapping, self.actor = mapping, actor
        self.created: dict[str, int] = {}
        self.house: Organization | None = None
        self._is_prepared = False
        self._matrices: dict[int | None, Matrix] = {}
        self._people: dict[str, int] = {}
        self._teams: dict[str, int] = {}
        self._services: dict[str, int] = {}
        self._units: dict[str, Organization] = {}
        self._categories: dict[tuple[str, ...], int] = {}

    def prepare(self, records: list[Record], *, now: datetime) -> None:
        """Find or make everything the records name."""
        if not self._is_prepared:
            self._prepare_house(now)
            self._is_prepared = True
        for unit in sorted({record.unit for record in records if record.unit} - self._units.keys()):
            self._units[unit] = self._organization(unit, slug=text.slug(unit), kind="business_unit", parent=self.house, now=now)
        self._prepare_people(records, now)
        self._prepare_teams({record.team for record in records if record.team}, now)
        self._prepare_services({(record.service, record.team) for record in records if record.service}, now)
        for path in sorted({record.category for record in records if record.category} - self._categories.keys()):
            self._category(path)

    def ids(self, record: Record) -> dict[str, int | None]:
        """The keys of what a record names, by column."""
        unit = self._units.get(record.unit) or self.house
        return {
            "requester": self._people.get(record.people["requester"]),
            "reporter": self._people.get(record.people["reporter"]),
            "assignee": self._people.get(record.people["assignee"]),
            "team": self._teams.get(record.team),
            "service": self._services.get(record.service),
            "organization": unit.pk if unit else None,
            "category": self._categories.get(record.category),
        }

    def person(self, name: str) -> int | None:
        """The key of a person that was prepared."""
        return self._people.get(name)

    def matrix(self, record: Record) -> Matrix:
        """The priority matrix of the organization a record belongs to."""
        unit = self._units.get(record.unit) or self.house
        key = unit.pk if unit else None
        if key not in self._matrices:
            self._matrices[key] = Matrix.parse(people.inherited(unit, "priority_matrix"))
        return self._matrices[key]

    def days(self) -> int | None:
        """After how many days resolved tickets close by themselves, where the organization says so."""
        found: int | None = people.inherited(self.house, "closes_after_days")
        return found

    # making

    def _made(self, kind: str, rows: Iterable[_Named], now: datetime) -> None:
        rows = list(rows)
        self.created[kind] = self.created.get(kind, 0) + len(rows)
        journal.record_all(
            [
                journal.entry(Verb.CREATED, about=(kind, row.pk), actor=self.actor, now=now, data={"source": self.mapping.source})
                for row in rows
            ]
        )

    def _prepare_house(self, now: datetime) -> None:
        house = self.mapping.house
        if house is not None:
            self.house = self._organization(
                house.name, slug=house.slug, kind=house.kind, parent=None, now=now, priority_matrix=house.rows
            )
        for position, (key, (_, label)) in enumerate(sorted(self.mapping.custom.items())):
            row, is_new = CustomField.objects.get_or_create(key=key, defaults={"label": label, "position": 100 + position})
            if is_new:
                self._made("custom_field", [row], now)

    def _organization(
        self, name: str, *, slug: str, kind: str, parent: Organization | None, now: datetime, **more: Any
    ) -> Organization:
        found = Organization.objects.filter(name=name, parent=parent).order_by("id").first()
        if found is None and parent is None:
            found = Organization.objects.filter(slug=slug).first()
        if found is not None:
            return found
        slug = _free(slug or "organization", lambda wanted: Organization.objects.filter(slug=wanted).exists())
        row = Organization.objects.create(name=name, slug=slug, kind=kind, parent=parent, path="", **more)
        row.path = f"{parent.path if parent else '/'}{row.pk}/"
        row.save(update_fields=["path"])
        self._made("organization", [row], now)
        return row

    def _prepare_people(self, records: list[Record], now: datetime) -> None:
        wanted: dict[str, int | None] = {}
        for record in records:
            unit = self._units.get(record.unit) or self.house
            for name in (*record.people.values(), *(said.by for said in record.comments)):
                if name:
                    wanted.setdefault(name, unit.pk if unit else None)
        if len(self._people) > CACHE:
            self._people.clear()
        new = [name for name in wanted if name not in self._people]
        refs = {self._ref(name): name for name in new}
        for part in _parts(list(refs)):
            rows = Person.objects.filter(external_ref__in=part).values_list("external_ref", "pk")
            self._people |= {refs[ref]: pk for ref, pk in rows}
        for part in _parts([name.lower() for name in new if "@" in name]):
            owners = EmailAddress.objects.filter(address__in=part).exclude(proof="claimed").values_list("address", "person_id")
            known = dict(owners)
            self._people |= {name: known[name.lower()] for name in new if name.lower() in known}
        missing = [name for name in new if name not in self._people]
        if not missing:
            return
        made = Person.objects.bulk_create(
            [
                Person(
                    name=name.split("@")[0] if "@" in name else name,
                    organization_id=wanted[name],
                    external_ref=self._ref(name),
                    password="!",  # noqa: S106 - cannot sign in until a password is set
                    created_at=now,
                )
                for name in missing
            ],
            batch_size=500,
        )
        self._people |= {name: person.pk for name, person in zip(missing, made, strict=True)}
        self._addresses(missing, now)
        self._made("person", made, now)

    def _addresses(self, names: list[str], now: datetime) -> None:
        rows = []
        for name in names:
            try:
                address = text.folded_address(name) if "@" in name else ""
            except Invalid:
                continue
            if address:
                rows.append(
                    EmailAddress(person_id=self._people[name], address=address, proof="vouched", is_primary=True, added_at=now)
                )
        EmailAddress.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)

    def _ref(self, name: str) -> str:
        return f"{self.mapping.source}:{name}"[:120]

    def _prepare_teams(self, names: set[str], now: datetime) -> None:
        new = sorted(names - self._teams.keys())
        for part in _parts(new):
            self._teams |= dict(Team.objects.filter(name__in=part).order_by("-id").values_list("name", "pk"))
        for name in new:
            if name not in self._teams:
                slug = _free(text.slug(name) or "team", lambda wanted: Team.objects.filter(slug=wanted).exists())
                row = Team.objects.create(name=name, slug=slug, line=2, organization=self.house)
                self._teams[name] = row.pk
                self._made("team", [row], now)

    def _prepare_services(self, pairs: set[tuple[str, str]], now: datetime) -> None:
        teams = dict(sorted(pairs, reverse=True))
        new = sorted(teams.keys() - self._services.keys())
        for part in _parts(new):
            rows = ConfigurationItem.objects.filter(name__in=part).order_by("-id").values_list("name", "pk")
            self._services |= dict(rows)
        for name in new:
            if name not in self._services:
                slug = _free(text.slug(name) or "service", lambda wanted: ConfigurationItem.objects.filter(slug=wanted).exists())
                row = ConfigurationItem.objects.create(
                    name=name, slug=slug, team_id=self._teams.get(teams[name]), organization=self.house
                )
                self._services[name] = row.pk
                self._made("service", [row], now)

    def _category(self, path: tuple[str, ...]) -> int:
        if path in self._categories:
            return self._categories[path]
        parent = self._category(path[:-1]) if len(path) > 1 else None
        row = Category.objects.filter(name=path[-1], parent_id=parent).first()
        if row is None:
            wanted = text.slug(" ".join(path)) or "category"
            slug = _free(wanted, lambda slug: Category.objects.filter(slug=slug).exists())
            row = Category.objects.create(name=path[-1], slug=slug, parent_id=parent)
        self._categories[path] = row.pk
        return row.pk


def _parts(values: list[str]) -> Iterable[list[str]]:
    return (values[start : start + 900] for start in range(0, len(values), 900))


def _free(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """`wanted`, or with the first number behind it that nobody has."""
    if not is_taken(wanted):
        return wanted
    number = 2
    while is_taken(f"{wanted[:54]}-{number}"):
        number += 1
    return f"{wanted[:54]}-{number}"
