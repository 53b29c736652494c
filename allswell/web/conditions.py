"""Conditions on the labels of alerts, as forms have them: one row of plain fields each, so that no script is needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from allswell.intake.rules.matching import MOST, Matcher
from allswell.kernel.errors import Invalid

#: so many empty rows a form has room for
SPARE = 2


def operators() -> list[tuple[str, str]]:
    """How a label is compared, in words."""
    return [
        ("=", _("is")),
        ("!=", _("is not")),
        ("=~", _("fits the expression")),
        ("!~", _("does not fit the expression")),
    ]


def said(matcher: Matcher) -> str:
    """A condition in words."""
    if not matcher.value and matcher.operator in ("=", "!="):
        told = _("%(label)s is not there") if matcher.operator == "=" else _("%(label)s is there")
        return told % {"label": matcher.label}
    how = dict(operators())[matcher.operator]
    return f"{matcher.label} {how} “{matcher.value}”"


@dataclass(frozen=True, slots=True)
class Row:
    """One condition as it is typed. `number` tells the fields of the rows apart."""

    number: int
    label: str = ""
    operator: str = "="
    value: str = ""


def rows_of(matchers: Iterable[Matcher], *, spare: int = SPARE) -> list[Row]:
    """Rows that say these conditions, and empty ones."""
    filled = [(one.label, one.operator, one.value) for one in matchers]
    some = [*filled, *[("", "=", "")] * spare][:MOST]
    return [Row(number, *parts) for number, parts in enumerate(some)]


def typed(sent: QueryDict, *, spare: int = 0) -> list[Row]:
    """The rows as they were sent, and `spare` empty ones more."""
    rows = []
    for number in range(MOST):
        if f"m{number}_label" not in sent:
            break
        parts = (sent.get(f"m{number}_{part}", "") for part in ("label", "operator", "value"))
        rows.append(Row(number, *parts))
    more = min(len(rows) + spare, MOST)
    return [*rows, *(Row(number) for number in range(len(rows), more))]


def read(rows: Iterable[Row]) -> list[dict[str, str]]:
    """What the rows say, the empty ones left out. Raises Invalid naming the field of the row."""
    found = []
    for row in rows:
        if not row.label.strip() and not row.value.strip():
            continue
        try:
            matcher = Matcher.parse({"label": row.label, "operator": row.operator, "value": row.value})
        except Invalid as error:
            raise Invalid(error.template, field=f"m{row.number}_{error.field}", **error.params) from error
        found.append(matcher.as_json())
    return found
