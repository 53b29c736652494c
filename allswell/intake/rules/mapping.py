"""A mapping: which columns of a file are which part of a ticket, and what its words mean here. Pure.

A mapping is YAML, written by an operator; it holds names and values only, nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allswell.kernel import text
from allswell.kernel.errors import Invalid
from allswell.tickets.rules import Matrix

#: fields of a ticket that a mapping may fill from a column
TEXTS = ("title", "description", "resolution")
INSTANTS = ("opened_at", "updated_at", "occurred_at", "acknowledged_at", "restored_at", "resolved_at", "closed_at")
PEOPLE = ("requester", "reporter", "assignee", "by")
NAMES = ("team", "service", "unit")
WORDS = ("kind", "state", "waiting_on", "channel", "resolution_code", "verb")
NUMBERS = ("impact", "urgency", "priority", "reopened_count", "handover_count")
FIELDS = frozenset({"ref", "at", "category", *TEXTS, *INSTANTS, *PEOPLE, *NAMES, *WORDS, *NUMBERS})
ORDERS = ("dmy", "mdy", "ymd")
_TOP = frozenset({"name", "about", "source", "rows", "missing", "date_order", "timezone", "encoding", "delimiter", "records"})
_TOP |= {"sheet", "organization", "columns", "custom", "comments", "triage"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value comes from: one column or several joined, translated by `values`, `default` when empty or not translated."""

    columns: tuple[str, ...] = ()
    joined: str = ", "
    values: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None
    is_path: bool = False


@dataclass(frozen=True, slots=True)
class CommentSpot:
    """A column whose text becomes a comment on the ticket, public or a note."""

    column: str
    is_public: bool
    by: Spot | None
    at: Spot | None


@dataclass(frozen=True, slots=True)
class House:
    """The organization an import belongs to, made on the way when it is not there."""

    name: str
    slug: str
    kind: str
    matrix: Matrix | None
    rows: list[list[int]] | None


@dataclass(frozen=True, slots=True)
class TicketMapping:
    """A validated mapping. `is_history`: a row is an audit entry, not a whole ticket."""

    source: str
    is_history: bool
    missing: frozenset[str]
    date_order: str
    time_zone: str
    encoding: str
    delimiter: str
    records: str
    sheet: str
    house: House | None
    spots: Mapping[str, Spot]
    custom: Mapping[str, tuple[Spot, str]]
    comments: tuple[CommentSpot, ...]
    #: columns that are known when a ticket opens, and those known only later, where their names do not tell
    at_opening: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    def columns(self) -> set[str]:
        """Every column the mapping reads."""
        spots = [*self.spots.values(), *(spot for spot, _ in self.custom.values())]
        for comment in self.comments:
            spots += [Spot((comment.column,)), *(spot for spot in (comment.by, comment.at) if spot)]
        return {column for spot in spots for column in spot.columns}


def _fail(where: str, message: str, **params: object) -> Invalid:
    return Invalid("Mapping: %(where)s: " + message, field="mapping", where=where, **params)


def _plain(value: Any, where: str) -> str:
    """A scalar of the YAML as text: 3 -> "3", true -> "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise _fail(where, "use a text or a number here.")
    return text.clean(str(value))


def _spot(raw: Any, where: str) -> Spot:
    if isinstance(raw, str):
        return Spot((raw,))
    if isinstance(raw, list):
        return Spot(tuple(_plain(part, where) for part in raw), is_path=True)
    if not isinstance(raw, dict):
        raise _fail(where, "name a column, or give column, join, value, values or default.")
    unknown = raw.keys() - {"column", "join", "with", "value", "values", "default"}
    if unknown:
        raise _fail(where, "unknown: %(unknown)s.", unknown=", ".join(sorted(map(str, unknown))))
    if "value" in raw:
        return Spot(default=_plain(raw["value"], where))
    columns = raw.get("join") or ([raw["column"]] if "column" in raw else [])
    if not columns or not isinstance(columns, list):
        raise _fail(where, "name a column.")
    values = raw.get("values") or {}
    if not isinstance(values, dict):
        raise _fail(where, "values is a list of pairs, word: meaning.")
    return Spot(
        columns=tuple(_plain(column, where) for column in columns),
        joined=_plain(raw.get("with", ", "), where),
        values={_plain(key, where).strip().casefold(): _plain(value, where) for key, value in values.items()},
        default=None if raw.get("default") is None else _plain(raw["default"], where),
    )


def _house(raw: Any) -> House | None:
    if raw is None:
        return None
    if not isinstance(raw, dict) or not raw.get("name"):
        raise _fail("organization", "give its name.")
    name = text.line(_plain(raw["name"], "organization"), field="mapping", limit=120)
    rows = raw.get("priority_matrix")
    if rows is not None and not (isinstance(rows, list) and all(isinstance(row, list) for row in rows)):
        raise _fail("organization", "priority_matrix is a list of rows, one per impact.")
    kind = str(raw.get("kind", "business_unit"))
    if kind not in ("business_unit", "customer"):
        raise _fail("organization", "kind is business_unit or customer.")
    return House(
        name=name,
        slug=text.slug(str(raw.get("slug") or name)) or "imported",
        kind=kind,
        matrix=Matrix.parse(rows) if rows is not None else None,
        rows=rows,
    )


def _comments(raw: Any) -> tuple[CommentSpot, ...]:
    found = []
    for part in raw or ():
        if not isinstance(part, dict) or "column" not in part:
            raise _fail("comments", "each needs a column.")
        by, at = part.get("by"), part.get("at")
        found.append(
            CommentSpot(
                column=_plain(part["column"], "comments"),
                is_public=bool(part.get("public", False)),
                by=_spot(by, "comments.by") if by else None,
                at=_spot(at, "comments.at") if at else None,
            )
        )
    return tuple(found)


def _custom(raw: Any) -> dict[str, tuple[Spot, str]]:
    found = {}
    for key, part in (raw or {}).items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise _fail(f"custom.{key}", "use small letters, digits and _.")
        label = part.pop("label", "") if isinstance(part := dict(part) if isinstance(part, dict) else part, dict) else ""
        found[key] = (_spot(part, f"custom.{key}"), str(label or key.replace("_", " ").capitalize())[:80])
    return found


def zone(name: str) -> ZoneInfo:
    """The time zone with this name. Raises Invalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid("%(name)s is not a time zone; use a name such as Europe/Paris.", field="timezone", name=name) from error


