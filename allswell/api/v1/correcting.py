"""Correcting a ticket, and who and what stands around it: PATCH, and more verbs."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, operation
from allswell.desk import tickets as desk
from allswell.tickets import dossier, queries, rules

from .shapes import Instant, Level, PersonRef, Ref, changes
from .ticket_shapes import Ticket, after_act
from .tickets import TAG, shown, visible
from .verbs import Prose, verb

Word = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\S")]


class TicketChange(Body):
    """What to correct; what is left out stays. A custom field set to null is emptied."""

    title: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=100_000)] | UnsetType = UNSET
    service: Ref | UnsetType | None = UNSET
    category: Id | UnsetType | None = UNSET
    impact: Level | UnsetType = UNSET
    urgency: Level | UnsetType = UNSET
    occurred_at: Instant | UnsetType | None = UNSET
    custom: dict[str, Any] | UnsetType = UNSET
    keeps_override: bool = False


@operation(
    "PATCH",
    "/tickets/{number}",
    id="updateTicket",
    summary="Correct a ticket; the priority is worked out again",
    tag=TAG,
    scope="tickets:write",
    details="A priority set by hand falls when impact or urgency change, unless `keeps_override` is true.",
    body=TicketChange,
    answer=Ticket,
    present=shown,
    takes_version=True,
)
def update(call: Call) -> Any:
    wanted = changes(call.body)
    keeps_override = wanted.pop("keeps_override")
    return desk.edit(
        call.path["number"],
        changes=wanted,
        keeps_override=keeps_override,
        actor=call.actor,
        now=call.now,
        version=call.version,
    )


class Override(Body):
    """A priority set by hand, and why; null lets it be worked out again."""

    priority: Annotated[int, Meta(ge=1, le=5)] | None
    reason: Annotated[str, Meta(max_length=200)] = ""


@verb("override_priority", id="overridePriority", summary="Set the priority by hand, with a reason", body=Override)
def override_priority(call: Call) -> Any:
    body: Override = call.body
    return desk.override_priority(
        call.path["number"],
        priority=body.priority,
        reason=body.reason,
        actor=call.actor,
        now=call.now,
        version=call.version,
    )


class Refiling(Body):
    """The right kind."""

    kind: rules.Kind


@verb("refile", id="refileTicket", summary="It was reported as the wrong kind; it keeps its number and everything", body=Refiling)
def refile(call: Call) -> Any:
    kind: rules.Kind = call.body.kind
    return desk.refile(call.path["number"], kind=kind, actor=call.actor, now=call.now, version=call.version)


class Restoration(Body):
    """Since when the service works again; now unless said."""

    restored_at: Instant | None = None


@verb("restore", id="restoreTicket", summary="The service works again, though the incident is not resolved yet", body=Restoration)
def restore(call: Call) -> Any:
    since = call.body.restored_at
    return desk.restore(call.path["number"], restored_at=since, actor=call.actor, now=call.now, version=call.version)


@verb("confirm", id="confirmTicket", summary="The requester says that it is solved; it closes at once")
def confirm(call: Call) -> Any:
    return desk.confirm(call.path["number"], actor=call.actor, now=call.now, version=call.version)


class Rating(Body):
    """How it went, 1 (bad) to 5 (well)."""

    score: Annotated[int, Meta(ge=1, le=5)]
    comment: Annotated[str, Meta(max_length=1000)] = ""


@verb("rate", id="rateTicket", summary="The requester says how it went", body=Rating)
def rate(call: Call) -> Any:
    body: Rating = call.body
    return desk.rate(
        call.path["number"],
        score=body.score,
        comment=body.comment,
        actor=call.actor,
        now=call.now,
        version=call.version,
    )


class FollowUp(Body):
    """What the closed ticket did not settle."""

    description: Prose


@verb(
    "follow_up",
    id="followUpTicket",
    summary="Open a new ticket for what a closed one did not settle",
    body=FollowUp,
    status=201,
    present=lambda call, ticket: _followed_up(call, ticket),
    takes_version=False,
)
def follow_up(call: Call) -> Any:
    return desk.follow_up(call.path["number"], description=call.body.description, actor=call.actor, now=call.now)


def _followed_up(call: Call, ticket: Any) -> Ticket:
    call.headers["Location"] = f"{BASE}/tickets/{ticket.pk}"
    return after_act(ticket.pk, actor=call.actor)


class Companion(Struct):
    """Somebody who is told about a ticket, and why: watcher (follows it at the desk), participant (in copy: sees the public
    conversation), affected (said "same for me"), named (may see it though it is restricted)."""

    person: PersonRef
    kind: rules.WatcherKind


class Companions(Struct):
    """Everybody around a ticket, longest first."""

    items: list[Companion]


@operation(
    "GET",
    "/tickets/{number}/watchers",
    id="listWatchers",
    summary="Who follows a ticket, is in copy, affected or named",
    tag=TAG,
    scope="tickets:read",
    details="A requester and those in copy see who is in copy, nothing else.",
    answer=Companions,
)
def watchers(call: Call) -> Companions:
    ticket = visible(call)
    is_internal = queries.may_see_internal(call.actor, ticket)
    return Companions(
        [
            Companion(PersonRef(one.person, one.name), rules.WatcherKind(one.kind))
            for one in dossier.companions(ticket)
            if is_internal or one.kind == rules.WatcherKind.PARTICIPANT
        ]
    )


class OnePerson(Body):
    """Who; the caller unless said."""

    person: Id | None = None


@verb("watch", id="watchTicket", summary="Be told of everything that happens on it", body=OnePerson, takes_version=False)
def watch(call: Call) -> Any:
    return desk.watch(call.path["number"], person=call.body.person, actor=call.actor, now=call.now)


@verb("unwatch", id="unwatchTicket", summary="Be told no longer", body=OnePerson, takes_version=False)
def unwatch(call: Call) -> Any:
    return desk.unwatch(call.path["number"], person=call.body.person, actor=call.actor, now=call.now)


class NewParticipant(Body):
    """Who is put in copy, by id or known e-mail address."""

    person: Id | Annotated[str, Meta(max_length=254, pattern="@")]


@verb(
    "add_participant",
    id="addParticipant",
    summary="Put somebody in copy: they see the public conversation and speak in it",
    details="Who asked for the ticket may do it too, by e-mail address, with people of their own organization.",
    body=NewParticipant,
    takes_version=False,
)
def add_participant(call: Call) -> Any:
    return desk.add_participant(call.path["number"], person=call.body.person, actor=call.actor, now=call.now)


class Participant(Body):
    """Who."""

    person: Id


@verb("remove_participant", id="removeParticipant", summary="Take somebody out of copy", body=Participant, takes_version=False)
def remove_participant(call: Call) -> Any:
    return desk.remove_participant(call.path["number"], person=call.body.person, actor=call.actor, now=call.now)


class TagName(Body):
    """A word."""

    name: Word


@verb("tag", id="tagTicket", summary="Put a word on it", body=TagName, takes_version=False)
def tag(call: Call) -> Any:
    return desk.tag(call.path["number"], name=call.body.name, actor=call.actor, now=call.now)


@verb("untag", id="untagTicket", summary="Take a word off it", body=TagName, takes_version=False)
def untag(call: Call) -> Any:
    return desk.untag(call.path["number"], name=call.body.name, actor=call.actor, now=call.now)


class Restriction(Body):
    """Who may see it besides its team, assignee and requester's side."""

    people: Annotated[list[Id], Meta(max_length=200)] = []


@verb("restrict", id="restrictTicket", summary="Hide it from everybody but its team and named people", body=Restriction)
def restrict(call: Call) -> Any:
    people = call.body.people
    return desk.restrict(call.path["number"], people=people, actor=call.actor, now=call.now, version=call.version)


@verb("name_people", id="namePeople", summary="Let more people see a restricted ticket", body=Restriction, takes_version=False)
def name_people(call: Call) -> Any:
    return desk.name_people(call.path["number"], people=call.body.people, actor=call.actor, now=call.now)


@verb("unname_person", id="unnamePerson", summary="Let somebody see it no longer", body=Participant, takes_version=False)
def unname_person(call: Call) -> Any:
    return desk.unname_person(call.path["number"], person=call.body.person, actor=call.actor, now=call.now)


@verb("unrestrict", id="unrestrictTicket", summary="Show a restricted ticket to everybody at the desk again")
def unrestrict(call: Call) -> Any:
    return desk.unrestrict(call.path["number"], actor=call.actor, now=call.now, version=call.version)
