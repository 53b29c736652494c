"""Whether a program wrote what comes again and again, though nothing in it says so: told by when it came. Pure.

People say the same more than once, too: four times a week that their account is locked. But they do not do it by the clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

#: what was said more than this often within so long is looked at
WITHIN, SAME = timedelta(days=7), 3
#: and is a program's whenever it came if it is said more than this often: so ends a loop that keeps no time
MANY = 30
#: programs are as exact as the servers between them and us let them
_EXACT = timedelta(minutes=1)
#: a program answers within so long: when its mail is fetched next
_ANSWERS_WITHIN = timedelta(hours=1)
#: what is sent by the clock is sent this seldom at least; people who press a button again do so sooner
_SELDOM = timedelta(minutes=10)


def is_by_program(came: Sequence[datetime], told: Sequence[datetime]) -> bool:
    """Whether mails of one sender that say the same came as those of programs do. `came`, the last one just now, and `told`, when
    mails of ours went to that sender, are in their order.

    They are a program's that came each as long after a mail of ours (an answer), or each as long after the other (by the clock).
    """
    if len(came) > MANY:
        return True
    last = came[-SAME - 1 :]
    if len(last) <= SAME:
        return False
    waited = [_after(told, at) for at in last]
    answers = [wait for wait in waited if wait is not None and wait <= _ANSWERS_WITHIN]
    apart = [after - before for before, after in pairwise(last)]
    return (len(answers) == len(last) and _is_exact(answers)) or (min(apart) >= _SELDOM and _is_exact(apart))


def _after(told: Sequence[datetime], at: datetime) -> timedelta | None:
    """How long after the last mail of ours before it."""
    place = bisect_left(told, at)
    if place < len(told) and told[place] == at:
        return timedelta(0)
    return at - told[place - 1] if place else None


def _is_exact(spans: Sequence[timedelta]) -> bool:
    return max(spans) - min(spans) <= _EXACT