def _triage(raw: Any) -> dict[str, tuple[str, ...]]:
    raw = raw or {}
    if not isinstance(raw, dict) or raw.keys() - {"at_opening", "later"}:
        raise _fail("triage", "give at_opening and later, each a list of columns.")
    if not all(isinstance(columns, list) for columns in raw.values()):
        raise _fail("triage", "give at_opening and later, each a list of columns.")
    return {name: tuple(_plain(column, "triage") for column in columns) for name, columns in raw.items()}


def parse_flat(raw: Any) -> TicketMapping:
    """A mapping of which little is needed: columns it names as it likes are fields of its own. Raises Invalid."""
    if not isinstance(raw, dict):
        raise Invalid("The mapping is not a list of names and values.", field="mapping")
    columns = raw.get("columns", {key: value for key, value in raw.items() if key not in _TOP})
    if not isinstance(columns, dict) or not columns:
        raise _fail("columns", "is missing.")
    own = {re.sub(r"[^a-z0-9_]+", "_", str(name).lower()).strip("_") or "field": name for name in columns if name not in FIELDS}
    kept = {key: value for key, value in raw.items() if key in _TOP and key not in ("comments", "organization")}
    known = {name: value for name, value in columns.items() if name in FIELDS}
    known |= {name: {"value": "-"} for name in ("ref", "title", "state", "opened_at") if name not in known}
    custom = {
        **(raw.get("custom") or {}),
        **{key if _KEY.fullmatch(key) else f"x_{key}"[:40]: columns[name] for key, name in own.items()},
    }
    name = raw.get("name") if _NAME.fullmatch(str(raw.get("name") or "")) else "flat"
    found = parse({**kept, "name": name, "source": name, "columns": known, "custom": custom})
    return replace(found, spots={name: spot for name, spot in found.spots.items() if name in columns})


def parse(raw: Any) -> TicketMapping:
    """A mapping from what the YAML holds. Raises Invalid that says which part is wrong."""
    if not isinstance(raw, dict):
        raise Invalid("The mapping is not a list of names and values.", field="mapping")
    unknown = {str(key) for key in raw} - _TOP
    if unknown:
        raise _fail("top", "unknown: %(unknown)s.", unknown=", ".join(sorted(unknown)))
    source = str(raw.get("source") or raw.get("name") or "")
    if not _NAME.fullmatch(source):
        raise _fail("source", "use at most 40 small letters, digits and hyphens.")
    if raw.get("rows", "ticket") not in ("ticket", "entry"):
        raise _fail("rows", "is ticket or entry.")
    order = raw.get("date_order", "ymd")
    if order not in ORDERS:
        raise _fail("date_order", "is dmy, mdy or ymd.")
    columns = raw.get("columns")
    if not isinstance(columns, dict):
        raise _fail("columns", "is missing.")
    unknown = {str(name) for name in columns} - FIELDS
    if unknown:
        raise _fail("columns", "unknown: %(unknown)s.", unknown=", ".join(sorted(unknown)))
    spots = {name: _spot(value, f"columns.{name}") for name, value in columns.items()}
    needed: Iterable[str] = ("ref", "title", "state", "opened_at", *(("at",) if raw.get("rows") == "entry" else ()))
    for name in needed:
        if name not in spots:
            raise _fail(f"columns.{name}", "is needed.")
    time_zone = str(raw.get("timezone") or "")
    if time_zone:
        zone(time_zone)
    delimiter = str(raw.get("delimiter", ","))
    if len(delimiter) != 1:
        raise _fail("delimiter", "is one character.")
    return TicketMapping(
        source=source,
        is_history=raw.get("rows") == "entry",
        missing=frozenset({_plain(mark, "missing") for mark in raw.get("missing") or ()}),
        date_order=order,
        time_zone=time_zone,
        encoding=str(raw.get("encoding", "utf-8-sig")),
        delimiter=delimiter,
        records=str(raw.get("records", "")),
        sheet=str(raw.get("sheet", "")),
        house=_house(raw.get("organization")),
        spots=spots,
        custom=_custom(raw.get("custom")),
        comments=_comments(raw.get("comments")),
        **_triage(raw.get("triage")),
    )
