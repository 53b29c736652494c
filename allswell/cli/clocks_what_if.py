"""`allswell clocks what-if`: another agreement over past tickets, without writing anything."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from allswell.desk import agreement_files, what_if
from allswell.desk.what_if import Compared, Difference, Question, Tried
from allswell.kernel import actor, clock
from allswell.kernel.errors import CannotStart
from allswell.kernel.instants import sensible
from allswell.services import queries as services
from allswell.sla import wording
from allswell.tickets.rules import reference

from .progress import Bar

SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which terms, on which tickets."""
    parser.add_argument("--agreement", required=True, metavar="FILE", help="a YAML file of agreements, or a shipped one")
    parser.add_argument("--name", help="which agreement of the file (the first)")
    parser.add_argument("--since", required=True, metavar="DATE", help="tickets opened since, such as 2026-10-01")
    parser.add_argument("--until", metavar="DATE", help="and before this (now)")
    parser.add_argument("--organization", metavar="SLUG", help="only tickets of this organization and those below it")
    parser.add_argument("--team", metavar="SLUG", help="for an agreement between teams: only while this one has the ticket")
    parser.add_argument("--json", action="store_true", help="print the outcome for a program")


def instant(text: str, option: str) -> datetime:
    """A day or an instant, in the zone of the installation where it names none. Raises CannotStart, Invalid."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CannotStart(f"{option} takes a date such as 2026-10-01.", code=2) from None
    return sensible(at if at.tzinfo else at.replace(tzinfo=ZoneInfo(settings.DEFAULT_TIME_ZONE)), field=option.lstrip("-"))


def run(options: argparse.Namespace) -> int:
    """Try the terms, and say how the promises would have fared."""
    now = clock.now()
    chosen = _agreement(agreement_files.read(options.agreement), options.name)
    question = Question(
        definition={name: value for name, value in chosen.items() if name not in ("name", "audience", "team")},
        since=instant(options.since, "--since"),
        until=instant(options.until, "--until") if options.until else now,
        audience=str(chosen.get("audience", "customer")),
        organization=options.organization,
        team=options.team or chosen.get("team"),
        name=str(chosen.get("name", "")),
    )
    with Bar("Trying") as bar:
        found = what_if.tried(question, actor=actor.setup(), now=now, progress=bar)
    print(json.dumps(_plain(found), indent=2) if options.json else _words(found))
    return 0


def _agreement(raw: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """The agreement of the file that was asked for; services are named in it by their names. Raises CannotStart."""
    rows = [one for one in raw["agreements"] if isinstance(one, Mapping) and name in (None, one.get("name"))]
    if not rows:
        raise CannotStart(f"The file has no agreement {name or 'at all'}.", code=2)
    chosen = {"zone": raw.get("zone"), **rows[0]}
    wanted = [str(one) for one in chosen.get("services") or ()]
    known = dict(services.services().filter(name__in=wanted).order_by("-id").values_list("name", "id"))
    if unknown := [one for one in wanted if one not in known]:
        raise CannotStart(f"There is no service {unknown[0]}.", code=2)
    return chosen | {"services": [known[one] for one in wanted]}


def share(tally: tuple[int, int, int]) -> float | None:
    """The share of promises kept among those that are over, in percent; None when none is."""
    kept, missed, _ = tally
    return None if kept + missed == 0 else kept / (kept + missed) * 100


def _percent(tally: tuple[int, int, int]) -> str:
    """Cut, never rounded up: 99.96 % is not 100 %."""
    value = share(tally)
    return "-" if value is None else f"{int(value * 10) / 10:.1f} %"


def _plain(found: Tried) -> dict[str, Any]:
    return {
        "tickets": found.tickets,
        "differences": found.differences,
        "promises": [
            {"metric": one.metric.value, "target": one.target.key if one.target else None} | _sides(one) for one in found.compared
        ],
        "differing": [_difference(one) for one in found.differing],
    }


def _sides(one: Compared) -> dict[str, Any]:
    sides = {"before": one.before, "after": one.after}
    return {
        name: dict(zip(("kept", "missed", "open"), tally, strict=True)) | {"attainment": share(tally)}
        for name, tally in sides.items()
    }


def _difference(one: Difference) -> dict[str, Any]:
    instants = {name: at.isoformat() if at else None for name, at in asdict(one).items() if name.endswith("_at")}
    name = reference(one.ticket.kind, one.ticket.pk)
    return {"ticket": name, "metric": one.metric, "before": one.before, "after": one.after, **instants}


def _words(found: Tried) -> str:
    lines = [f"{found.tickets} tickets tried; nothing was written.", ""]
    lines += [f"{'':<34}{'kept':>8}{'missed':>8}{'open':>8}{'attained':>10}"]
    for one in found.compared:
        name = wording.metric(one.metric.value) + (f" ({one.target.key})" if one.target else "")
        for when, tally in (("was", one.before), ("would be", one.after)):
            kept, missed, still = tally
            lines.append(f"{name if when == 'was' else '':<24}{when:<10}{kept:>8}{missed:>8}{still:>8}{_percent(tally):>10}")
    if found.differences:
        lines += ["", f"{found.differences} promises would have fared otherwise:"]
        for other in found.differing[:SHOWN]:
            ticket = reference(other.ticket.kind, other.ticket.pk)
            lines.append(f"  {ticket:<12} {wording.metric(other.metric)}: {other.before} -> {other.after}")
        if found.differences > SHOWN:
            lines.append("  …")
    return "\n".join(lines)
