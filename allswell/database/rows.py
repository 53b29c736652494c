"""Statements whose text never changes, composed once.

Composing SQL costs Django several times what the database needs to answer (0.2 to 1 ms against 0.03 for a row by key), and creating
a ticket takes fifteen statements. `Prepared` keeps the text of a query, `insert` that of a model's INSERT; values pass the same
fields and converters as always.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
    QuerySet,
    TextField,
)

from .statements import ask, run

M = TypeVar("M", bound=Model)


Plan = list[tuple[int, list[Any], Any]]
_MOST = 2**63 - 1


def _converted(found: list[tuple[Any, ...]], plan: Plan) -> list[tuple[Any, ...]]:
    """Rows as the fields give them back, after the back end's converters."""
    if not plan:
        return found
    converted = []
    for row in found:
        values = list(row)
        for position, functions, column in plan:
            value = values[position]
            for function in functions:
                value = function(value, column, connection)
            values[position] = value
        converted.append(tuple(values))
    return converted


def _plan(compiler: Any) -> Plan:
    columns = [column for column, _, _ in compiler.select]
    converters = compiler.get_converters(columns)
    return [(position, list(functions), column) for position, (functions, column) in converters.items()]


class Composed:
    """One `values_list` query with its values, composed now and run as often as wanted. `sql` is "" when nothing can match."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            self.sql, self.values = compiler.as_sql()
        except EmptyResultSet:  # the conditions contradict each other; nobody need ask the database
            self.sql, self.values, self._plan = "", (), []
        else:
            self._plan = _plan(compiler)

    def rows(self) -> list[tuple[Any, ...]]:
        """What the query finds now."""
        if not self.sql:
            return []
        return _converted(ask(self.sql, self.values), self._plan)


_LITERAL = re.compile(r"[A-Za-z0-9_.-]*")


def _with_literals(sql: str, template: list[tuple[int, Any]]) -> tuple[str, list[tuple[int, Any]]]:
    """The statement with the words that are always the same written into it.

    A database plans with what it reads: where a word decides whether a partial index serves, SQLite plans anew each time that
    it is given as a parameter (ten times the work of a read by key), and PostgreSQL passes the index by.
    """
    first, *rest = FORMAT_QMARK_REGEX.split(sql)
    if len(rest) != len(template):
        return sql, template
    made, left = [first], []
    for (place, value), following in zip(template, rest, strict=True):
        if place < 0 and isinstance(value, str) and _LITERAL.fullmatch(value):
            made.append(f"'{value}'")
        else:
            made.append("%s")
            left.append((place, value))
        made.append(following)
    return "".join(made), left


#: what stands for numbers while a query is composed: no other number is like these; the second fits into small columns, too
_MARKS = (7_000_000_000_000_001, 31_001)


class Prepared:
    """A `values_list` query as a function of numbers and texts.

        TITLE = Prepared(lambda number: Ticket.objects.filter(pk=number).values_list("title"))

    The query is composed once for each number of parameters and combination of their types; each parameter may stand anywhere
    a plain value may. Datetimes do not fit (back ends adapt them before).
    """

    def __init__(self, make: Callable[..., QuerySet[Any, Any]]) -> None:
        self._make = make
        self._composed: dict[tuple[str, ...], tuple[str, list[Any], list[Any]]] = {}

    def _compose(self, shape: tuple[str, ...]) -> tuple[str, list[Any], Plan]:
        for number in _MARKS:
            marks: list[Any] = [
                f"mark-{position}-of-a-parameter" if kind == "str" else number + position for position, kind in enumerate(shape)
            ]
            compiler = self._make(*marks).query.get_compiler(DEFAULT_DB_ALIAS)
            try:
                sql, values = compiler.as_sql()
                break
            except EmptyResultSet:  # the conditions contradict each other, or a number does not fit into its column
                continue
        else:
            return "", [], []
        places = [marks.index(value) if value in marks else -1 for value in values]
        if set(range(len(marks))) - set(places):
            raise TypeError("A parameter does not reach the SQL as it is.")
        sql, template = _with_literals(sql, list(zip(places, values, strict=True)))
        return sql, template, _plan(compiler)

    def rows(self, *parameters: int | str) -> list[tuple[Any, ...]]:
        """The rows for these parameters."""
        shape = (connection.vendor, *("str" if isinstance(value, str) else "int" for value in parameters))
        composed = self._composed.get(shape)
        if composed is None:
            composed = self._composed[shape] = self._compose(shape[1:])
        sql, template, plan = composed
        if not sql or not all(map(_is_storable, parameters)):
            return []
        return _converted(ask(sql, [value if place < 0 else parameters[place] for place, value in template]), plan)

    def first(self, *parameters: int | str) -> tuple[Any, ...] | None:
        """The first row, if there is one."""
        found = self.rows(*parameters)
        return found[0] if found else None


def _is_storable(value: int | str) -> bool:
    """Whether a database can hold it at all: no larger number than a key, no NUL, no half of a character."""
    if isinstance(value, int):
        return -_MOST <= value <= _MOST
    return "\x00" not in value and (value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value))


class PreparedModel(Prepared):
    """The same for whole records: `make` gives a plain queryset. `related` names relations of one hop that come along."""

    def __init__(self, model: type[M], make: Callable[..., QuerySet[Any, Any]], *, related: tuple[str, ...] = ()) -> None:
        self._model = model
        self._names = [field.attname for field in model._meta.concrete_fields]
        self._related: list[tuple[Any, type[Model], list[str]]] = []
        paths = list(self._names)
        for name in related:
            relation: Any = model._meta.get_field(name)
            other: type[Model] = relation.related_model
            columns = [field.attname for field in other._meta.concrete_fields]
            self._related.append((relation, other, columns))
            paths += [f"{name}__{column}" for column in columns]
        super().__init__(lambda *marks: make(*marks).values_list(*paths))

    def records(self, *parameters: int | str) -> list[Any]:
        """The records for these parameters."""
        return [self._record(row) for row in self.rows(*parameters)]

    def _record(self, row: tuple[Any, ...]) -> Any:
        at = len(self._names)
        record = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[:at])
        for relation, other, columns in self._related:
            values = row[at : at + len(columns)]
            at += len(columns)
            key = values[columns.index(str(other._meta.pk.attname))]
            relation.set_cached_value(record, None if key is None else other.from_db(DEFAULT_DB_ALIAS, columns, values))
        return record

    def record(self, *parameters: int | str) -> Any | None:
        """The first record, if there is one."""
        found = self.records(*parameters)
        return found[0] if found else None


#: values a driver takes as they are; looking at the type first spares the field's own preparation, ten times as long
_PLAIN = frozenset({int, str, bool, type(None)})
_PLAIN_FIELDS = (BooleanField, CharField, ForeignKey, IntegerField, TextField)


#: how the values of a column reach the driver: whether plain ones go as they are, and what all others go through
Way = tuple[bool, Callable[[Any], Any]]


def _way(field: Any) -> Way:
    def prepare(value: Any) -> Any:
        return field.get_db_prep_save(value, connection)

    if isinstance(field, _PLAIN_FIELDS):
        return True, prepare
    is_sqlite = connection.vendor == "sqlite"
    if isinstance(field, DateTimeField) and connection.timezone is UTC:

        def instant(value: Any) -> Any:
            if type(value) is datetime and value.tzinfo is UTC:
                return value.isoformat(" ")[:-6] if is_sqlite else value
            return prepare(value)

        return False, instant
    if is_sqlite and type(field) is JSONField and field.encoder is None:
        return False, lambda value: prepare(value) if hasattr(value, "as_sql") else json.dumps(value)
    return False, prepare


@dataclass(frozen=True, slots=True)
class _Insert:
    """How rows of a model are written on a kind of database: "INSERT ... VALUES ", "(%s, ...)", `one` row in all its words."""

    head: str
    places: str
    one: str
    ways: list[Way]
    values_of: Callable[[Any], tuple[Any, ...]]
    columns_of: Callable[[Any], tuple[Any, ...]]
    defaults: dict[str, Any]

    def saved(self, values: Iterable[Any]) -> list[Any]:
        """Values of all columns as the driver takes them."""
        return [
            value if value is None or (is_plain and type(value) in _PLAIN) else prepare(value)
            for (is_plain, prepare), value in zip(self.ways, values, strict=True)
        ]


_INSERTS: dict[tuple[str, type[Model], bool], _Insert] = {}


def _insert_of(model: type[Model], *, with_key: bool) -> _Insert:
    vendor = connection.vendor
    known = _INSERTS.get((vendor, model, with_key))
    if known is None:
        quote = connection.ops.quote_name
        fields: list[Any] = [
            field for field in model._meta.local_concrete_fields if with_key or field is not model._meta.auto_field
        ]
        if any(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False) for field in fields):
            raise TypeError(f"{model.__name__} has instants that set themselves; the caller gives them here.")
        columns = ", ".join(quote(str(field.column)) for field in fields)
        assert model._meta.pk is not None
        head = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES "  # noqa: S608 - names of our own tables
        places = "(" + ", ".join(["%s"] * len(fields)) + ")"
        names = [str(field.attname) for field in fields]
        known = _INSERTS[vendor, model, with_key] = _Insert(
            head=head,
            places=places,
            one=head + places + ("" if with_key else f" RETURNING {quote(str(model._meta.pk.column))}"),
            ways=[_way(field) for field in fields],
            values_of=_all_of(attrgetter, names),
            columns_of=_all_of(itemgetter, names),
            defaults={field.attname: field.get_default() for field in fields},
        )
    return known


def _all_of(getter: Any, names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that takes these out of something, as a tuple also when there is only one."""
    take = getter(*names)
    return take if len(names) > 1 else lambda row: (take(row),)


