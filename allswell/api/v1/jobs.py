"""One change to many tickets, done in the background: start it, see how far it is, stop it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import bulk as desk
from allswell.jobs import queries
from allswell.kernel.errors import Invalid, NotFound
from allswell.tickets import queue, rules

from .views import Filters, view_tickets

TAG = "Jobs"
Verb = Literal[
    "assign",
    "hand_over",
    "wait",
    "resume",
    "resolve",
    "close",
    "cancel",
    "edit",
    "override_priority",
    "tag",
    "untag",
    "watch",
    "unwatch",
    "link",
    "reply",
    "note",
]


class Job(Struct):
    """Work on many tickets. Of `total`, `position` were looked at, `changed` of them changed; the others are problems."""

    id: int
    verb: str
    params: dict[str, Any]
    total: int
    position: int
    changed: int
    is_cancelled: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobProblem(Struct):
    """A ticket that could not be changed, and why; `code` is as in the answer to a single call."""

    ticket: int
    code: str
    detail: str
    field: str | None


class JobDetails(Job):
    """A job with the first 500 of its problems, in the order they came up."""

    problems: list[JobProblem] = []


def _make(row: Any, *, shape: type[Any] = Job) -> Any:
    params = row.params
    return shape(
        row.pk,
        params.get("verb", ""),
        params.get("params", {}),
        row.total,
        row.position,
        row.changed,
        row.is_cancelled,
        row.created_at,
        row.started_at,
        row.finished_at,
    )


def _details(row: Any) -> JobDetails:
    made: JobDetails = _make(row, shape=JobDetails)
    made.problems = [
        JobProblem(problem["ticket"], problem["code"], problem["message"], problem.get("field")) for problem in row.problems
    ]
    return made


@operation(
    "GET",
    "/jobs",
    id="listJobs",
    summary="The caller's own background jobs, newest first",
    tag=TAG,
    scope="tickets:read",
    details="A job is forgotten some weeks after it is finished; the journal of each ticket is not.",
    query=Paged,
    answer=Page[Job],
)
def list_jobs(call: Call) -> Page[Job]:
    def make(rows: Sequence[Any]) -> list[Job]:
        return [_make(row) for row in rows]

    return page(call, queries.of_person(call.actor.person, kind=desk.KIND), make)


@operation("GET", "/jobs/{id}", id="getJob", summary="How far a job is", tag=TAG, scope="tickets:read", answer=JobDetails)
def get(call: Call) -> JobDetails:
    row = queries.of_person(call.actor.person, kind=desk.KIND).filter(pk=call.path["id"]).first()
    if row is None:
        raise NotFound("There is no such job.")
    return _details(row)


class NewJob(Body):
    """What to do, to which tickets: `numbers`, or all of a `view` (the slug of one, `all` unless said) that pass `filters`.

    `params` are the fields of the verb's single call; for `edit` they are `{"changes": {…}}` with impact, urgency, service and
    category.
    """

    verb: Verb
    params: dict[str, Any] = {}
    numbers: Annotated[list[Id], Meta(min_length=1, max_length=desk.MOST)] | None = None
    view: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,100}$")] | None = None
    filters: Filters | None = None


def _chosen(call: Call) -> list[int]:
    """The numbers named, or those of the view under the filters: one more than can be changed at once at most."""
    body: NewJob = call.body
    is_view = body.view is not None or body.filters is not None
    if (body.numbers is not None) == is_view:
        raise Invalid("Name the tickets, or a view or filters; not both.", field="numbers")
    if body.numbers is not None:
        return body.numbers
    filters = queue.Filters.parse(rules.view_filters(body.filters or {}))
    found = view_tickets(body.view or "all", call.actor, filters).order_by("-pk")
    return list(found.values_list("pk", flat=True)[: desk.MOST + 1])


@operation(
    "POST",
    "/jobs",
    id="startJob",
    summary="Do one thing to many tickets, in the background; at the end the caller gets one notice",
    tag=TAG,
    scope="tickets:write",
    details="Each ticket is changed with the caller's present rights and succeeds or fails alone. Which tickets a view or filters "
    f"mean is decided now. At most {desk.MOST} at once.",
    body=NewJob,
    answer=JobDetails,
    status=201,
    present=lambda call, row: _started(call, row),
)
def start(call: Call) -> Any:
    body: NewJob = call.body
    return desk.start(_chosen(call), verb=body.verb, params=body.params, actor=call.actor, now=call.now)


def _started(call: Call, row: Any) -> JobDetails:
    call.headers["Location"] = f"{BASE}/jobs/{row.pk}"
    return _details(row)


@operation(
    "POST",
    "/jobs/{id}/cancel",
    id="cancelJob",
    summary="Stop after the present batch; what is done stays done",
    tag=TAG,
    scope="tickets:write",
    answer=JobDetails,
    present=lambda call, row: get(call),
)
def cancel(call: Call) -> Any:
    get(call)  # those it does not tell of, it does not stop
    return desk.cancel(call.path["id"], actor=call.actor, now=call.now)
