"""A child process that learns when its parent is gone, even by kill -9, and ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable


class Leash:
    """A pipe whose writing end only the parent holds. Made before forking; every child must `hold` it first of all."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._is_held = True

    def hold(self, on_release: Callable[[], None] | None = None, *, patience: float = 20.0) -> None:
        """In a child: when the parent lets go or dies, call `on_release`, end this process gently, after `patience` s by force."""
        os.close(self._write)

        def watch() -> None:
            os.read(self._read, 1)
            if on_release:
                on_release()
            until = time.monotonic() + patience
            while time.monotonic() < until:
                os.kill(os.getpid(), signal.SIGTERM)  # again and again: one that comes between two handlers is lost
                time.sleep(2)
            os._exit(1)

        threading.Thread(target=watch, name="leash", daemon=True).start()

    def release(self) -> None:
        """In the parent: the children end."""
        if self._is_held:
            self._is_held = False
            os.close(self._write)
