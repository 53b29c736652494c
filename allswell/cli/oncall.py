"""Who is on call, what would happen, whether somebody would be reached; rotas and policies as one document.

`allswell oncall who --help` says more.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings

from allswell.desk import simulating
from allswell.jobs import schema
from allswell.kernel import clock
from allswell.kernel.errors import CannotStart
from allswell.kernel.instants import sensible
from allswell.oncall import queries
from allswell.oncall.rules import FARTHEST
from allswell.people import queries as people
from allswell.services import queries as services

from . import oncall_files, proof

if TYPE_CHECKING:
    from allswell.oncall.models import Rota
    from allswell.oncall.queries import Answer

_WHY = {"gap": "a gap", "on_leave": "everybody is on leave", "off_hours": "outside support hours", "nobody": "on purpose"}


def options(parser: argparse.ArgumentParser) -> None:
    """What is asked of the rotas."""
    parts = parser.add_subparsers(dest="what", required=True, metavar="{who,simulate,coverage,export,import,diff}")
    who = parts.add_parser("who", help="who is on call; ends with 1 when somebody should be and nobody is")
    about = who.add_mutually_exclusive_group()
    about.add_argument("--service", metavar="REF", help="id or short name; the rotas of its team")
    about.add_argument("--team", metavar="REF", help="id or short name")
    about.add_argument("--rota", metavar="REF", help="id or short name; all rotas in use when nothing is named")
    who.add_argument("--at", metavar="INSTANT", help="such as 2026-12-24T18:00+01:00, or by the clocks here; now when left out")
    who.add_argument(
        "--second", action="store_true", help="of a time that the clocks show twice, the second; the first otherwise"
    )
    who.add_argument("--json", action="store_true", help="print it for a program")
    proof.options(parts)
    oncall_files.add_arguments(parts)


def run(options: argparse.Namespace) -> int:
    """Do what was asked."""
    schema.look().refuse_pending()
    acts = {"who": who, "simulate": proof.simulate, "coverage": proof.coverage}
    acts |= {"export": oncall_files.export, "import": oncall_files.bring_in, "diff": oncall_files.diff}
    return acts[options.what](options)


def who(options: argparse.Namespace) -> int:
    """Say who is on call: 0 somebody wherever somebody should be, 1 there is a gap."""
    at = _at(options.at, is_second=options.second)
    rows = {row.pk: row for row in _asked(options)}
    answers = [answer for levels in queries.on_call(rows, at).values() for answer in levels.values()]
    answers.sort(key=lambda answer: (rows[answer.rota].name, answer.rota, answer.level))
    wanted = {person for answer in answers for person in (answer.person, answer.next_person, answer.held) if person is not None}
    names = dict(people.people().filter(pk__in=wanted).values_list("pk", "name"))
    if options.json:
        items = [_plain(answer, rows[answer.rota], names) for answer in answers]
        print(json.dumps({"at": at.isoformat(), "items": items}, indent=2))
    elif not answers:
        print("Nobody: no rota holds then.")
    else:
        for answer in answers:
            print(_line(answer, rows[answer.rota], names))
    return int(any(answer.is_gap for answer in answers))


def _at(said: str | None, *, is_second: bool) -> datetime:
    """The instant that is meant; where the clocks show it twice or skip it, what was taken is said beside the answer."""
    if said is None:
        return clock.now()
    try:
        at = datetime.fromisoformat(said)
    except ValueError as error:
        raise CannotStart("--at takes an instant such as 2026-12-24T18:00 or 2026-12-24T18:00+01:00.", code=2) from error
    if at.tzinfo is None:
        zone = ZoneInfo(settings.DEFAULT_TIME_ZONE)
        sensible(at.replace(tzinfo=UTC), field="--at")
        local = simulating.on_the_wall(at, zone, is_second=is_second)
        at = local.at
        if local.is_twice:
            other = "the first; --second is the other" if not is_second else "the second"
            print(f"The clocks show this time twice; {at.astimezone(zone):%H:%M %Z} is taken, {other}.", file=sys.stderr)
        if local.is_skipped:
            print(f"The clocks skip this time; {at.astimezone(zone):%H:%M %Z} is taken.", file=sys.stderr)
    if sensible(at, field="--at") > clock.now() + FARTHEST:
        raise CannotStart("--at: this is too far ahead.", code=2)
    return at


def _asked(options: argparse.Namespace) -> list[Rota]:
    """The rotas a question is about. Raises CannotStart."""
    rows = queries.rotas().filter(is_active=True)
    if options.rota is not None:
        row = queries.by_ref(options.rota)
        if row is None:
            raise CannotStart(f"There is no rota {options.rota}.", code=2)
        return [row]
    if options.team is not None:
        team = people.team_by_ref(options.team)
        if team is None:
            raise CannotStart(f"There is no team {options.team}.", code=2)
        rows = rows.filter(team=team.pk)
    elif options.service is not None:
        service = services.by_ref(options.service)
        if service is None:
            raise CannotStart(f"There is no service {options.service}.", code=2)
        rows = rows.filter(team=service.team_id)
    return list(rows)


def _line(answer: Answer, row: Rota, names: dict[int, str]) -> str:
    zone = ZoneInfo(settings.DEFAULT_TIME_ZONE)
    until = answer.ends_at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
    said = names.get(answer.person or 0, "") if answer.person else f"nobody ({_WHY.get(str(answer.why), answer.why)})"
    line = f"{row.name}, level {answer.level}: {said} until {until} ({zone.key})"
    return f"{line}; {names.get(answer.held, '')} stays until the shift is taken" if answer.held else line


def _plain(answer: Answer, row: Rota, names: dict[int, str]) -> dict[str, Any]:
    return {
        "rota": row.slug,
        "level": answer.level,
        "person": names.get(answer.person or 0) if answer.person else None,
        "starts_at": answer.starts_at.isoformat(),
        "ends_at": answer.ends_at.isoformat(),
        "why": answer.why.value if answer.why else None,
        "is_gap": answer.is_gap,
        "next_person": names.get(answer.next_person or 0) if answer.next_person else None,
        "held": names.get(answer.held) if answer.held else None,
    }
