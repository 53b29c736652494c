"""Whom the tickets of Northbank call: an escalation policy for each team, another for its most critical services.

They begin to be followed now: what the demo played in the past calls nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allswell.calendars import queries as calendars
from allswell.desk import policies, promises
from allswell.kernel.actor import Actor
from allswell.oncall import queries

from .company import Company

_MINUTE = 60
#: team, the short name of its rota, whether that has a backup
TEAMS = (
    ("Service desk", "service-desk", True),
    ("Workplace", "workplace", False),
    ("Application support", "applications-follow-the-sun", True),
    ("Payments", "payments-days-and-nights", True),
    ("Security and access", "security", False),
    ("Network", "network", True),
    ("Databases", "databases", True),
    ("Systems", "systems", True),
)
#: what calls faster and further up when it is down: team, its rota, whether that has a backup, services
CRITICAL = (
    ("Application support", "applications-follow-the-sun", True, ("core-banking", "account-look-up", "online-banking")),
    ("Payments", "payments-days-and-nights", True, ("payments", "card-services")),
)


def run(company: Company, *, actor: Actor, begin: datetime, now: datetime) -> None:
    """The policies as they stand today, with a change that was made last week, and what follows them from now on."""
    for team, rota, has_backup in TEAMS:
        said = _definition(company, team, rota, has_backup=has_backup, is_critical=False)
        row = policies.create_policy(name=team, team=company.teams[team], definition=said, actor=actor, now=begin)
        policies.use_for_team(company.teams[team], policy=row.pk, actor=actor, now=now)
    for team, rota, has_backup, services in CRITICAL:
        said = _definition(company, team, rota, has_backup=has_backup, is_critical=True)
        name, note = f"{team}, around the clock", "30 minutes without news are too long"
        row = policies.create_policy(name=name, team=company.teams[team], definition=said, actor=actor, now=begin)
        quicker = {**said, "promise": 20 * _MINUTE}
        policies.change_policy(row.pk, definition=quicker, note=note, actor=actor, now=now - timedelta(days=6))
        for service in services:
            policies.use_for_service(company.services[service], policy=row.pk, actor=actor, now=now)


def _definition(company: Company, team: str, rota: str, *, has_backup: bool, is_critical: bool) -> dict[str, Any]:
    row, pk = queries.by_ref(rota), company.teams[team]
    lead = {"kind": "lead", "team": pk}
    first: list[dict[str, Any]] = [{"kind": "rota", "rota": row.pk, "level": 1}] if row else [{"kind": "team", "team": pk}]
    second = [{"kind": "rota", "rota": row.pk, "level": 2}] if row and has_backup else [lead]
    wait = 3 * _MINUTE if is_critical else 5 * _MINUTE
    steps = [{"targets": first, "wait": wait}, {"targets": second, "wait": 2 * wait}]
    office = calendars.by_ref(promises.OFFICE_HOURS)
    if not is_critical and office is not None:
        at_work = {"calendar": office.pk, "is_inside": True}
        steps.append({"targets": [{"kind": "team", "team": pk}], "wait": 10 * _MINUTE, "hours": at_work})
    if has_backup:
        steps.append({"targets": [lead], "wait": 10 * _MINUTE})
    steps.append({"targets": [{"kind": "manager", "team": pk, "level": 1}], "wait": 15 * _MINUTE})
    urgent = [1, 2] if is_critical else [1]
    return {"steps": steps, "repeat": 2 if is_critical else 1, "promise": 30 * _MINUTE, "starts": [1, 2], "urgent": urgent}
