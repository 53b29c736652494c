"""What a report is about: a period, filters, and how its lines are cut; and the tickets that fit, of those the viewer sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, Q, QuerySet, Value, When

from allswell.kernel.actor import Actor
from allswell.kernel.text import clean, whole
from allswell.people import queries as people
from allswell.reporting.rules.counting import Month, Period, period
from allswell.tickets import queries as tickets

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

#: stands for "none" where a line is named in an address: no slug is like it
NONE = "-"
#: how the lines of a report on tickets may be cut -> (key, name) from the ticket
CUTS: Mapping[str, tuple[str, str]] = {
    "service": ("service__slug", "service__name"),
    "team": ("team__slug", "team__name"),
    "organization": ("organization__slug", "organization__name"),
    "priority": ("priority", "priority"),
    "kind": ("kind", "kind"),
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


def month(column: str, months: Sequence[Month]) -> Case:
    """The month an instant falls in, of these, as an expression: comparisons, which both databases do alike in any zone."""
    whens = [When(Q(**{f"{column}__lt": one.ends_at}), then=Value(one.key)) for one in months]
    return Case(*whens, default=Value(""), output_field=CharField())


def within(column: str, when: Period | Month) -> Q:
    """That an instant falls in a period."""
    return Q(**{f"{column}__gte": when.starts_at, f"{column}__lt": when.ends_at})


def is_line(column: str, key: str) -> Q:
    """That a row belongs to the line `key` of a cut."""
    if key == NONE:
        return Q(**{f"{column}__isnull": True})
    return Q(**{column: whole(key, digits=4) or 0}) if column.endswith(("priority", "hop")) else Q(**{column: key})


def key_of(value: Any) -> str:
    """The key of a line as an address names it."""
    return NONE if value in (None, "") else str(value)