def insert(row: Model) -> None:
    """Write a new record; the same as `row.save(force_insert=True)` without signals and defaults of the database."""
    model = type(row)
    with_key = model._meta.auto_field is None or row.pk is not None
    how = _insert_of(model, with_key=with_key)
    values = how.saved(how.values_of(row))
    if with_key:
        run(how.one, values)
    else:
        row.pk = ask(how.one, values)[0][0]
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def update_one(model: type[Model], pk: int, values: dict[str, Any], *, guard: dict[str, Any]) -> bool:
    """Update columns of one record where those in `guard` still hold what is said there; False when they do not."""
    quote = connection.ops.quote_name
    meta: Any = model._meta
    ways = {name: meta.get_field(name) for name in (*values, *guard)}

    def saved(given: dict[str, Any]) -> list[Any]:
        return [ways[name].get_db_prep_save(value, connection) for name, value in given.items()]

    sets = ", ".join(f"{quote(ways[name].column)} = %s" for name in values)
    held = " AND ".join(
        f"{quote(ways[name].column)} " + ("IS NULL" if value is None else "= %s") for name, value in guard.items()
    )
    key = quote(meta.pk.column)
    told = [value for value in saved(guard) if value is not None]
    return bool(
        ask(
            f"UPDATE {quote(meta.db_table)} SET {sets} WHERE {key} = %s AND {held} RETURNING {key}",  # noqa: S608 - own names
            [*saved(values), pk, *told],
        )
    )


def insert_all(rows: Iterable[Model]) -> None:
    """Write new records of one model, without learning their keys, in statements of at most 500 values."""
    waiting: Sequence[Model] = list(rows)
    if waiting:
        how = _insert_of(type(waiting[0]), with_key=False)
        _write(how, [how.saved(how.values_of(row)) for row in waiting])


def insert_columns(model: type[Model], rows: Iterable[dict[str, Any]]) -> None:
    """The same for rows that are dicts of columns ("team_id"); what one leaves out has the default of its field."""
    how = _insert_of(model, with_key=False)
    whole = [{**how.defaults, **row} for row in rows]
    if any(len(row) != len(how.ways) for row in whole):
        raise TypeError(f"{model.__name__} has no such column.")
    _write(how, [how.saved(how.columns_of(row)) for row in whole])


def _write(how: _Insert, lines: Sequence[list[Any]]) -> None:
    many = max(1, 500 // len(how.ways))
    for start in range(0, len(lines), many):
        now = lines[start : start + many]
        run(how.head + ", ".join([how.places] * len(now)), [value for line in now for value in line])
