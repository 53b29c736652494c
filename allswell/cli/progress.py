"""How far long work is: a bar on a terminal, elsewhere a plain line now and then."""

from __future__ import annotations

import sys
from typing import TextIO

from allswell.kernel import clock

WIDTH = 30
EVERY_ON_TERMINAL = 0.1
EVERY_ELSEWHERE = 10.0


class Bar:
    """`with Bar("Copying") as bar: bar(done, total)`. Writes to stderr, so that output stays clean."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._began = self._shown = clock.monotonic()
        self._is_begun = False

    def __enter__(self) -> Bar:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Say how far it is; cheap enough to be called for every record."""
        now = clock.monotonic()
        pause = EVERY_ON_TERMINAL if self._is_terminal else EVERY_ELSEWHERE
        if now - self._shown < pause and done < total:
            return
        if done >= total and not self._is_begun and now - self._began < 1:
            return  # it was over before anybody wondered
        self._shown, self._is_begun = now, True
        share = min(done / total, 1.0) if total else 0.0
        if self._is_terminal:
            full = int(share * WIDTH)
            left = f", {(now - self._began) * (1 - share) / share:.0f} s left" if share > 0.02 else ""
            self._stream.write(f"\r\x1b[K{self._what} [{'=' * full}{' ' * (WIDTH - full)}] {share:4.0%}{left}")
            self._stream.flush()
        else:
            self._stream.write(f"{self._what}: {done} of {total}\n")

    def __exit__(self, *_: object) -> None:
        if self._is_terminal and self._is_begun:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
