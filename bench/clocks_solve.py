"""How many due instants one core solves: python -m bench.clocks_solve

Ten years of a calendar with lunch breaks and holidays, in a zone that changes its clocks; starts and amounts are spread over all of it.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, date, datetime, timedelta

from allswell.calendars.rules import Calendar, Day, Definition, Version, add_days, add_working_time, parse_hours, working_time

SOLVES = 200_000


def made() -> Calendar:
    """Office hours with lunch, 12 holidays a year over ten years, in two versions."""
    hours = parse_hours("08:30-12:00, 13:00-17:30", field="week")
    days = {date(year, month, 7): Day("Holiday") for year in range(2016, 2027) for month in range(1, 13)}
    definition = Definition.checked([hours] * 5 + [(), ()], days)
    return Calendar("Europe/Zurich", (Version(1, date(2016, 1, 1), definition), Version(2, date(2021, 6, 1), definition)))


def main() -> None:
    """Print solves a second, first the drawing up of the tables."""
    chance = random.Random(1)
    first = datetime(2016, 1, 1, tzinfo=UTC)
    starts = [first + timedelta(seconds=chance.randrange(10 * 365 * 86_400)) for _ in range(SOLVES)]
    amounts = [timedelta(minutes=chance.randrange(15, 90 * 60)) for _ in range(SOLVES)]
    calendar = made()
    began = time.perf_counter()
    for start, amount in zip(starts[:200], amounts, strict=False):
        add_working_time(calendar, start, amount)
    print(f"tables of ten years drawn up in {(time.perf_counter() - began) * 1000:.0f} ms")
    began = time.perf_counter()
    dues = [add_working_time(calendar, start, amount) for start, amount in zip(starts, amounts, strict=True)]
    print(f"add_working_time  {SOLVES / (time.perf_counter() - began):>9,.0f}/s")
    began = time.perf_counter()
    assert all(working_time(calendar, start, due) == amount for start, due, amount in zip(starts, dues, amounts, strict=True))
    print(f"working_time      {SOLVES / (time.perf_counter() - began):>9,.0f}/s")
    began = time.perf_counter()
    for start in starts[: SOLVES // 4]:
        add_days(calendar, start, 5, zone="Europe/Zurich", cutoff=1020, opening=510)
    print(f"add_days          {SOLVES / 4 / (time.perf_counter() - began):>9,.0f}/s")


if __name__ == "__main__":
    main()
