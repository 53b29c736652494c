"""When pages are sent, again, together, or by another way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: who has claimed a delivery must have settled it within this, or another engine sends it again with the same key
LEASE = timedelta(seconds=30)
#: how long one sending may take at most; every channel keeps to it
SENDS_WITHIN = timedelta(seconds=10)
#: the pauses before the second try, the third, …; after the last the way has failed
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60))
#: how many messages one contact gets within a time before further ones are told together, and how often they are then
MOST_ALONE, WITHIN, TOGETHER_EVERY = 5, timedelta(minutes=5), timedelta(minutes=1)


def next_try(attempts: int, *, now: datetime, retry_after: timedelta | None = None) -> datetime | None:
    """When a delivery that has been tried `attempts` times is tried again; None: not any more.

    What a carrier asks for is granted up to the longest pause: a page that waits longer is one that did not come.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1]
    return now + max(pause, min(retry_after or pause, PAUSES[-1]))


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery this engine holds under a lease: only with this number may it be settled.

    `destination` is the same for all deliveries that reach one device or mailbox.
    """

    id: int
    lease: int
    key: str
    page: int
    contact: int | None
    channel: str
    destination: str
    attempts: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Sorted:
    """What is done with claims for one destination: sent one by one, sent as one message, or put back until `until`."""

    alone: tuple[Claim, ...]
    together: tuple[Claim, ...] = ()
    later: tuple[Claim, ...] = ()
    until: datetime | None = None


def sort_out(claims: Sequence[Claim], *, sent_at: Iterable[datetime], now: datetime) -> Sorted:
    """Keep a storm from one destination: `sent_at` are the instants of the messages it got lately.

    Up to `MOST_ALONE` within `WITHIN` go one by one; what is more becomes one message, at most one each `TOGETHER_EVERY`.
    """
    # what lies ahead was sent before the clock was set back
    lately = sorted(at for at in sent_at if now - WITHIN < at <= now + TOGETHER_EVERY)
    room = MOST_ALONE - len(lately)
    if len(claims) <= room:
        return Sorted(tuple(claims))
    if room > 0:
        return Sorted(tuple(claims[: room - 1]), together=tuple(claims[room - 1 :]))
    until = lately[-1] + TOGETHER_EVERY if lately else now
    if until > now:
        return Sorted((), later=tuple(claims), until=until)
    return Sorted(tuple(claims)) if len(claims) == 1 else Sorted((), together=tuple(claims))
