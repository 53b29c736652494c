"""What was met or missed stays so, whatever is agreed later. Pure.

A clock that was completed under an agreement that no longer applies (out of use, another version, for others now) stands as it was
written; what is agreed now applies to the clocks that are still open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .shapes import Book, Key, Solved
from .story import Facts, Step
from .terms import RESUMED_BY_REOPENING, Metric

_REPEATED = frozenset({Metric.NEXT_UPDATE, Metric.TEAM_TIME})


@dataclass(frozen=True, slots=True)
class Completed:
    """A clock that was completed, as it is written: under which version of its agreement, and when it stopped."""

    key: Key
    version: int
    stopped_at: datetime


def standing(completed: Iterable[Completed], found: Sequence[Solved], steps: Sequence[Step], book: Book) -> list[Completed]:
    """Those that stand as they are, because what they were completed under applies to no step of the ticket any more."""
    applied = {(one.key.agreement, one.version) for one in found}
    doubtful = [one for one in completed if (one.key.agreement, one.version) not in applied]
    if doubtful and steps:  # what was agreed may apply, and only the step that ended the clock was taken back
        for facts in {step.facts for step in steps}:
            for chosen in (book.customer(facts, steps[0].at), book.internal(facts, steps[0].at)):
                if chosen is not None:
                    applied.add((chosen.agreement, chosen.version))
    return [one for one in doubtful if (one.key.agreement, one.version) not in applied]


def beside(stands: Sequence[Completed], found: Sequence[Solved], facts: Facts) -> list[Solved]:
    """Of the solved clocks those that count beside the ones that stand: not again what was kept or missed already."""
    return [one for one in found if _counts(one, [was for was in stands if was.key.metric is one.key.metric], facts)]


def _counts(one: Solved, before: Sequence[Completed], facts: Facts) -> bool:
    if not before or (one.key.metric in _REPEATED and one.is_open):
        return True
    if one.is_open:
        is_reopened = not facts.is_done and facts.restored_at is None
        return is_reopened and one.key.metric in RESUMED_BY_REOPENING
    return one.key.metric in _REPEATED and all(one.stopped_at != was.stopped_at for was in before)
