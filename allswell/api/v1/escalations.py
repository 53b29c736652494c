"""Who is called for a ticket: runs of escalation policies, their pages with everything that became of them, and the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Body, Call, Id, operation
from allswell.desk import page_answers
from allswell.desk import paging as desk
from allswell.kernel.errors import NotFound
from allswell.oncall.queries import ledger
from allswell.tickets import queries

from .shapes import NamedRef, PersonRef, Slug, named_ref, person_ref
from .tickets import visible

TAG = "Escalations"
READ, WRITE = "tickets:read", "tickets:write"
Minutes = Annotated[int, Meta(ge=5, le=1440, description="The next word comes within so many minutes.")]


class PageEvent(Struct):
    """A line of the ledger: what happened, by which channel; `status` is the answer of a carrier."""

    at: datetime
    what: str
    channel: str | None
    delivery: str | None
    status: int | None
    detail: str


class PageDelivery(Struct):
    """A way a page was to go. `key` stays the same over retries."""

    key: str
    channel: str
    planned_at: datetime
    settled_at: datetime | None
    outcome: str
    receipt: str
    attempts: int
    is_maybe_twice: bool


class CallOfPage(Struct):
    """A page: who or which room was called, and what became of it."""

    id: int
    person: PersonRef | None
    room: str | None
    urgency: str
    turn: int
    created_at: datetime
    late_by: int
    opened_at: datetime | None
    acknowledged_at: datetime | None
    deliveries: list[PageDelivery]
    events: list[PageEvent]


class PagingRun(Struct):
    """A run. Of a running one `next_step_at` is when it calls the next, of an acknowledged one when the promise is over."""

    id: int
    policy: NamedRef | None
    version: int
    cause: str
    reason: str
    state: Literal["running", "acknowledged", "ended", "exhausted"]
    round: int
    started_at: datetime
    started_by: PersonRef | None
    next_step_at: datetime | None
    acknowledged_by: PersonRef | None
    acknowledged_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    pages: list[CallOfPage]


def _ref(row: Any) -> PersonRef | None:
    return person_ref(row.pk, row.name) if row is not None else None


def _page(story: ledger.PageStory) -> CallOfPage:
    row = story.page
    ways = [
        PageDelivery(
            one.key,
            one.channel,
            one.planned_at,
            one.settled_at,
            one.outcome,
            one.receipt,
            one.attempts,
            one.is_maybe_twice,
        )
        for one in story.deliveries
    ]
    events = [
        PageEvent(
            one.happened_at,
            one.kind,
            one.delivery.channel if one.delivery else None,
            one.delivery.key if one.delivery else None,
            one.status,
            one.detail,
        )
        for one in story.events
    ]
    return CallOfPage(
        id=row.pk,
        person=_ref(row.person),
        room=row.room.label if row.room is not None else None,
        urgency=row.urgency,
        turn=row.turn + 1,
        created_at=row.created_at,
        late_by=row.late_by,
        opened_at=row.opened_at,
        acknowledged_at=row.acknowledged_at,
        deliveries=ways,
        events=events,
    )


def _run(story: ledger.RunStory) -> PagingRun:
    row = story.run
    return PagingRun(
        id=row.pk,
        policy=named_ref(row.policy_id, row.policy.slug, row.policy.name) if row.policy else None,
        version=row.number,
        cause=row.cause,
        reason=row.reason,
        state=row.state,  # type: ignore[arg-type]
        round=row.round + 1,
        started_at=row.started_at,
        started_by=_ref(row.started_by),
        next_step_at=row.next_step_at,
        acknowledged_by=_ref(row.acknowledged_by),
        acknowledged_at=row.acknowledged_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        pages=[_page(one) for one in story.pages],
    )


@operation(
    "GET",
    "/tickets/{number}/escalations",
    id="listEscalations",
    summary="Who was called for a ticket: its newest 20 runs, with the ledger of their newest 200 pages",
    tag=TAG,
    scope=READ,
    answer=list[PagingRun],
)
def list_escalations(call: Call) -> list[PagingRun]:
    ticket = visible(call)
    if not queries.may_see_internal(call.actor, ticket):
        raise NotFound("There is no such ticket, or you may not see it.")
    return [_run(one) for one in ledger.of_ticket(ticket.pk)]


def _newest(call: Call, made: Any) -> list[PagingRun]:
    return [_run(one) for one in ledger.of_ticket(call.path["number"])]


class NewPage(Body):
    """Whom to call: one of a policy (its short name), a team or a person; and why."""

    policy: Slug | UnsetType = UNSET
    team: Id | UnsetType = UNSET
    person: Id | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=500)] = ""


@operation(
    "POST",
    "/tickets/{number}/page",
    id="pageForTicket",
    summary="Call somebody for a ticket by hand",
    tag=TAG,
    scope=WRITE,
    body=NewPage,
    answer=list[PagingRun],
    present=_newest,
)
def page_for_ticket(call: Call) -> Any:
    body: NewPage = call.body
    return desk.page(
        call.path["number"],
        policy=body.policy or None,
        team=body.team or None,
        person=body.person or None,
        reason=body.reason,
        actor=call.actor,
        now=call.now,
    )


class PageAnswer(Body):
    """By when the next word comes; as the policy says when left out."""

    minutes: Minutes | UnsetType = UNSET


@operation(
    "POST",
    "/tickets/{number}/acknowledge_paging",
    id="acknowledgePaging",
    summary="Answer what calls for a ticket: the caller has it",
    tag=TAG,
    scope=WRITE,
    body=PageAnswer,
    answer=list[PagingRun],
    present=_newest,
)
def acknowledge_paging(call: Call) -> Any:
    return desk.acknowledge(call.path["number"], minutes=call.body.minutes or None, actor=call.actor, now=call.now)


class NextWord(Body):
    """By when the next word comes."""

    minutes: Minutes


@operation(
    "POST",
    "/tickets/{number}/promise",
    id="promiseWord",
    summary="Say by when the next word comes",
    tag=TAG,
    scope=WRITE,
    body=NextWord,
    answer=list[PagingRun],
    present=_newest,
)
def promise_word(call: Call) -> Any:
    return desk.promise(call.path["number"], minutes=call.body.minutes, actor=call.actor, now=call.now)


class StopPaging(Body):
    """Why nobody is called any more; it becomes a note."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]


