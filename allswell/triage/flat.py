"""Tickets of a flat file as triage sees them: what stood when each opened, and the label that proved right.

The mapping is that of the import, with less needed: whatever it does not name is simply not known. In an audit log the first row of
a ticket tells how it opened and its last row the label; in a table one row tells both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from allswell.intake import readers
from allswell.intake.rules import records
from allswell.intake.rules.mapping import Spot, TicketMapping
from allswell.intake.rules.mapping import zone as zone_named
from allswell.kernel import text
from allswell.kernel.errors import Invalid

from .rules.evaluating import Example
from .rules.facts import AT_OPENING, LATER, cut, facts, is_later

#: tickets that are looked at, the last of the file
MOST = 200_000


@dataclass(frozen=True, slots=True)
class History:
    """What a file holds. `looked_at`: the fields that tell; `left_out`: those known only later; `unreadable`: rows that were none."""

    examples: list[Example]
    looked_at: list[str]
    left_out: list[str]
    unreadable: int


@dataclass(slots=True)
class _Seen:
    """One ticket of the file so far."""

    first: Example
    began: datetime | None
    ended: datetime | None


def read(path: Path, how: TicketMapping, target: str) -> History:
    """The tickets of a file. Raises Invalid when the file or the mapping cannot be used."""
    fields, left_out = _fields(how, target)
    label = _label(how, target)
    where = zone_named(how.time_zone) if how.time_zone else ZoneInfo("UTC")
    tickets: dict[str, _Seen] = {}
    unreadable = 0
    for number, row in readers.rows(path, how):
        if isinstance(row, readers.Unreadable):
            unreadable += 1
            continue
        ref = _value(row, how.spots["ref"], how) if how.is_history else str(number)
        at = _instant(row, how, where, "at") if how.is_history else None
        told = _value(row, label, how)
        seen = tickets.get(ref)
        if seen is None or _is_before(at, seen.began):
            example = _example(row, how, fields, where, told)
        if seen is None:
            tickets[ref] = _Seen(example, at, at)
            if len(tickets) > MOST:
                del tickets[next(iter(tickets))]
            continue
        last = seen.first.label
        if told and not _is_before(at, seen.ended):
            last, seen.ended = told, at
        if _is_before(at, seen.began):
            seen.first, seen.began = example, at
        seen.first = Example(seen.first.facts, last, seen.first.given, seen.first.at)
    return History([seen.first for seen in tickets.values()], sorted(fields), left_out, unreadable)


def _is_before(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def _fields(how: TicketMapping, target: str) -> tuple[dict[str, Spot], list[str]]:
    """(what tells, by name, the names left out): what a mapping calls known at opening, and else what is so by its name."""
    found = {name: how.spots[name] for name in AT_OPENING if name in how.spots}
    barred = {column for name in LATER if name in how.spots for column in how.spots[name].columns} | set(how.later)
    left_out = {name for name in LATER if name in how.spots} | set(how.later)
    for name, (spot, _) in how.custom.items():
        late = is_later(name) or any(is_later(column) for column in spot.columns)
        if set(spot.columns) & barred or (late and not set(spot.columns) <= set(how.at_opening)):
            left_out.add(name)
        else:
            found[name] = spot
    known = {column for spot in found.values() for column in spot.columns}
    for column in how.at_opening:
        if column in barred:
            raise Invalid("Mapping: triage: %(column)s is known only later.", field="mapping", column=column)
        if column not in known:
            found[column] = Spot((column,))
    of_target = set(_label(how, target).columns)
    kept = {name: spot for name, spot in found.items() if name != target and not of_target & set(spot.columns)}
    return kept, sorted(left_out - {target})


def _label(how: TicketMapping, target: str) -> Spot:
    if target in how.spots:
        return how.spots[target]
    if target in how.custom:
        return how.custom[target][0]
    names = ", ".join(sorted({*how.spots, *how.custom}))
    raise Invalid("The mapping has no %(target)s to tell; it has %(names)s.", field="target", target=target, names=names)


def _example(row: Mapping[str, Any], how: TicketMapping, fields: Mapping[str, Spot], zone: ZoneInfo, told: str) -> Example:
    names = {name: value for name, spot in fields.items() if (value := _value(row, spot, how))}
    if "category" in fields and fields["category"].is_path:
        names["category_top"] = _value(row, Spot(fields["category"].columns[:1]), how)
    opened = _instant(row, how, zone, "opened_at") or _instant(row, how, zone, "at")
    known = facts(title=_text(row, how, "title"), description=_text(row, how, "description"), names=names, opened_at=opened)
    return Example(known, told, told if how.is_history else "", opened)


def _text(row: Mapping[str, Any], how: TicketMapping, name: str) -> str:
    spot = how.spots.get(name)
    return cut(_value(row, spot, how)) if spot else ""


def _instant(row: Mapping[str, Any], how: TicketMapping, zone: ZoneInfo, name: str) -> datetime | None:
    spot = how.spots.get(name)
    if spot is None:
        return None
    found = [row.get(column) for column in spot.columns]
    value = found[0] if found and isinstance(found[0], datetime) else _value(row, spot, how)
    try:
        moment = records.instant(value, order=how.date_order, zone=zone, field=name)
    except Invalid:
        return None
    return moment.astimezone(UTC if not how.time_zone else zone) if moment else None


def _value(row: Mapping[str, Any], spot: Spot, how: TicketMapping) -> str:
    """What stands there as text, "" for nothing; a word the mapping does not translate stays as it is."""
    parts = []
    for column in spot.columns:
        cell = row.get(column)
        word = "" if cell is None else text.clean(str(cell)).strip()
        if word and word not in how.missing:
            parts.append(word)
    joined = (" / " if spot.is_path else spot.joined).join(parts)
    return spot.values.get(joined.casefold(), joined) or (spot.default or "")
