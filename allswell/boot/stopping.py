"""Being asked to stop by a signal."""

from __future__ import annotations

import contextlib
import os
import signal
import threading


def stop_on(*numbers: int) -> threading.Event:
    """An event that any of these signals sets, from now on; to be called in the main thread.

    The handlers only write to a pipe, and a thread sets the event. A handler that sets it interrupts whatever the main thread does, itself
    included when two signals come at once, and would wait for ever for the lock of the event that the interrupted code holds.
    """
    stop = threading.Event()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def wait() -> None:
        os.read(reading, 1)
        stop.set()

    def ask(*_: object) -> None:
        if not stop.is_set():
            with contextlib.suppress(BlockingIOError):  # it has been asked often enough
                os.write(writing, b".")

    threading.Thread(target=wait, name="stop", daemon=True).start()
    for number in numbers:
        signal.signal(number, ask)
    return stop
