"""Copies of the database: a file made while everything runs, and the way back."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from allswell.kernel.errors import CannotStart

_PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin", "usr/local/pgsql/bin")
#: tables whose content is not counted: it changes while nobody works
_RESTLESS = {"django_session", "jobs_heartbeat", "jobs_vigil", "jobs_watcher", "sqlite_sequence"}
_SHADOW = re.compile(r".*_(data|idx|content|docsize|config)")
_MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY id"
_ATTACHMENTS = "SELECT stored_as, size, sha256 FROM tickets_attachment"


class Copy:
    """What a copy of the database holds: rows by table, migrations applied, attachments (stored_as, size, sha256)."""

    def __init__(self, execute: Any, tables: list[str]) -> None:
        self.counts = {table: int(execute(f'SELECT count(*) FROM "{table}"')[0][0]) for table in tables}  # noqa: S608
        self.migrations = [f"{app}.{name}" for app, name in execute(_MIGRATIONS)]
        has_attachments = "tickets_attachment" in self.counts
        self.attachments: list[tuple[str, int, str]] = execute(_ATTACHMENTS) if has_attachments else []


# SQLite


def dump_sqlite(target: Path) -> None:
    """A consistent copy, compacted, without holding up writers."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(target)])
    target.chmod(0o600)


def look_into_sqlite(path: Path) -> Copy:
    """What a database file holds. Raises CannotStart when it is damaged."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as found:
            said = found.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if said != "ok":
                raise CannotStart(f"The database is damaged: {said}")
            if broken := found.execute("PRAGMA foreign_key_check").fetchone():
                raise CannotStart(f"The database is damaged: a row of {broken[0]} points nowhere.")
            rows = found.execute("SELECT name, coalesce(sql, '') FROM sqlite_master WHERE type = 'table'").fetchall()
            virtual = {name for name, made in rows if "VIRTUAL TABLE" in made.upper()}
            shadows = {name for name, _ in rows if any(name.startswith(f"{of}_") for of in virtual) and _SHADOW.fullmatch(name)}
            tables = sorted({name for name, _ in rows} - virtual - shadows - _RESTLESS)
            return Copy(lambda statement: found.execute(statement).fetchall(), tables)
    except sqlite3.DatabaseError as error:
        raise CannotStart(f"The database is damaged: {error}") from error


# PostgreSQL


def program(name: str) -> str:
    """pg_dump or pg_restore, the newest found in versioned folders, else on PATH. Raises CannotStart."""

    def version(path: Path) -> int:
        return int("".join(re.findall(r"\d+", str(path.parent.parent)))[-4:] or 0)

    found = sorted((path for place in _PLACES for path in Path("/").glob(f"{place}/{name}")), key=version)
    if found:
        return str(found[-1])
    if on_path := shutil.which(name):
        return on_path
    raise CannotStart(f"{name} is not installed. Install PostgreSQL's client programs (apt install postgresql-client).")


def _environment(name: str | None = None) -> dict[str, str]:
    """How PostgreSQL's programs reach the database; the password travels in the environment, where only we can read it."""
    told = settings.DATABASES["default"]
    given = {"PGDATABASE": name or told["NAME"], "PGUSER": told["USER"], "PGPASSWORD": told["PASSWORD"]}
    given |= {"PGHOST": told["HOST"], "PGPORT": told["PORT"]}
    options = {f"PG{key.upper()}": str(value) for key, value in told["OPTIONS"].items() if key.startswith("ssl")}
    return {**os.environ, **{key: str(value) for key, value in given.items() if value}, **options}


def _run(command: list[str], name: str | None = None) -> None:
    done = subprocess.run(command, env=_environment(name), capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise CannotStart(f"{Path(command[0]).name} failed: {lines[-1]}")


def _connected(name: str | None = None) -> psycopg.Connection[Any]:
    environment = _environment(name)
    keys = {"dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD", "host": "PGHOST", "port": "PGPORT"}
    given: dict[str, Any] = {key: environment[value] for key, value in keys.items() if value in environment}
    return psycopg.connect(**given, autocommit=True)


def _tables(cursor: Any) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
    return [name for (name,) in cursor.fetchall() if name not in _RESTLESS]


def _copy(cursor: Any) -> Copy:
    def execute(statement: str) -> list[Any]:
        cursor.execute(statement)
        return list(cursor.fetchall())

    return Copy(execute, _tables(cursor))


def dump_postgresql(target: Path) -> Copy:
    """A consistent copy, and what it holds, both seen from one snapshot."""
    with _connected() as session, session.transaction(), session.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        row = cursor.fetchone()
        assert row is not None
        command = [program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={row[0]}"]
        _run([*command, f"--file={target}"])
        target.chmod(0o600)
        return _copy(cursor)


@contextmanager
def scratch_postgresql(dump: Path) -> Iterator[Copy]:
    """The dump restored into a database of its own, which is dropped afterwards."""
    name = f"allswell_verify_{secrets.token_hex(6)}"
    with _connected() as session:
        try:
            session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise CannotStart(f"No scratch database can be made: {str(error).splitlines()[0]}") from error
        try:
            _load(dump, name)
            with _connected(name) as scratch, scratch.cursor() as cursor:
                yield _copy(cursor)
        finally:
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _load(dump: Path, name: str | None = None) -> None:
    command = [program("pg_restore"), "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run([*command, f"--dbname={name or settings.DATABASES['default']['NAME']}", str(dump)], name)


def load_postgresql(dump: Path) -> None:
    """Put the dump in the place of what the database holds."""
    with _connected() as session, session.transaction():
        session.execute("DROP SCHEMA public CASCADE")
        session.execute("CREATE SCHEMA public")
    _load(dump)
