"""How often something may be asked for, counted in memory by each process for itself."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rate:
    """So many per minute for each key: a bucket that refills steadily. Keys not seen for a while are forgotten."""

    def __init__(self, keys: int = 10_000) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._keys = keys
        self._lock = threading.Lock()

    def take(self, key: str, *, per_minute: int, at: float) -> tuple[int, int]:
        """Take one, `at` by a clock that only goes on. Returns what is left (-1: nothing was), and the seconds until the bucket
        is full."""
        refill = per_minute / 60
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = _Bucket(per_minute, at)
                if len(self._buckets) > self._keys:
                    self._buckets.popitem(last=False)
            else:
                self._buckets.move_to_end(key)
            bucket.left = min(per_minute, bucket.left + (at - bucket.at) * refill)
            bucket.at = at
            if bucket.left < 1:
                return -1, max(1, math.ceil((1 - bucket.left) / refill))
            bucket.left -= 1
            return int(bucket.left), math.ceil((per_minute - bucket.left) / refill)
