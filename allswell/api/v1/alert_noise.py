"""Which alerts come most, and whether anybody ever did anything about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Call, Id, Query, operation
from allswell.intake.queries import noise
from allswell.people.rules import INSTALLATION, Act, require

from .alerts import SCOPE, TAG, Severity


class NoiseAsked(Query):
    """Of how many days, and of one source or service; of all when nothing is said."""

    days: Annotated[int, Meta(ge=1, le=90)] = 30
    source: Id | UnsetType = UNSET
    service: Id | UnsetType = UNSET


class NoisyAlert(Struct):
    """An alert that fired `times` times since then, `acted_on` of them with an incident that somebody worked on.

    `median_seconds` is null while it never ended.
    """

    alert: int
    title: str
    severity: Severity
    source: str
    service: int | None
    times: int
    acted_on: int
    median_seconds: int | None
    is_flapping: bool
    last_at: datetime


class Noise(Struct):
    """The alerts that came most, at most 50. `since` is later than asked for where there were very many."""

    since: datetime
    alerts: list[NoisyAlert]


@operation(
    "GET",
    "/alert-noise",
    id="listNoisyAlerts",
    summary="The alerts that came most, and how often somebody acted on them",
    tag=TAG,
    scope=SCOPE,
    query=NoiseAsked,
    answer=Noise,
)
def list_noisy(call: Call) -> Noise:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    since = noise.counted_since(call.now - timedelta(days=call.query.days))
    of = {name: value for name in ("source", "service") if (value := getattr(call.query, name)) is not UNSET}
    return Noise(since, [_noisy(one) for one in noise.noisiest(call.actor, since=since, **of)])


def _noisy(one: noise.Noisy) -> NoisyAlert:
    row = one.alert
    return NoisyAlert(
        alert=row.pk,
        title=row.title,
        severity=msgspec.convert(row.severity, Severity),
        source=row.source.slug,
        service=row.service_id,
        times=one.times,
        acted_on=one.acted,
        median_seconds=int(one.typical.total_seconds()) if one.typical is not None else None,
        is_flapping=row.is_flapping,
        last_at=one.last_at,
    )
