"""What holds of clocks whatever happens to a ticket, found by trying: against a model that looks at every minute."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from allswell.calendars.rules import Calendar, Hours
from allswell.sla.rules.shapes import ClockState, Solved
from allswell.sla.rules.story import Facts, Noted, story
from allswell.sla.rules.terms import RESUMED_BY_REOPENING, Audience, Metric
from tests.support.tales import Book, Tale, agreed, calendar, instant, target

MINUTE = timedelta(minutes=1)
DAYS = 16
HOURS: list[Hours] = [((540, 1020),), ((480, 720), (780, 1020)), ((0, 1440),), ((1320, 1440),), ((0, 90), (150, 300))]
WEEKS = [("mon", "tue", "wed", "thu", "fri"), ("tue",), ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
#: around changes of the clocks, a leap day, a year's end
STARTS = [("Europe/Zurich", "2026-03-23 00:00"), ("Europe/Zurich", "2026-10-19 00:00"), ("Australia/Lord_Howe", "2026-09-30 00:00"),
          ("America/Sao_Paulo", "2018-10-31 00:00"), ("UTC", "2028-02-25 00:00"), ("America/New_York", "2026-12-24 00:00")]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A tale, what it is promised, and which minutes ran, as the model was told while the tale was made."""

    tale: Tale
    book: Book
    calendar: Calendar
    budget: int
    states: list[tuple[datetime, str]]  # since when: running, paused, stopped
    end: datetime
    since: str


def _choices(state: str) -> list[str]:
    match state:
        case "resolved":
            return ["reopened", "noted"]
        case "waiting":
            return ["goes_on", "resolved", "rated", "answered"]
        case _:
            return ["waits", "waits_elsewhere", "resolved", "rated", "answered", "handed", "taken"]


def _act(tale: Tale, act: str, at: datetime, turn: int) -> None:
    match act:
        case "waits_elsewhere":
            tale.waits(at, on="supplier")
        case "rated":
            tale.rated(at, 1 + turn % 5)
        case "handed":
            tale.handed(at, 1 + turn % 3)
        case _:
            getattr(tale, act)(at)


def _passage(tale: Tale) -> str:
    if tale.facts.state == "resolved":
        return "stopped"
    return "paused" if tale.facts.state == "waiting" and tale.facts.waiting_on == "requester" else "running"


