"""python -m tools.derive_targets FILE: derive, from the cases of a city's desk, within how many days each type was promised.

For each type, N working days and N calendar days are tried against every case with a recorded target: counted as the clocks count (a start
on a weekend becomes the same time on Monday; from 17:00 on the next weekday at 08:30; holidays are not observed), in New York. The N that
gives the recorded instant to the minute for most cases of the type stands; of two that give as many the one that fits more cases of all
types. Types for which no N does are left out. Prints a file of agreements; how many cases it reproduces goes to the error output.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import yaml

from allswell.calendars.rules import Calendar, Definition, Version, add_days

ZONE = "America/New_York"
WEEKDAYS = Calendar(ZONE, (Version(1, date(1970, 1, 1), Definition.checked([[(510, 1020)]] * 5 + [[], []])),))
KINDS = ("working_days", "calendar_days")
MINUTE = timedelta(minutes=1)
Kind = str
Case = tuple[datetime, datetime]


def due(kind: Kind, opened: datetime, days: int) -> datetime:
    """When a case is due by so many days."""
    if kind == "calendar_days":
        return add_days(None, opened, days, zone=ZONE)
    return add_days(WEEKDAYS, opened, days, zone=ZONE, cutoff=17 * 60, opening=8 * 60 + 30)


def days_between(kind: Kind, case: Case) -> int | None:
    """The N by which a case was due; None when there is none."""
    opened, target = case
    guess = (target - opened).days
    guess = guess * 5 // 7 if kind == "working_days" else guess
    return next((days for days in range(max(0, guess - 5), guess + 6) if abs(due(kind, opened, days) - target) < MINUTE), None)


def derived(cases: dict[str, list[Case]]) -> tuple[dict[tuple[Kind, int], list[str]], int]:
    """(kind and N -> types, how many cases that reproduces)."""
    counts: dict[str, Counter[tuple[Kind, int]]] = {}
    for name, those in sorted(cases.items()):
        counts[name] = Counter(
            (kind, days) for case in those for kind in KINDS if (days := days_between(kind, case)) is not None and days > 0
        )
    usual = sum(counts.values(), Counter[tuple[Kind, int]]())
    found: dict[tuple[Kind, int], list[str]] = defaultdict(list)
    reproduced = 0
    for name, counted in counts.items():
        if counted:
            best = max(counted, key=lambda one: (counted[one], usual[one], one))
            found[best].append(name)
            reproduced += counted[best]
    return found, reproduced


def main(path: str) -> None:
    """Print the agreements."""
    here = ZoneInfo(ZONE)
    cases: dict[str, list[Case]] = defaultdict(list)
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["target_dt"]:
                opened, target = (datetime.fromisoformat(row[name]).replace(tzinfo=here) for name in ("open_dt", "target_dt"))
                cases[row["type"]].append((opened.astimezone(UTC), target.astimezone(UTC)))
    found, reproduced = derived(cases)
    agreements = []
    for (kind, days), types in sorted(found.items()):
        within = {"counting": kind, "amount": days}
        if kind == "working_days":
            within |= {"calendar": "boston-weekdays", "cutoff": "17:00", "opening": "08:30"}
        targets = [{"key": metric, "metric": metric, "within": dict(within)} for metric in ("resolution", "fulfilment")]
        agreements.append(
            {
                "name": f"Boston: {days} {kind.replace('_', ' ').removesuffix('s' if days == 1 else '')}",
                "services": types,
                "targets": targets,
            }
        )
    total = sum(map(len, cases.values()))
    print(yaml.safe_dump({"agreements": agreements}, sort_keys=False, allow_unicode=True, width=120), end="")
    print(f"{reproduced} of {total} targets reproduced to the minute ({reproduced / total:.2%})", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
