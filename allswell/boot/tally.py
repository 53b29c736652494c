"""Counts of requests, shared by the web processes: each writes its own row of one shared page, /metrics adds them up."""

from __future__ import annotations

import mmap

#: upper ends of the buckets of the histogram, in seconds; one more bucket takes the rest
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
_WIDTH = 32  # numbers per row: classes, buckets, sum of seconds, room to grow
_SECONDS = len(CLASSES) + len(BUCKETS) + 1


class Tally:
    """Made before the processes are forked. A row has one writer, so no lock is needed; a reader may be a request late."""

    def __init__(self, rows: int) -> None:
        self._rows = max(rows, 1)
        self._page = mmap.mmap(-1, self._rows * _WIDTH * 8)
        self._numbers = memoryview(self._page).cast("d")

    def count(self, row: int, status: int, seconds: float) -> None:
        """One request was answered."""
        start = (row % self._rows) * _WIDTH
        numbers = self._numbers
        numbers[start + min(max(status // 100, 1), 5) - 1] += 1
        place = next((i for i, end in enumerate(BUCKETS) if seconds <= end), len(BUCKETS))
        numbers[start + len(CLASSES) + place] += 1
        numbers[start + _SECONDS] += seconds

    def _sum(self, place: int) -> float:
        return sum(self._numbers[row * _WIDTH + place] for row in range(self._rows))

    def by_class(self) -> dict[str, float]:
        """Requests answered, by class of status."""
        return {name: self._sum(place) for place, name in enumerate(CLASSES)}

    def histogram(self) -> tuple[list[tuple[str, float]], float]:
        """Cumulative buckets as Prometheus wants them ("+Inf" last), and the sum of seconds."""
        total, cumulative = 0.0, []
        for place, end in enumerate((*BUCKETS, None)):
            total += self._sum(len(CLASSES) + place)
            cumulative.append(("+Inf" if end is None else str(end), total))
        return cumulative, self._sum(_SECONDS)


#: the counts of this family of processes; None outside `serve`
shared: Tally | None = None