GAPS = st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 60)), max_size=9)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Whatever can happen to a ticket, by the minute."""
    zone, since = draw(st.sampled_from(STARTS))
    office = calendar(draw(st.sampled_from(HOURS)), *draw(st.sampled_from(WEEKS)), zone=zone)
    budget = draw(st.one_of(st.integers(1, 600), st.integers(1, 6000)))
    book = agreed(target("resolution", f"{budget} min", pauses=["requester"]), zone=zone, calendars={"office": office})
    at = instant(since, zone) + draw(st.integers(0, 3000)) * MINUTE
    tale = Tale(at, zone=zone)
    states = [(at, "running")]
    for gap, turn in draw(GAPS):
        at += gap * MINUTE
        options = _choices(tale.facts.state)
        _act(tale, options[turn % len(options)], at, turn)
        if _passage(tale) != states[-1][1]:
            states.append((at, _passage(tale)))
    return Case(tale, book, office, budget, states, at, since)


@cache
def _shown_minutes(zone: str, since: str) -> list[tuple[date, int]]:
    """For each minute from a day before, the day and minute of it by the latest the clock of the place has shown yet."""
    place, shown, found = ZoneInfo(zone), datetime.min, []
    minute = instant(since, zone) - timedelta(days=1)
    for _ in range(45 * 1440):
        shown = max(shown, minute.astimezone(place).replace(tzinfo=None))
        found.append((shown.date(), shown.hour * 60 + shown.minute))
        minute += MINUTE
    return found


def _open_minutes(case: Case, since: datetime, until: datetime) -> list[bool]:
    """For each minute whether it is open."""
    shown = _shown_minutes(case.calendar.zone, case.since)
    first = (since - instant(case.since, case.calendar.zone)) // MINUTE + 1440
    hours = {day: case.calendar.hours_on(day) for day in {day for day, _ in shown}}
    wanted = shown[first : first + (until - since) // MINUTE]
    return [any(begin <= minute < end for begin, end in hours[day]) for day, minute in wanted]


def _slowly(case: Case) -> tuple[int, datetime | None]:
    """Working minutes until the end, and the due instant: minute by minute."""
    begin = case.states[0][0]
    horizon = case.end + timedelta(days=DAYS)
    minutes = _open_minutes(case, begin, horizon)
    spent = worked = 0
    due = None
    place = 0
    for offset, is_open in enumerate(minutes):
        at = begin + offset * MINUTE
        while place + 1 < len(case.states) and case.states[place + 1][0] <= at:
            place += 1
        passage = case.states[place][1]
        runs_on = passage == "stopped" and place == len(case.states) - 1  # after it stopped: as though it had run on
        if is_open and (passage == "running" or runs_on):
            spent += 1
            worked += int(passage == "running" and at < case.end)
            if spent == case.budget:
                due = at + MINUTE
    return worked, due


@given(cases())
@settings(max_examples=60)
def test_due_is_where_the_budget_is_used_up(case: Case) -> None:
    clock = case.tale.clock(case.book, now=case.end)
    worked, due = _slowly(case)
    assert clock.working == worked * MINUTE
    if clock.due_at is not None and clock.due_at > case.end + timedelta(days=DAYS):
        assert due is None
    else:
        assert clock.due_at == due
    assert (clock.breached_at is not None) == (due is not None and due < (clock.stopped_at or case.end))


@given(cases(), st.data())
@settings(max_examples=60)
def test_a_pause_outside_hours_costs_nothing(case: Case, data: st.DataObject) -> None:
    closed = [at for at, is_open in _first_days(case) if not is_open]
    assume(closed)
    start = data.draw(st.sampled_from(closed))
    end = start
    while end in set(closed):
        end += MINUTE
    plain = Tale(case.states[0][0], zone=case.tale.zone)
    paused = Tale(case.states[0][0], zone=case.tale.zone).waits(start).goes_on(end)
    assert paused.due(case.book) == plain.due(case.book)
    assert (
        paused.clock(case.book, now=case.end + MINUTE).working == plain.clock(case.book, now=max(end, case.end + MINUTE)).working
        or end > case.end
    )


def _first_days(case: Case) -> list[tuple[datetime, bool]]:
    begin = case.states[0][0]
    found = _open_minutes(case, begin, begin + timedelta(days=3))
    return [(begin + (offset * MINUTE), is_open) for offset, is_open in enumerate(found)]


@given(cases(), st.integers(0, 4000), st.integers(1, 4000))
def test_more_waiting_is_never_due_earlier(case: Case, after: int, length: int) -> None:
    begin = case.states[0][0]
    start, end = begin + after * MINUTE, begin + (after + length) * MINUTE
    plain = Tale(begin, zone=case.tale.zone).clock(case.book)
    waited = Tale(begin, zone=case.tale.zone).waits(start).goes_on(end).clock(case.book)
    assert plain.due_at is not None
    assert waited.due_at is not None
    assert waited.due_at >= plain.due_at
    assert waited.due_at == plain.due_at or start < plain.due_at


ALL = agreed(
    target("acknowledgement", "30 min"),
    target("first_response", "2 h", pauses=["requester"]),
    target("first_response", "10 min", priorities=[1]),
    target("next_update", "4 h", priorities=[1, 2, 3]),
    target("restoration", "4 h", pauses=["requester"]),
    target("resolution", "3 working days", pauses=["requester"], cutoff="16:00", opening="09:00"),
    target("resolution", "2 h", priorities=[1], warn={"share": 0.5}),
    target("resolution", "5 calendar days", priorities=[5], pauses=["supplier", "requester"]),
).agree(target("team_time", "3 h", pauses=["requester"]), audience=Audience.INTERNAL)


def _by_key(clocks: list[Solved]) -> dict[object, Solved]:
    return {clock.key: clock for clock in clocks}


@given(cases())
def test_solving_twice_is_the_same(case: Case) -> None:
    assert case.tale.clocks(ALL, now=case.end) == case.tale.clocks(ALL, now=case.end)


@given(cases())
def test_what_has_ended_never_changes_when_more_happens(case: Case) -> None:
    """Each beginning of the journal gives the clocks that ended by then as they stay, but for those a reopening resumes."""
    entries = list(case.tale.entries)
    whole = _by_key(case.tale.clocks(ALL, now=case.end))
    for count in range(1, len(entries)):
        case.tale.entries[:] = entries[:count]
        later = {entry.verb for entry in entries[count:]}
        for clock in case.tale.clocks(ALL):
            if not clock.is_open and not ("ticket.reopened" in later and clock.key.metric in RESUMED_BY_REOPENING):
                assert whole[clock.key] == clock
    case.tale.entries[:] = entries


@given(cases())
def test_every_clock_that_ever_was_is_there_afterwards(case: Case) -> None:
    entries = list(case.tale.entries)
    whole = _by_key(case.tale.clocks(ALL, now=case.end))
    for count in range(1, len(entries)):
        case.tale.entries[:] = entries[:count]
        assert whole.keys() >= _by_key(case.tale.clocks(ALL)).keys()
    case.tale.entries[:] = entries


@given(cases(), st.integers(0, 8), st.integers(1, 5))
def test_another_priority_and_back_restores(case: Case, after: int, other: int) -> None:
    """At one instant, so that nothing completes in between."""
    plain = case.tale.clocks(ALL, now=case.end)
    place = 1 + after % len(case.tale.entries)
    was = case.tale.entries[place - 1]
    priority = _priority_after(case.tale.entries[:place], case.tale)
    assume(priority != other)
    twice = [
        replace(was, id=900, verb="ticket.priority_set", data={"from": priority, "to": other}, action=None),
        replace(was, id=901, verb="ticket.priority_set", data={"from": other, "to": priority}, action=None),
    ]
    again = _renumbered(case.tale, case.tale.entries[:place] + twice + case.tale.entries[place:]).clocks(ALL, now=case.end)
    assert _told(again) == _told(plain)


def _told(clocks: list[Solved]) -> list[tuple[object, ...]]:
    """What matters of clocks; updates are left out: priorities 4 and 5 are promised none, so that those begin once more."""
    return [
        (clock.key, clock.state, clock.due_at, clock.working, clock.breached_at, clock.is_rerated)
        for clock in clocks
        if clock.key.metric is not Metric.NEXT_UPDATE
    ]


def _priority_after(entries: list[Noted], tale: Tale) -> int:
    return story(entries, now=tale.facts, requester=7)[-1].facts.priority


def _renumbered(tale: Tale, entries: list[Noted]) -> Tale:
    other = Tale(tale.opened_at, zone=tale.zone)
    other.entries = [replace(entry, id=place + 1) for place, entry in enumerate(entries)]
    other.facts = tale.facts
    return other


@given(cases(), st.integers(0, 3000), st.sampled_from(["waits", "resolved", "answered", "taken"]))
def test_what_was_undone_never_happened(case: Case, gap: int, act: str) -> None:
    assume(case.tale.facts.state in ("new", "in_progress"))
    now = case.end + (gap + 2) * MINUTE
    plain, facts = case.tale.clocks(ALL, now=now), case.tale.facts
    getattr(case.tale, act)(case.end + gap * MINUTE)
    case.tale.undone(case.end + (gap + 1) * MINUTE, state=facts.state)
    assert case.tale.clocks(ALL, now=now) == plain


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_history_was_written_down_does_not_matter(case: Case, chance: random.Random) -> None:
    """Rows of another desk show the whole ticket; in any order, with any keys, they tell the same."""
    rows = _as_history(case.tale)
    plain = story(rows, now=case.tale.facts, requester=7, opened_at=case.tale.opened_at)
    keys = [row.id for row in rows]
    chance.shuffle(keys)
    mixed = [replace(row, id=key) for row, key in zip(rows, keys, strict=True)]
    chance.shuffle(mixed)
    told = story(mixed, now=case.tale.facts, requester=7, opened_at=case.tale.opened_at)
    assert [(step.at, step.facts) for step in told] == [(step.at, step.facts) for step in plain]


def _as_history(tale: Tale) -> list[Noted]:
    """The same, as it would have come in from another desk later, one row an act."""
    entries = {entry.id: entry for entry in tale.entries}
    late = tale.entries[-1].happened_at + timedelta(days=400)
    return [
        replace(entries[step.entry], recorded_at=late, data={"shown": _shown(step.facts)})
        for step in story(tale.entries, now=tale.facts, requester=7)
    ]


def _shown(facts: Facts) -> list[object]:
    return [facts.kind, facts.state, facts.waiting_on, facts.priority, facts.service, facts.organization, facts.team]


@given(cases())
def test_history_brought_in_tells_what_the_desk_would_have(case: Case) -> None:
    live = story(case.tale.entries, now=case.tale.facts, requester=7)
    told = story(_as_history(case.tale), now=case.tale.facts, requester=7)
    assert [(step.at, replace(step.facts, restored_at=None)) for step in told] == [
        (step.at, replace(step.facts, restored_at=None)) for step in live
    ]


@given(cases())
def test_a_clock_is_whole(case: Case) -> None:
    """Segments follow one another without a hole, and every figure fits the others."""
    for clock in case.tale.clocks(ALL, now=case.end):
        assert clock.wall >= clock.working or clock.target.within.counting != "working"
        for before, after in zip(clock.segments, clock.segments[1:], strict=False):
            assert before.ends_at == after.starts_at
            assert before.passage != after.passage or before.why != after.why
        if clock.segments:
            assert clock.segments[0].starts_at == clock.started_at
            assert clock.segments[-1].ends_at == clock.stopped_at
        assert (clock.stopped_at is None) == clock.is_open
        assert clock.breached_at is None or clock.breached_at == clock.due_at
        assert not clock.is_rerated or clock.breached_at is not None
        assert (clock.state is ClockState.PAUSED) == (clock.is_open and clock.segments[-1].passage == "paused")
        if clock.warn_at is not None and clock.due_at is not None:
            assert clock.started_at <= clock.warn_at <= clock.due_at
