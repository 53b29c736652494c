"""What a report is about: a period, filters, and how its lines are cut; and the tickets that fit, of those the viewer sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Exists, IntegerField, Model, OuterRef, Q, QuerySet, Value, When

from allswell.kernel.actor import Actor
from allswell.kernel.text import clean, whole
from allswell.people import queries as people
from allswell.people.models import Organization, Team
from allswell.reporting.rules.counting import Month, Period, period
from allswell.services.models import ConfigurationItem
from allswell.tickets import queries as tickets

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

#: stands for "none" where a line is named in an address: no slug is like it
NONE = "-"


@dataclass(frozen=True, slots=True)
class Cut:
    """What lines are told apart by: a column, and what it points to, whose short name and name they then have."""

    column: str
    to: type[Model] | None = None
    is_number: bool = False

    def names(self, values: Iterable[Any]) -> dict[Any, tuple[str, str]]:
        """Value of the column -> (key in an address, name); what is none is left out."""
        known = [value for value in values if value not in (None, "")]
        if self.to is None:
            return {value: (str(value), str(value)) for value in known}
        rows: Any = self.to._default_manager.filter(pk__in=known).values_list("pk", "slug", "name")
        return {pk: (slug, name) for pk, slug, name in rows}

    def is_line(self, key: str) -> Q | None:
        """That a row belongs to the line with this key; None when nothing can."""
        nothing = Q(**{f"{self.column}__isnull": True})
        if key == NONE:
            return nothing if self.to is not None or self.is_number else nothing | Q(**{self.column: ""})
        if self.to is not None:
            value: Any = self.to._default_manager.filter(slug=key).values_list("pk", flat=True).first()
        else:
            value = whole(key, digits=4) if self.is_number else key
        return None if value is None else Q(**{self.column: value})


def cuts(ticket: str = "") -> dict[str, Cut]:
    """How lines may be cut by what a ticket says; `ticket` is the way to it."""
    return {
        "service": Cut(f"{ticket}service", ConfigurationItem),
        "team": Cut(f"{ticket}team", Team),
        "organization": Cut(f"{ticket}organization", Organization),
        "priority": Cut(f"{ticket}priority", is_number=True),
        "kind": Cut(f"{ticket}kind"),
    }


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Filters of a report by the names an address uses; "" is none, `NONE` what has no such thing.

    An organization includes those below it.
    """

    organization: str = ""
    service: str = ""
    team: str = ""
    priority: str = ""
    kind: str = ""
    agreement: str = ""
    metric: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Narrowing:
        """Filters from an address; unknown names are left out."""
        return cls(**{f.name: clean(str(given[f.name])[:80]).strip() for f in fields(cls) if given.get(f.name)})

    def chosen(self) -> dict[str, str]:
        """The filters in force."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}


@dataclass(frozen=True, slots=True)
class Asked:
    """A report as it is asked for: period, filters and `by` what its lines are cut ("month" or one of the cuts)."""

    period: Period
    narrowing: Narrowing = Narrowing()
    by: str = "month"

    @classmethod
    def parse(cls, given: Mapping[str, str], *, cuts: Sequence[str], zone: str, now: datetime) -> Asked:
        """What an address asks for; another cut than the report has is the first it has. Raises Invalid for a wrong period."""
        when = period(given.get("period", ""), given.get("from", ""), given.get("to", ""), zone=zone, now=now)
        by = given.get("by", "")
        return cls(when, Narrowing.parse(given), by if by in cuts else cuts[0])

    def asked(self) -> dict[str, str]:
        """It as parameters of an address."""
        return {**self.period.asked(), **self.narrowing.chosen(), "by": self.by}

    def cut(self, by: str) -> Asked:
        """The same cut otherwise."""
        return replace(self, by=by)


def narrowed(narrowing: Narrowing, *, actor: Actor) -> QuerySet[Ticket]:
    """The tickets that pass the filters, of those the actor sees at the desk."""
    found = tickets.at_the_desk(actor)
    if narrowing.organization == NONE:
        found = found.filter(organization__isnull=True)
    elif narrowing.organization:
        row = people.organization_by_ref(narrowing.organization)
        found = found.filter(organization__in=people.organization_and_below(row.pk) if row else [])
    for name in ("service", "team"):
        if value := getattr(narrowing, name):
            found = found.filter(**{f"{name}__isnull": True} if value == NONE else {f"{name}__slug": value})
    if narrowing.priority:
        found = found.filter(priority=whole(narrowing.priority, digits=4) or 0)
    if narrowing.kind:
        found = found.filter(kind=narrowing.kind)
    return found


def among(found: QuerySet[Ticket], *, one_by_one: bool) -> Q | Exists:
    """That the `ticket` of a row is one of these: each looked at as it comes, for few rows; or all found first, for very many."""
    return Exists(found.filter(pk=OuterRef("ticket"))) if one_by_one else Q(ticket__in=found.values("pk"))


def month(column: str, months: Sequence[Month]) -> Case | Value:
    """Which of these months an instant in the period falls in, counted from 0, as an expression both databases read alike.

    Comparisons, halving: of 36 months at most six are looked at.
    """
    return _among(column, months, 0, len(months))


def _among(column: str, months: Sequence[Month], first: int, end: int) -> Case | Value:
    if end - first <= 1:
        return Value(first, output_field=IntegerField())
    middle = (first + end) // 2
    before = When(Q(**{f"{column}__lt": months[middle].starts_at}), then=_among(column, months, first, middle))
    return Case(before, default=_among(column, months, middle, end), output_field=IntegerField())


def within(column: str, when: Period | Month) -> Q:
    """That an instant falls in a period."""
    return Q(**{f"{column}__gte": when.starts_at, f"{column}__lt": when.ends_at})
