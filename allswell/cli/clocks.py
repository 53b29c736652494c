"""The clocks of tickets: why one is due when it is, and whether all of them follow from the journal.

`allswell clocks explain --help`, `replay --help` and `what-if --help` say more.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from allswell.calendars import queries as calendars
from allswell.desk import clocks
from allswell.desk.clocks import Difference
from allswell.kernel import actor, clock
from allswell.kernel.errors import CannotStart
from allswell.sla import explaining
from allswell.sla import queries as sla
from allswell.sla.telling import Telling, in_order, telling
from allswell.tickets import queries as tickets
from allswell.tickets.rules import reference

from . import asking, clocks_what_if
from .progress import Bar

#: differences that are shown; the rest is counted
SHOWN = 50
_NUMBER = re.compile(r"(?:[A-Za-z]{2,4}-)?(\d{1,17})")
_SIGNS = {"added": "+", "changed": "~", "removed": "-", "promise": ">"}


def options(parser: argparse.ArgumentParser) -> None:
    """What is asked of the clocks."""
    parts = parser.add_subparsers(dest="what", required=True, metavar="{explain,replay,what-if}")
    explain = parts.add_parser("explain", help="say line by line why the clocks of a ticket are due when they are")
    explain.add_argument("ticket", metavar="TICKET", help="a number or reference, such as INC-1042")
    explain.add_argument("--json", action="store_true", help="print it for a program")
    replay = parts.add_parser(
        "replay", help="work out all clocks again from the journal, show what differs, and write it when asked to"
    )
    replay.add_argument("--ticket", action="append", default=[], metavar="TICKET", help="only this one; as often as wanted")
    replay.add_argument("--since", metavar="DATE", help="only tickets opened since, such as 2026-10-01")
    replay.add_argument(
        "--dry-run", action="store_true", help="show what differs, write nothing; ends with 1 when something does"
    )
    replay.add_argument("--yes", action="store_true", help="write what differs without asking")
    replay.add_argument("--json", action="store_true", help="print the outcome for a program")
    clocks_what_if.add_arguments(
        parts.add_parser(
            "what-if", help="how the promises of past tickets would have fared under another agreement; writes nothing"
        )
    )


def run(options: argparse.Namespace) -> int:
    """Do what was asked."""
    return {"explain": explain, "replay": replay, "what-if": clocks_what_if.run}[options.what](options)


def number_of(text: str) -> int:
    """The number of a ticket that somebody named. Raises CannotStart."""
    matched = _NUMBER.fullmatch(text.strip().removeprefix("#"))
    if matched is None:
        raise CannotStart("Give a number or reference of a ticket, such as INC-1042.", code=2)
    return int(matched[1])


# -- explain -------------------------------------------------------------------------------------------------------------------


def explain(options: argparse.Namespace) -> int:
    """The clocks of one ticket, the open ones first."""
    number = number_of(options.ticket)
    ticket = tickets.ticket(number)
    if ticket is None:
        raise CannotStart(f"There is no ticket {number}.", code=2)
    now = clock.now()
    found = sorted(sla.shown(number), key=in_order)
    book = sla.book()
    tellings = [telling(row, book, now=now) for row in found]
    name, names = reference(ticket.kind, number), calendars.names()
    if options.json:
        print(json.dumps({"ticket": name, "clocks": [_plain(one, names) for one in tellings]}, indent=2))
    elif not tellings:
        print(f"{name} has no clocks: no agreement fitted when it was opened.")
    else:
        print(f"{name}  {ticket.title}")
        for one in tellings:
            print("\n" + "\n".join(explaining.told(one, names)))
    return 0


def _plain(one: Telling, names: dict[str, str]) -> dict[str, Any]:
    row = one.clock
    instants = {name: getattr(row, name) for name in ("started_at", "due_at", "stopped_at", "breached_at")}
    return {
        "metric": row.metric,
        "number": row.number,
        "state": row.state,
        "agreement": one.agreement,
        "version": row.version,
        "target": row.target,
        **{name: at.isoformat() if at else None for name, at in instants.items()},
        "is_late": one.is_late,
        "left_seconds": round(one.left.total_seconds()),
        "lines": explaining.told(one, names),
    }


# -- replay --------------------------------------------------------------------------------------------------------------------


def replay(options: argparse.Namespace) -> int:
    """Show what differs, then write it: 0 done or nothing to do, 1 something differs and was not written."""
    wanted = [number_of(text) for text in options.ticket]
    rows = tickets.all_tickets()
    if wanted:
        rows = rows.filter(pk__in=wanted)
        if missing := sorted(set(wanted) - set(rows.values_list("pk", flat=True))):
            raise CannotStart(f"There is no ticket {missing[0]}.", code=2)
    if options.since:
        rows = rows.filter(opened_at__gte=clocks_what_if.instant(options.since, "--since"))
    total = rows.count()
    if options.yes and not options.dry_run:
        report = _Report("Replaying")
        report.play(rows, total, is_dry=False)
        return report.say(options, is_written=True)
    report = _Report("Comparing")
    report.play(rows, total, is_dry=True)
    if options.dry_run or not report.counts:
        report.say(options, is_written=False)
        return int(bool(report.counts))
    report.say(options, is_written=False)
    if not asking.is_terminal():
        raise CannotStart("Nothing was written: --yes or --dry-run is needed where nobody can be asked.", code=2)
    if asking.text(None, "Write this? The old values stay in the journal. yes or no", "--yes", default="no") != "yes":
        print("Nothing was written.", file=sys.stderr)
        return 1
    written = _Report("Writing")
    written.play(rows, total, is_dry=False)
    return written.say(options, is_written=True)


class _Report:
    """What a pass found."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.counts: Counter[str] = Counter()
        self.touched = 0
        self.total = 0
        self.shown: list[Difference] = []

    def play(self, rows: Any, total: int, *, is_dry: bool) -> None:
        """Go through the tickets."""
        self.total, last = total, 0
        with Bar(self.what) as bar:
            numbers = self._numbers(rows, bar)
            for one in clocks.replay(numbers, actor=actor.setup(), now=clock.now(), is_dry=is_dry):
                self.counts[one.what] += 1
                self.touched += one.number != last
                last = one.number
                if len(self.shown) < SHOWN:
                    self.shown.append(one)
            bar(total, total)

    def _numbers(self, rows: Any, bar: Bar) -> Iterator[int]:
        last = done = 0
        while found := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:5000]):
            for number in found:
                bar(done, self.total)
                done += 1
                yield number
            last = found[-1]

    def say(self, options: argparse.Namespace, *, is_written: bool) -> int:
        """Print it; answers the exit code of a pass that went well."""
        if options.json:
            said = {"tickets": self.total, "touched": self.touched, "differences": dict(self.counts), "is_written": is_written}
            print(json.dumps(said | {"shown": [asdict(one) for one in self.shown]}, indent=2))
            return 0
        if not self.counts:
            print(f"The clocks of {self.total} tickets follow from the journal; nothing differs.")
            return 0
        kinds = dict(tickets.all_tickets().filter(pk__in={one.number for one in self.shown}).values_list("pk", "kind"))
        for one in self.shown:
            print(f"{_SIGNS[one.what]} {reference(kinds[one.number], one.number):<12} {_words(one)}")
        if (rest := self.counts.total() - len(self.shown)) > 0:
            print(f"… and {rest} more.")
        counted = ", ".join(f"{count} {_KINDS[what]}" for what, count in sorted(self.counts.items()))
        done = "Written; the old values are in the journal." if is_written else "Nothing was written yet."
        print(f"{self.touched} of {self.total} tickets differ: {counted}. {done}")
        return 0


_KINDS = {
    "added": "clocks missing",
    "changed": "clocks counted otherwise",
    "removed": "clocks that never were",
    "promise": "times of the next promise",
}


def _words(one: Difference) -> str:
    """A difference in a line: what it was and what it is now, without the segments."""
    name = f"{one.metric} {one.clock}" if one.metric else "next promise"
    if one.what == "removed":
        return f"{name}: never was"
    if one.what == "added":
        return f"{name}: {one.after.get('state')}, due {_short(one.after.get('due_at'))}"
    told = [
        f"{column} {_short(one.before.get(column))} -> {_short(value)}"
        for column, value in one.after.items()
        if column not in ("segments", "queue_at", "queue_rank")
    ]
    return f"{name}: {', '.join(told) or 'segments'}"


def _short(value: Any) -> str:
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        at = datetime.fromisoformat(value).astimezone(ZoneInfo(settings.DEFAULT_TIME_ZONE))
        return f"{at + timedelta(microseconds=500_000):%Y-%m-%d %H:%M:%S}"
    return "-" if value in (None, "") else str(value)
