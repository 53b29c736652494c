"""Alerts whose end was lost: messages that name all that fires of a group end what they name no more, in their time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from allswell.intake.parsers.alerts import alertmanager
from allswell.intake.parsers.alerts.shape import REPORTS, Accepted, Action, AlertReport, Request, clean_report
from allswell.intake.rules import standing
from allswell.intake.rules.standing import LEFT_OUT_BY_OTHERS_FOR, LEFT_OUT_FOR, Change, Standing, State

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
_SECONDS = st.integers(1, 20_000)


def _named(*, by: str = "eu") -> AlertReport:
    return clean_report(Action.FIRE, "k", group="g", happened_at=BEGAN, started_at=BEGAN, told_by=by)


def _fires(at: datetime, known: Standing | None = None, *, by: str = "eu") -> Standing:
    found, _ = standing.take(known, _named(by=by), received_at=at)
    assert found is not None
    return found


@given(st.lists(st.tuples(_SECONDS, st.booleans()), max_size=40))
def test_what_is_named_at_least_every_five_minutes_never_ends(told: list[tuple[int, bool]]) -> None:
    at, known, heard = BEGAN, _fires(BEGAN), BEGAN
    for seconds, is_named in told:
        at += timedelta(seconds=seconds)
        if is_named or at >= heard + LEFT_OUT_FOR:
            known, heard = _fires(at, known), at
        else:
            known, change = standing.leave_out(known, by="eu", received_at=at)
            assert change is Change.IGNORED
        assert (known.state, known.left_out_at) == (State.FIRING, None)


@given(st.lists(_SECONDS, min_size=1, max_size=40))
def test_it_ends_with_the_second_message_without_it_and_began_to_be_over_with_the_first(gaps: list[int]) -> None:
    at, known, first = BEGAN, _fires(BEGAN), None
    for seconds in gaps:
        at += timedelta(seconds=seconds)
        known, change = standing.leave_out(known, by="eu", received_at=at)
        if known.state is State.RESOLVED:
            assert change is Change.RESOLVED
            assert first is not None
            assert at >= first + LEFT_OUT_FOR
            assert (known.resolved_at, known.ended_by, known.left_out_at) == (first, "left_out", None)
            return
        first = first or (at if at >= BEGAN + LEFT_OUT_FOR else None)
        assert known.left_out_at == first
    assert first is None or at < first + LEFT_OUT_FOR


@given(_SECONDS, _SECONDS, st.integers(-20_000, 20_000))
def test_the_order_in_which_messages_are_read_again_ends_nothing_newer(first: int, second: int, late: int) -> None:
    heard = BEGAN + timedelta(hours=6)
    known = _fires(heard, _fires(BEGAN))
    for seconds in (first, second, late):  # kept before it was heard of, and read again by hand
        old = min(BEGAN + timedelta(seconds=seconds), heard)
        assert standing.leave_out(known, by="eu", received_at=old) == (known, Change.IGNORED)


@given(_SECONDS)
def test_what_is_named_again_fires_again(seconds: int) -> None:
    known = _fires(BEGAN)
    for minutes in (10, 20):
        known, _ = standing.leave_out(known, by="eu", received_at=BEGAN + timedelta(minutes=minutes))
    assert known.state is State.RESOLVED
    at = known.seen_at + timedelta(seconds=seconds)
    again, change = standing.take(known, _named(), received_at=at)
    assert again is not None
    assert (again.state, change, again.episode, again.left_out_at) == (State.FIRING, Change.FIRED, 2, None)
    assert again.started_at == known.resolved_at


@given(st.integers(0, int(LEFT_OUT_BY_OTHERS_FOR.total_seconds()) - 1))
def test_another_teller_of_the_same_group_ends_nothing_for_a_day(seconds: int) -> None:
    known = _fires(BEGAN)
    assert standing.leave_out(known, by="us", received_at=BEGAN + timedelta(seconds=seconds)) == (known, Change.IGNORED)


def test_the_other_of_two_that_watch_the_same_ends_it_after_a_day() -> None:
    known = _fires(BEGAN)
    for hours in (25, 26):
        known, _ = standing.leave_out(known, by="am2", received_at=BEGAN + timedelta(hours=hours))
    assert (known.state, known.ended_by) == (State.RESOLVED, "left_out")


def test_what_is_over_stays_as_it_is() -> None:
    over = standing.end(_fires(BEGAN), at=BEGAN, received_at=BEGAN, by="sender")
    assert standing.leave_out(over, by="eu", received_at=BEGAN + timedelta(days=2)) == (over, Change.IGNORED)


def _read(**fields: object) -> tuple[AlertReport, ...]:
    one = {"status": "firing", "labels": {"alertname": "Down"}, "startsAt": BEGAN.isoformat(), "fingerprint": "a"}
    body = {"groupKey": "g", "status": "firing", "receiver": "r", "externalURL": "http://am", "truncatedAlerts": 0}
    message = {**body, "alerts": [one, {**one, "fingerprint": "b"}], **fields}
    found = alertmanager.check(Request(body=json.dumps(message).encode()), "nonce", {})
    assert isinstance(found, Accepted)
    return found.reports


def test_only_a_message_that_says_so_names_all_of_its_group() -> None:
    assert [one.lists_group for one in _read()] == [False, True], "said once, by the last"
    for fields in ({"truncatedAlerts": 1}, {"truncatedAlerts": None}, {"truncatedAlerts": False}, {"groupKey": ""}):
        assert not any(one.lists_group for one in _read(**fields)), fields
    many = [{"status": "firing", "labels": {"n": str(n)}} for n in range(REPORTS + 1)]
    assert not any(one.lists_group for one in _read(alerts=many)), "the end of it is not read"


def test_who_tells_is_the_receiver_of_one_alertmanager() -> None:
    tellers = [_read()[0].told_by, _read(receiver="other")[0].told_by, _read(externalURL="http://us")[0].told_by]
    assert len(set(tellers)) == 3
    assert _read()[0].told_by == _read()[1].told_by
    assert replace(_fires(BEGAN), told_by="") == replace(_fires(BEGAN, by="us"), told_by="")
