"""What other terms would have come to, tried on past tickets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from allswell.api.contract import BASE, Body, Call, operation
from allswell.desk import what_if
from allswell.kernel.errors import Invalid

from .agreements import READ, TAG, WRITE, Audience, Definition, as_said, beside
from .shapes import Instant, Ref


class NewWhatIf(Body):
    """Terms to try on tickets opened at `since` or later and before `until`: as though they alone had held. At most 400 days."""

    definition: Definition
    since: Instant
    until: Instant
    audience: Audience = "customer"
    organization: Ref | None = None
    team: Ref | None = None


class Tally(Struct):
    """How many promises were kept, missed, and are still open."""

    kept: int
    missed: int
    open: int


class Compared(Struct):
    """A target by its key, before and after; `target` is null for what would not be promised any more."""

    metric: str
    target: str | None
    before: Tally
    after: Tally


class Difference(Struct):
    """A ticket that would have fared otherwise: kept, missed, open or none."""

    ticket: int
    metric: str
    before: str
    before_due_at: datetime | None
    after: str
    after_due_at: datetime | None


class WhatIf(Struct):
    """The answer as far as it is known: `position` of `total` tickets were looked at. `differences` counts all that fare otherwise;
    `tickets` are the first of them that the caller may see."""

    id: int
    definition: dict[str, Any]
    total: int
    position: int
    created_at: datetime
    finished_at: datetime | None
    differences: int
    targets: list[Compared]
    tickets: list[Difference]


def _what_if(call: Call, job: Any) -> WhatIf:
    tallies: Sequence[what_if.Compared] = what_if.compared(job)
    return WhatIf(
        job.pk,
        job.params["definition"],
        job.total,
        job.position,
        job.created_at,
        job.finished_at,
        job.params["differences"],
        [
            Compared(row.metric.value, row.target.key if row.target else None, Tally(*row.before), Tally(*row.after))
            for row in tallies
        ],
        [
            Difference(one.ticket.pk, one.metric, one.before, one.before_due_at, one.after, one.after_due_at)
            for one in what_if.differences(job, actor=call.actor)
        ],
    )


def _asked(call: Call, job: Any) -> WhatIf:
    call.headers["Location"] = f"{BASE}/what-ifs/{job.pk}"
    return _what_if(call, job)


@operation(
    "POST",
    "/what-ifs",
    id="askWhatIf",
    summary="Try other terms on past tickets; nothing of theirs is written",
    tag=TAG,
    scope=WRITE,
    details="For administrators and auditors. The answer is there at once for up to 500 tickets; otherwise"
    " ask again until `finished_at` is set.",
    body=NewWhatIf,
    answer=WhatIf,
    status=201,
    present=_asked,
)
def ask(call: Call) -> Any:
    body: NewWhatIf = call.body
    question = what_if.Question(
        definition=as_said(body.definition),
        since=body.since,
        until=body.until,
        audience=body.audience,
        organization=body.organization,
        team=body.team,
    )
    try:
        return what_if.ask(question, actor=call.actor, now=call.now)
    except Invalid as error:
        raise beside(error) from error


@operation(
    "GET",
    "/what-ifs/{id}",
    id="getWhatIf",
    summary="The answer to a question of the caller's own",
    tag=TAG,
    scope=READ,
    answer=WhatIf,
)
def get_what_if(call: Call) -> WhatIf:
    return _what_if(call, what_if.answer(call.path["id"], actor=call.actor))
