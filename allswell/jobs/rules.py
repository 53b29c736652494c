"""When an engine counts as alive, and how long a job is held. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

#: how often a node writes its heartbeats, at most
BEAT_EVERY = timedelta(seconds=5)
#: a module whose last beat is older is not running
SILENT_AFTER = timedelta(seconds=60)
#: rows of nodes that are gone are forgotten after this
FORGOTTEN_AFTER = timedelta(days=1)
#: a batch must be done within this, or another engine takes the job over
LEASE = timedelta(seconds=60)
#: reasons kept per job; the rest is counted
PROBLEMS_KEPT = 500


def is_alive(beat_at: datetime, *, now: datetime) -> bool:
    """Whether a module that last beat at `beat_at` is running."""
    return now - beat_at <= SILENT_AFTER
