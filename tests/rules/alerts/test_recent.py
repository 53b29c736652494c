"""How much a source told lately, by the minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from allswell.intake.rules.recent import counted, last_hour

NOW = datetime(2026, 11, 23, 3, 0, 30, tzinfo=UTC)


def test_reports_are_counted_in_their_minute_and_forgotten_after_an_hour() -> None:
    recent = counted({}, 5, at=NOW)
    recent = counted(recent, 2, at=NOW + timedelta(seconds=20))
    recent = counted(recent, 1, at=NOW + timedelta(minutes=1))
    assert last_hour(recent, now=NOW + timedelta(minutes=1))[-2:] == [7, 1]
    assert sum(last_hour(recent, now=NOW + timedelta(minutes=60))) == 1
    assert sum(last_hour(recent, now=NOW + timedelta(hours=5))) == 0
    assert len(counted(recent, 1, at=NOW + timedelta(hours=2))) == 1


def test_an_hour_has_sixty_minutes_whatever_was_counted() -> None:
    recent: dict[str, int] = {}
    for minute in range(200):
        recent = counted(recent, 3, at=NOW + timedelta(minutes=minute))
    assert len(recent) == 60
    assert last_hour(recent, now=NOW + timedelta(minutes=199)) == [3] * 60