@operation(
    "POST",
    "/tickets/{number}/stop_paging",
    id="stopPaging",
    summary="Call nobody any more for a ticket that is still open",
    tag=TAG,
    scope=WRITE,
    body=StopPaging,
    answer=list[PagingRun],
    present=_newest,
)
def stop_paging(call: Call) -> Any:
    return desk.stop(call.path["number"], reason=call.body.reason, actor=call.actor, now=call.now)


class OpenPage(Struct):
    """What calls somebody and has no answer; `title` is "" where they may not see the ticket any more. Practice has no ticket."""

    id: int
    ticket: int | None
    reference: str
    title: str
    priority: int
    since: datetime


@operation(
    "GET",
    "/me/pages",
    id="listMyPages",
    summary="What calls the caller now, the most urgent first, one for each ticket; at most 50",
    tag=TAG,
    scope=READ,
    answer=list[OpenPage],
)
def list_my_pages(call: Call) -> list[OpenPage]:
    return [
        OpenPage(one.page, one.number or None, one.reference, one.title, one.priority, one.since)
        for one in page_answers.waiting_for(call.actor)
    ]


@operation(
    "POST",
    "/pages/{id}/answer",
    id="answerPage",
    summary="Answer a page that called the caller; twice is the same as once",
    tag=TAG,
    scope=WRITE,
    body=PageAnswer,
    answer=list[OpenPage],
    present=lambda call, row: list_my_pages(call),
)
def answer_page(call: Call) -> Any:
    minutes = call.body.minutes or None
    return desk.answer_page(call.path["id"], by="api", minutes=minutes, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/pages/{id}/pass_on",
    id="passPageOn",
    summary="Leave a page to the next; once nobody called with it is still asked, the run waits no longer",
    tag=TAG,
    scope=WRITE,
    answer=list[OpenPage],
    present=lambda call, row: list_my_pages(call),
)
def pass_page_on(call: Call) -> Any:
    return desk.pass_on(call.path["id"], actor=call.actor, now=call.now)
