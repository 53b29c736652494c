"""Agreements for stories: what is promised, in few words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allswell.kernel.actor import engine
from allswell.people.models import Organization, Team
from allswell.sla import operations as sla
from allswell.sla.models import Agreement
from allswell.sla.rules.terms import Audience, Terms
from tests.support.world import START, World

USUAL: tuple[dict[str, Any], ...] = (
    {"metric": "acknowledgement", "within": {"counting": "working", "amount": 30, "calendar": "always"}},
    {"metric": "first_response", "within": {"counting": "working", "amount": 60, "calendar": "always"}},
    {
        "metric": "resolution",
        "within": {"counting": "working", "amount": 8 * 60, "calendar": "always"},
        "pauses": ["requester"],
        "warn": {"share": 0.75},
    },
)


def promise(
    world: World,
    *targets: dict[str, Any],
    name: str = "Standard",
    audience: Audience = Audience.CUSTOMER,
    organization: Organization | None = None,
    team: Team | None = None,
    since: datetime = START,
    zone: str = "UTC",
    **conditions: Any,
) -> Agreement:
    """An agreement in force since an instant; without `targets` the usual three."""
    position = Agreement.objects.count()
    slug = f"{name.lower().replace(' ', '-')}-{position}"
    values = {"name": name, "slug": slug, "audience": audience.value, "organization": organization, "team": team}
    row = Agreement(position=position, **values)
    sla.create(row, actor=engine(), now=world.now)
    terms = Terms.parse({"zone": zone, "targets": list(targets or USUAL), **conditions}, audience=audience)
    sla.add_version(row, terms, in_force_from=since, note="", actor=engine(), now=world.now)
    return row


def target(metric: str, minutes: int, **more: Any) -> dict[str, Any]:
    """A target counted around the clock."""
    return {"metric": metric, "within": {"counting": "working", "amount": minutes, "calendar": "always"}, **more}
