"""Instants come from PostgreSQL as they went in."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection

from allswell.boot.postgresql.base import InstantLoader

TEXTS = [
    ("2026-11-23 09:00:00+00", datetime(2026, 11, 23, 9, tzinfo=UTC)),
    ("2026-11-23 09:00:00.1+00", datetime(2026, 11, 23, 9, 0, 0, 100_000, tzinfo=UTC)),
    ("2026-11-23 09:00:00.000001+00", datetime(2026, 11, 23, 9, 0, 0, 1, tzinfo=UTC)),
    ("2026-11-23 09:00:00.12+05:30", datetime(2026, 11, 23, 3, 30, 0, 120_000, tzinfo=UTC)),
    ("1891-03-15 00:00:00+00:09:21", datetime(1891, 3, 14, 23, 50, 39, tzinfo=UTC)),
    ("0001-01-01 00:00:00+00", datetime(1, 1, 1, tzinfo=UTC)),
    ("9999-12-31 23:59:59.999999+00", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "instant"), TEXTS)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_the_text_says_the_instant(text: str, instant: datetime, kind: type) -> None:
    read = InstantLoader(1184).load(kind(text.encode()))
    assert (read, read.tzinfo) == (instant, UTC)


@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_what_python_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(psycopg.DataError):
        InstantLoader(1184).load(text.encode())


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL keeps instants with a zone")
@pytest.mark.django_db
def test_the_desk_reads_so() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT '2026-11-23 10:00:00.5+01'::timestamptz")
        [(read,)] = cursor.fetchall()
        assert (read, read.tzinfo) == (datetime(2026, 11, 23, 9, 0, 0, 500_000, tzinfo=UTC), UTC)
        assert isinstance(connection.connection.adapters.get_loader(1184, psycopg.pq.Format.TEXT), type)
        assert connection.connection.adapters.get_loader(1184, psycopg.pq.Format.TEXT) is InstantLoader
