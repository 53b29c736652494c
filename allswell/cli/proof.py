"""What would happen, and whether somebody would be reached: the dry run and the proof of coverage at the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings

from allswell.desk import coverage as proving
from allswell.desk import simulating
from allswell.desk.simulating import Answer, Asked, Local, Simulated, What
from allswell.kernel import clock
from allswell.kernel.actor import engine
from allswell.kernel.errors import CannotStart

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from allswell.oncall.rules.covering import Stretch
    from allswell.oncall.rules.simulating import Call, Moment

_ENDS = {
    What.ANSWERED: "answered",
    What.BROKEN: "the promise is over without a word: it calls again",
    What.EXHAUSTED: "nobody has answered: it ends, and the team's lead and the duty managers are told",
    What.GOES_ON: "it goes on",
}
_EMPTY = {
    "priority": "it is for other priorities",
    "hours": "it is for other hours",
    "nobody": "nobody is there",
    "unreachable": "there is no way to those it names",
}
_LACK = {
    "no_policy": "no policy: nobody is called",
    "never_starts": "the policy starts for no priority",
    "nobody": "nobody is called in time",
    "no_person": "only rooms and webhooks are called, no person",
    "no_contact": "called without a verified way that works",
    "late": "called, but later than that",
    "one_way": "called by one way only",
}


def options(parts: _SubParsersAction[Any]) -> None:
    """What may be asked."""
    dry = parts.add_parser("simulate", help="who would be called, when and by what, if something failed and nobody answered")
    about = dry.add_mutually_exclusive_group(required=True)
    about.add_argument("--service", metavar="REF", help="id or short name")
    about.add_argument("--team", metavar="REF", help="id or short name; the policy its tickets follow")
    about.add_argument("--policy", metavar="REF", help="id or short name")
    dry.add_argument("--at", metavar="INSTANT", help='such as "2026-10-25 02:30"; now when left out')
    dry.add_argument("--second", action="store_true", help="of a time the clocks show twice that night, the second")
    dry.add_argument("--priority", type=int, default=1, metavar="1-5")
    dry.add_argument("--answered", metavar="STEP:MINUTES", help="somebody answers what this step asked, after so many minutes")
    dry.add_argument("--broken", action="store_true", help="and then no word comes")
    dry.add_argument("--json", action="store_true", help="print it for a program")
    covered = parts.add_parser("coverage", help="whether every service is covered at every minute ahead; ends with 1 when not")
    covered.add_argument("--weeks", type=int, default=proving.WEEKS, metavar="N", help="how far ahead (4)")
    covered.add_argument(
        "--within", type=int, default=proving.WITHIN, metavar="MINUTES", help="in which somebody is reached (30)"
    )
    covered.add_argument("--json", action="store_true", help="print it for a program")


# the dry run


def simulate(options: argparse.Namespace) -> int:
    """Say what would happen: 0 somebody would be called, 1 nobody."""
    asked = Asked(service=options.service, team=options.team, policy=options.policy)
    local = _at(options.at, is_second=options.second)
    at = simulating.check_horizon(local.at, now=clock.now())
    found = simulating.what_happens(asked, at=at, priority=options.priority, answer=_answer(options), actor=engine())
    if options.json:
        print(json.dumps(_plain(found), indent=2))
    else:
        _tell(found, local, is_second=options.second)
    return int(found.calls == 0)


def _at(said: str | None, *, is_second: bool) -> Local:
    if said is None:
        return Local(clock.now())
    try:
        at = datetime.fromisoformat(said)
    except ValueError as error:
        raise CannotStart('--at takes an instant such as "2026-10-25 02:30" or 2026-10-25T02:30+01:00.', code=2) from error
    if at.tzinfo is not None:
        return Local(at)
    if not 1970 <= at.year < 2200:
        raise CannotStart("--at: this is not a date and time.", code=2)
    return simulating.on_the_wall(at, ZoneInfo(settings.DEFAULT_TIME_ZONE), is_second=is_second)


def _answer(options: argparse.Namespace) -> Answer | None:
    if options.answered is None:
        return None
    step, _, minutes = str(options.answered).partition(":")
    if not (step.isdigit() and minutes.isdigit() and int(minutes) <= simulating.MOST_MINUTES and 1 <= int(step) <= 99):
        raise CannotStart("--answered takes a step and minutes, such as 2:3.", code=2)
    return Answer(int(step) - 1, timedelta(minutes=int(minutes)), is_kept=not options.broken)


def _tell(found: Simulated, local: Local, *, is_second: bool) -> None:
    zone = ZoneInfo(settings.DEFAULT_TIME_ZONE)
    if local.is_twice:
        which = "second" if is_second else "first"
        print(
            f"The clocks show this time twice that night; this is the {which} ({_clock(local.at, zone)}). --second is the other."
        )
    if local.is_skipped:
        print(f"The clocks skip this time; taken is {_clock(local.at, zone)}.")
    if found.definition is None:
        print("Nobody would be called: no policy is in force here.")
        return
    name = found.row.name if found.row is not None else ""
    print(
        f"{name}, priority {found.priority}, {_clock(found.at, zone)}" + ("" if found.starts else " (does not start by itself)")
    )
    for moment in found.moments:
        for line in _lines(moment, found, zone):
            print(line)


def _lines(moment: Moment, found: Simulated, zone: ZoneInfo) -> list[str]:
    lead = f"{_offset(moment.at - found.at):>9}  {moment.at.astimezone(zone):%a %H:%M:%S}  "
    if moment.what is not What.STEP or moment.taken is None:
        until = f" until {_clock(moment.until, zone)}, and no word comes" if moment.until else ""
        return [f"{lead}{_ENDS.get(moment.what, moment.what.value)}{until}"]
    step = f"step {moment.taken.position + 1}"
    if moment.taken.empty:
        return [f"{lead}{step} calls nobody and does not wait: {_EMPTY[moment.taken.empty.value]}"]
    return [f"{lead}{step}: {_called(call, found, zone)}" for call in moment.calls]


def _called(call: Call, found: Simulated, zone: ZoneInfo) -> str:
    one, names, zones = call.called, found.names or {}, found.zones or {}
    ways = ", ".join(f"{way.channel.value} {way.due_at.astimezone(zone):%H:%M:%S}" for way in call.planned)
    if one.person is None:
        return f"room {one.room}: {ways}" if one.room else f"webhook {one.webhook}"
    home = ZoneInfo(zones.get(one.person, zone.key))
    first = call.planned[0].due_at if call.planned else found.at
    theirs = f" ({first.astimezone(home):%H:%M} {home.key})" if _differs(first, home, zone) else ""
    return f"{names.get(one.person, one.person)}{theirs}: {ways or 'cannot be reached'}"


def _differs(at: datetime, home: ZoneInfo, zone: ZoneInfo) -> bool:
    return at.astimezone(home).utcoffset() != at.astimezone(zone).utcoffset()


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _offset(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return f"+{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _plain(found: Simulated) -> dict[str, Any]:
    return {
        "at": found.at.isoformat(),
        "priority": found.priority,
        "policy": found.row.slug if found.row is not None else None,
        "starts": found.starts,
        "moments": [_plain_moment(moment, found.names or {}) for moment in found.moments],
    }


def _plain_moment(moment: Moment, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "at": moment.at.isoformat(),
        "what": moment.what.value,
        "step": moment.taken.position + 1 if moment.taken else None,
        "round": moment.taken.round + 1 if moment.taken else None,
        "empty": moment.taken.empty.value if moment.taken and moment.taken.empty else None,
        "until": moment.until.isoformat() if moment.until else None,
        "calls": [
            {
                "person": names.get(call.called.person) if call.called.person is not None else None,
                "room": call.called.room,
                "webhook": call.called.webhook,
                "ways": [{"channel": way.channel.value, "at": way.due_at.isoformat()} for way in call.planned],
            }
            for call in moment.calls
        ],
    }


# the proof


def coverage(options: argparse.Namespace) -> int:
    """Say where nobody would surely be reached: 0 nowhere, 1 somewhere."""
    found = proving.coverage(actor=engine(), now=clock.now(), weeks=options.weeks, within=options.within)
    if options.json:
        services = [_plain_service(one, found.names) for one in found.services]
        said = {"since": found.since.isoformat(), "until": found.until.isoformat(), "within": found.within, "services": services}
        print(json.dumps(said, indent=2))
        return int(bool(found.lacking))
    zone = ZoneInfo(settings.DEFAULT_TIME_ZONE)
    print(f"{len(found.services)} services, {len(found.lacking)} not covered, until {_clock(found.until, zone)}")
    for one in found.lacking:
        print(f"{one.service.name}:")
        for gap in one.gaps:
            who = ", ".join(found.names.get(person, f"#{person}") for person in gap.verdict.persons)
            lack = _LACK[gap.verdict.lack.value] if gap.verdict.lack else ""
            of = f" (P{', P'.join(map(str, gap.priorities))})" if gap.priorities else ""
            print(f"  {_clock(gap.starts_at, zone)} to {_clock(gap.ends_at, zone)}{of}: {who + ' ' if who else ''}{lack}")
    return int(bool(found.lacking))


def _plain_service(one: proving.Covered, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "service": one.service.slug,
        "policy": one.policy.slug if one.policy else None,
        "missing_minutes": int(one.missing / timedelta(minutes=1)),
        "gaps": [_plain_gap(gap, names) for gap in one.gaps],
    }


def _plain_gap(gap: Stretch, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "starts_at": gap.starts_at.isoformat(),
        "ends_at": gap.ends_at.isoformat(),
        "priorities": list(gap.priorities),
        "lack": gap.verdict.lack.value if gap.verdict.lack else None,
        "persons": [names.get(person, f"#{person}") for person in gap.verdict.persons],
        "missing": [
            {"step": one.step + 1, "target": one.target + 1, "absent": one.absent.value if one.absent else None}
            for one in gap.verdict.missing
        ],
    }
