"""Writers on SQLite wait their turn on a lock beside the database: fairly, across threads and processes, and always give it back."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ConnectionHandler, OperationalError

from allswell.boot.environment import database


@pytest.fixture
def path(tmp_path: Path, django_db_blocker: Any) -> Iterator[Path]:
    """A database file with one table."""
    path = tmp_path / "turns.sqlite3"
    with closing(sqlite3.connect(path)) as fresh:
        fresh.execute("PRAGMA journal_mode=WAL")
        fresh.execute("CREATE TABLE turn (id INTEGER PRIMARY KEY, who TEXT UNIQUE, n INTEGER)")
        fresh.execute("INSERT INTO turn (who, n) VALUES ('counter', 0)")
        fresh.commit()
    with django_db_blocker.unblock():
        yield path


def opened(path: Path) -> Any:
    """A connection through our back end."""
    told = database(f"sqlite:///{path}", data_dir=path.parent, synchronous="NORMAL")
    return ConnectionHandler({"default": told})["default"]


@contextmanager
def atomic(connection: Any) -> Iterator[None]:
    """transaction.atomic on a connection that is not one of the settings."""
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    else:
        connection.commit()
    finally:
        connection.set_autocommit(True)


def is_free(path: Path) -> bool:
    """Whether nobody holds the turn."""
    file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def add_one(connection: Any) -> None:
    """Read, then write: what fails with SQLite's own waiting."""
    with atomic(connection), connection.cursor() as cursor:
        cursor.execute("SELECT n FROM turn WHERE who = 'counter'")
        (n,) = cursor.fetchone()
        cursor.execute("UPDATE turn SET n = %s WHERE who = 'counter'", [n + 1])


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as found:
        return int(found.execute("SELECT n FROM turn WHERE who = 'counter'").fetchone()[0])


def _adds(path: Path, times: int) -> None:
    connection = opened(path)
    for _ in range(times):
        add_one(connection)
    connection.close()


def test_processes_and_threads_write_one_after_the_other_and_none_is_lost(path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    processes = [spawn.Process(target=_adds, args=(path, 50)) for _ in range(3)]
    threads = [threading.Thread(target=_adds, args=(path, 50)) for _ in range(3)]
    for one in (*processes, *threads):
        one.start()
    for one in (*processes, *threads):
        one.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert count(path) == 300
    assert is_free(path)


def test_the_turn_is_held_from_the_beginning_to_the_commit_and_only_by_writers(path: Path) -> None:
    connection = opened(path)
    with connection.cursor() as cursor:
        cursor.execute("SELECT n FROM turn")
        assert is_free(path), "a reader needs no turn"
    with atomic(connection):
        assert not is_free(path)
    assert is_free(path)
    connection.close()


def test_everybody_who_waits_gets_a_turn(path: Path) -> None:
    order: list[int] = []
    holder = opened(path)

    def wait(number: int) -> None:
        connection = opened(path)
        with atomic(connection):
            order.append(number)
        connection.close()

    threads = []
    with atomic(holder):
        for number in range(5):
            thread = threading.Thread(target=wait, args=(number,))
            thread.start()
            time.sleep(0.05)  # so that they come one after the other
            threads.append(thread)
    for thread in threads:
        thread.join(20)
    assert sorted(order) == list(range(5))
    assert is_free(path)
    holder.close()


def test_an_error_inside_gives_the_turn_back_and_undoes_everything(path: Path) -> None:
    connection = opened(path)
    with pytest.raises(IntegrityError), atomic(connection), connection.cursor() as cursor:  # noqa: PT012
        cursor.execute("UPDATE turn SET n = 99")
        cursor.execute("INSERT INTO turn (who, n) VALUES ('counter', 0)")
    assert is_free(path)
    assert count(path) == 0
    with pytest.raises(KeyboardInterrupt), atomic(connection):
        raise KeyboardInterrupt
    assert is_free(path)
    add_one(connection)
    assert count(path) == 1
    connection.close()


def test_a_connection_closed_in_the_middle_gives_the_turn_back(path: Path) -> None:
    connection = opened(path)
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    assert not is_free(path)
    connection.close()
    assert is_free(path)


def test_a_process_killed_in_the_middle_leaves_the_turn_to_others(path: Path) -> None:
    begun = multiprocessing.get_context("fork").Event()

    def hold() -> None:
        connection = opened(path)
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE turn SET n = 99")
        begun.set()
        time.sleep(60)

    process = multiprocessing.get_context("fork").Process(target=hold)
    process.start()
    assert begun.wait(20)
    assert not is_free(path)
    process.kill()
    process.join(20)
    _adds(path, 1)
    assert count(path) == 1


def test_a_transaction_that_cannot_begin_holds_no_turn(path: Path) -> None:
    connection = opened(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as stranger:  # a tool that knows nothing of our lock
        stranger.execute("BEGIN IMMEDIATE")
        connection.ensure_connection()
        connection.connection.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(OperationalError), atomic(connection):
            pass
        assert is_free(path)
        stranger.execute("ROLLBACK")
    add_one(connection)
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_nested_blocks_are_one_turn_and_an_inner_one_can_fail_alone() -> None:
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    expires = timezone.datetime(2030, 1, 1, tzinfo=timezone.get_default_timezone())
    with transaction.atomic():
        Session.objects.create(session_key="outer", session_data="", expire_date=expires)
        with pytest.raises(IntegrityError), transaction.atomic():  # noqa: PT012
            Session.objects.create(session_key="inner", session_data="", expire_date=expires)
            Session.objects.create(session_key="outer", session_data="", expire_date=expires)
    assert list(Session.objects.values_list("session_key", flat=True)) == ["outer"]
