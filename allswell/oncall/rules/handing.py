"""Handing over a shift: what is handed over, when it is due, when it escalates, when it is too late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: how long before a change of shift the handover is drafted
BEFORE = timedelta(minutes=30)
#: the longest somebody stays on call beside whoever should have taken over; also how late a handover is still drafted
LONGEST = timedelta(hours=4)
#: tickets a section names
MOST_NAMED = 100
#: priorities that must not drop
URGENT = frozenset({1, 2})
#: bounds of the minutes somebody has to take the shift
WITHIN = (5, 240)


class HandoverState(StrEnum):
    """How far a handover has come. Members are never renamed."""

    DRAFTED = "drafted"
    SIGNED = "signed"  # by the outgoing
    ACCEPTED = "accepted"  # by the incoming: the shift is theirs
    ESCALATED = "escalated"  # not accepted in time; it still may be
    LAPSED = "lapsed"  # over without anybody having taken it, or nothing to hand over any more


#: states in which it may still be accepted
OPEN = frozenset({HandoverState.DRAFTED, HandoverState.SIGNED, HandoverState.ESCALATED})


class Section(StrEnum):
    """Why a ticket stands in a handover, the weightiest first."""

    MAJOR = "major"  # open major incidents, priority 1 and 2
    UNANSWERED_PAGE = "unanswered_page"  # somebody is called for it and nobody has answered
    AT_RISK = "at_risk"  # a promise is due before the next shift ends, or passed
    WAITING = "waiting"  # it waits for somebody, and the wait ends before the next shift does
    ASKED = "asked"  # whoever reported it waits for an answer
    ANNOUNCED = "announced"  # it is announced, and news are due
    CAME_IN = "came_in"  # opened during the shift that ends, and still open


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """What of an open ticket decides where it stands."""

    number: int
    priority: int
    is_major: bool
    is_restored: bool
    state: str
    opened_at: datetime
    next_due_at: datetime | None = None
    waiting_until: datetime | None = None
    asked_at: datetime | None = None
    is_announced: bool = False
    is_called_for: bool = False


@dataclass(frozen=True, slots=True)
class Turnover:
    """A change of shift between two people: when, and from when to when their shifts are."""

    rota: int
    level: int
    changes_at: datetime
    outgoing: int
    incoming: int
    begun_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Times:
    """The instants of a handover: when it escalates, and up to when it may be accepted (and the outgoing stays)."""

    due_at: datetime
    lapses_at: datetime


def times(turnover: Turnover, *, within: timedelta, now: datetime) -> Times:
    """For a handover drafted now: whoever hears of it late has as long as those who heard in time."""
    begins = max(turnover.changes_at, now)
    lapses_at = max(begins, min(begins + LONGEST, turnover.until))
    return Times(begins + min(within, (lapses_at - begins) / 2), lapses_at)


def sections_of(ticket: OpenTicket, turnover: Turnover) -> tuple[Section, ...]:
    """Where a ticket stands, the weightiest reason first; nowhere when the next shift need not know of it."""
    is_urgent = ticket.is_major or (ticket.priority in URGENT and not ticket.is_restored)
    reasons = {
        Section.MAJOR: is_urgent,
        Section.UNANSWERED_PAGE: ticket.is_called_for,
        Section.AT_RISK: ticket.next_due_at is not None and ticket.next_due_at < turnover.until,
        Section.WAITING: ticket.waiting_until is not None and ticket.waiting_until < turnover.until,
        Section.ASKED: ticket.asked_at is not None,
        Section.ANNOUNCED: ticket.is_announced,
        Section.CAME_IN: ticket.opened_at >= turnover.begun_at,
    }
    return tuple(section for section in Section if reasons[section])


def drafted(found: Iterable[OpenTicket], turnover: Turnover) -> dict[str, list[int]]:
    """Section -> numbers of tickets, those that are due first before the others; at most so many each."""
    held = list(found)
    last = max((ticket.next_due_at for ticket in held if ticket.next_due_at), default=turnover.until)
    held.sort(key=lambda ticket: (ticket.next_due_at or last + LONGEST, ticket.priority, ticket.number))
    by_section: dict[str, list[int]] = {section.value: [] for section in Section}
    for ticket in held:
        for section in sections_of(ticket, turnover):
            by_section[section.value].append(ticket.number)
    return {section: numbers[:MOST_NAMED] for section, numbers in by_section.items()}


class Due(StrEnum):
    """What is to be done about an open handover that nobody has accepted."""

    REMIND = "remind"  # the shift begins now
    ESCALATE = "escalate"  # the incoming is called
    PASS_ON = "pass_on"  # their lead and the outgoing are
    LAPSE = "lapse"


@dataclass(frozen=True, slots=True)
class Timer:
    """What decides when something is to be done about a handover; `has_passed_on`: the lead and the outgoing were called."""

    state: str
    changes_at: datetime
    drafted_at: datetime
    due_at: datetime
    lapses_at: datetime
    is_reminded: bool
    has_passed_on: bool

    @property
    def passes_on_at(self) -> datetime:
        """When others are called because the incoming, called at `due_at`, has not come: as long after it as that was due."""
        given = self.due_at - max(self.changes_at, self.drafted_at)
        return self.due_at + min(given, (self.lapses_at - self.due_at) / 2)

    @property
    def next_at(self) -> datetime | None:
        """When something is due next; None: never again."""
        if self.state not in OPEN:
            return None
        if self.state == HandoverState.ESCALATED:
            return self.lapses_at if self.has_passed_on else self.passes_on_at
        return self.due_at if self.is_reminded else min(self.changes_at, self.due_at)

    def due(self, now: datetime) -> Due | None:
        """What is due now; the last of what was missed counts, so that nobody is reminded of what is over."""
        if self.state not in OPEN:
            return None
        if now >= self.lapses_at:
            return Due.LAPSE
        if self.state == HandoverState.ESCALATED:
            return Due.PASS_ON if not self.has_passed_on and now >= self.passes_on_at else None
        if now >= self.due_at:
            return Due.ESCALATE
        return Due.REMIND if now >= self.changes_at and not self.is_reminded else None


def listed(kept: Mapping[str, Iterable[int]], visible: Iterable[int]) -> list[tuple[int, tuple[Section, ...]]]:
    """The tickets of a draft that its reader may see, each once with all its reasons, by the weightiest of them."""
    known = set(visible)
    reasons: dict[int, list[Section]] = {}
    for section in Section:
        for number in kept.get(section.value, ()):
            if number in known:
                reasons.setdefault(number, []).append(section)
    return [(number, tuple(found)) for number, found in reasons.items()]
