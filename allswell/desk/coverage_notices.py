"""Every Monday each lead is told, once, which services of their teams are not covered at all times in the weeks to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor, Channel
from allswell.notifications import coverage_wording
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic
from allswell.oncall.operations import coverage as operations
from allswell.oncall.queries import notices as queries
from allswell.people import queries as people
from allswell.reporting.rules.counting import next_sending
from allswell.services import queries as services

from . import coverage
from .coverage import Covered
from .door import use_case
from .shift_notices import Written, plain

#: how many gaps a notice names
SHOWN = 6
PATH = "/oncall/coverage"

#: a lead, the instant they were planned for, and what they are to be told; None: nothing
Finding = tuple[int, datetime, dict[str, Any] | None]


def is_due(now: datetime) -> bool:
    """Whether the services of a lead are to be looked at, or a lead is new."""
    return queries.due_notices(now).exists() or bool(queries.unplanned_leads())


@use_case
def plan_leads(*, actor: Actor, now: datetime) -> int:
    """Look at the services of new leads from their next Monday on; answers how many are new."""
    found = queries.unplanned_leads()
    if found:
        zones = {person: zone or settings.DEFAULT_TIME_ZONE for person, zone in found.items()}
        operations.plan_notices({person: next_sending("week", zone=zone, now=now) for person, zone in zones.items()})
    return len(found)


def look(*, limit: int, now: datetime) -> list[Finding]:
    """The leads whose Monday it is, with what is not covered. Reads only; called outside any transaction, for it takes a while."""
    return [(row.person_id, row.next_at, _uncovered(row.person_id, now=now)) for row in queries.due_notices(now)[:limit]]


def _uncovered(lead: int, *, now: datetime) -> dict[str, Any] | None:
    """What a lead is told; None when all is covered, or nobody is ever to be called for their services."""
    person = people.person(lead)
    led = people.led_teams().filter(lead=lead).values("pk")
    if person is None:
        return None
    known = services.known_inside(people.actor_for(person, channel=Channel.EMAIL)).filter(team__in=led)
    found = coverage.prove(known, now=now)
    if all(one.policy is None for one in found.services):
        return None
    gaps = _gaps([one for one in found.lacking if one.policy is not None])
    if not found.lacking:
        return None
    return {
        "services": len(found.lacking),
        "gaps": gaps[:SHOWN],
        "more": len(gaps[SHOWN:]),
        "without_policy": sum(one.policy is None for one in found.lacking),
    }


def _gaps(lacking: Sequence[Covered]) -> list[dict[str, Any]]:
    """When services are not covered, and what is lacking first, the soonest first."""
    found = []
    for one in lacking:
        for starts_at, ends_at in coverage.joined(one.gaps):
            lack = next(gap.verdict.lack for gap in one.gaps if gap.starts_at == starts_at)
            found.append((starts_at, ends_at, one.service.pk, lack.value if lack else ""))
    return [
        {"service": service, "starts_at": _iso(starts_at), "ends_at": _iso(ends_at), "lack": lack}
        for starts_at, ends_at, service, lack in sorted(found)
    ]


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


@use_case
def tell(finding: Finding, *, actor: Actor, now: datetime) -> bool:
    """Tell a lead and look again next Monday; False when another engine has done so."""
    lead, seen, content = finding
    person = people.person(lead)
    if person is None or not people.led_teams().filter(lead=lead).exists():
        operations.forget_notice(lead)
        return True
    zone = person.time_zone or settings.DEFAULT_TIME_ZONE
    if not operations.move_notice(lead, seen=seen, next_at=next_sending("week", zone=zone, now=now)):
        return False
    if content is not None:
        data = {"services": content["services"], "gaps": len(content["gaps"]) + content["more"]}
        entry = journal.record(Verb.GAPS_TOLD, about=("person", lead), actor=actor, now=now, data=data)
        notifications.enqueue(entry, topic=Topic.UNCOVERED, persons=[lead], content=content, now=now)
    return True


def written(topic: Topic, content: dict[str, Any], *, actor: Actor) -> Written | None:
    """The notice for its reader, in their language and zone, with the services they still know; None when they know none."""
    ids = {gap["service"] for gap in content.get("gaps", ())}
    names = dict(services.known_inside(actor).filter(pk__in=ids).values_list("pk", "name"))
    if ids and not names:
        return None
    with translation.override(actor.locale):
        title = _("Coverage of your services")
        lines = coverage_wording.lines(content, names=names, time_zone=actor.time_zone, locale=actor.locale)
    return Written(title, "\n".join(f"- {plain(line)}" for line in lines), PATH)
