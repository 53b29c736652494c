"""Every verb of the desk on one ticket: POST /tickets/{number}/{verb}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import Meta

from allswell.api.contract import Act, Body, Call, Id, operation
from allswell.desk import tickets as desk
from allswell.tickets import rules

from .shapes import Instant
from .ticket_shapes import Ticket
from .tickets import TAG, Comment, comment_shown, shown

Code = Literal[
    "fixed",
    "workaround",
    "explained",
    "no_fault_found",
    "by_requester",
    "by_supplier",
    "by_itself",
    "duplicate",
    "not_possible",
]
CancelReason = Literal["duplicate", "withdrawn", "mistake", "not_ours"]
Prose = Annotated[str, Meta(min_length=1, max_length=100_000, pattern=r"\S")]
Reason = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S")]


def verb(name: str, *, id: str, summary: str, answer: Any = Ticket, **values: Any) -> Callable[[Act], Act]:
    """Declare a verb on a ticket. It answers the ticket as it is afterwards unless said otherwise."""
    values.setdefault("present", shown)
    values.setdefault("takes_version", True)
    return operation(
        "POST",
        f"/tickets/{{number}}/{name}",
        id=id,
        summary=summary,
        tag=f"{TAG}: verbs",
        scope="tickets:write",
        answer=answer,
        **values,
    )


def _common(call: Call) -> dict[str, Any]:
    return {"actor": call.actor, "now": call.now, "version": call.version}


@verb("take", id="takeTicket", summary="Make it mine; of two who take at once one wins")
def take(call: Call) -> Any:
    return desk.take(call.path["number"], **_common(call))


class Assignment(Body):
    """Who works on it; null: nobody."""

    person: Id | None


@verb("assign", id="assignTicket", summary="Give it to a person, or to nobody", body=Assignment)
def assign(call: Call) -> Any:
    return desk.assign(call.path["number"], person=call.body.person, **_common(call))


class HandOver(Body):
    """Which team, why, and what was tried. With `must_page` it is refused (409) where nobody of the team would be paged for it:
    paging that runs ends when the ticket goes to a team without a policy for its priority.
    """

    team: Id
    reason: Reason
    tried: Annotated[str, Meta(max_length=4000)] = ""
    must_page: bool = False


@verb("hand_over", id="handOverTicket", summary="Functional escalation: another team has the skill", body=HandOver)
def hand_over(call: Call) -> Any:
    body: HandOver = call.body
    return desk.hand_over(
        call.path["number"], team=body.team, reason=body.reason, tried=body.tried, must_page=body.must_page, **_common(call)
    )


class Escalation(Body):
    """Why somebody with more authority is needed."""

    reason: Reason


@verb("escalate", id="escalateTicket", summary="Hierarchic escalation: to the lead, then up the managers", body=Escalation)
def escalate(call: Call) -> Any:
    return desk.escalate(call.path["number"], reason=call.body.reason, **_common(call))


class Reply(Body):
    """What is said publicly, in Markdown. `attachments` are tokens of files uploaded before."""

    body: Prose
    attachments: list[Annotated[str, Meta(max_length=43)]] = []


@verb(
    "reply",
    id="replyToTicket",
    summary="Say something publicly: the desk to the requester, or the requester to the desk",
    body=Reply,
    answer=Comment,
    status=201,
    present=comment_shown,
)
def reply(call: Call) -> Any:
    body: Reply = call.body
    return desk.reply(call.path["number"], body=body.body, attachments=tuple(body.attachments), **_common(call))


class Note(Reply):
    """What only the desk reads, in Markdown. `mentions` are people to tell."""

    mentions: list[Id] = []


@verb(
    "note",
    id="noteOnTicket",
    summary="Write an internal note",
    body=Note,
    answer=Comment,
    status=201,
    present=comment_shown,
    takes_version=False,
)
def note(call: Call) -> Any:
    body: Note = call.body
    return desk.note(
        call.path["number"],
        body=body.body,
        attachments=tuple(body.attachments),
        mentions=tuple(body.mentions),
        actor=call.actor,
        now=call.now,
    )


class Wait(Body):
    """What it waits for, and at most until when."""

    on: rules.WaitingOn
    until: Instant | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""


@verb("wait", id="waitWithTicket", summary="It cannot go on: it waits for the requester, a supplier or a change", body=Wait)
def wait(call: Call) -> Any:
    body: Wait = call.body
    return desk.wait(call.path["number"], on=body.on, until=body.until, reason=body.reason, **_common(call))


@verb("resume", id="resumeTicket", summary="Go on with a waiting ticket")
def resume(call: Call) -> Any:
    return desk.resume(call.path["number"], **_common(call))


class Resolution(Body):
    """How it was resolved, in a code and in words for the requester."""

    code: Code = "fixed"
    resolution: Annotated[str, Meta(max_length=100_000)] = ""


@verb(
    "resolve", id="resolveTicket", summary="Resolve an incident or fulfil a request; everybody who asked is told", body=Resolution
)
def resolve(call: Call) -> Any:
    body: Resolution = call.body
    return desk.resolve(call.path["number"], code=body.code, resolution=body.resolution, **_common(call))


class Reopening(Body):
    """Why it is not solved; said publicly."""

    reason: Annotated[str, Meta(max_length=100_000)] = ""


@verb("reopen", id="reopenTicket", summary="It is not solved after all", body=Reopening)
def reopen(call: Call) -> Any:
    return desk.reopen(call.path["number"], reason=call.body.reason, **_common(call))


@verb("close", id="closeTicket", summary="Close a resolved ticket for good")
def close(call: Call) -> Any:
    return desk.close(call.path["number"], **_common(call))


class Cancellation(Body):
    """Why it is not worked."""

    reason: CancelReason


@verb("cancel", id="cancelTicket", summary="End a ticket that should not be worked", body=Cancellation)
def cancel(call: Call) -> Any:
    return desk.cancel(call.path["number"], reason=call.body.reason, **_common(call))
