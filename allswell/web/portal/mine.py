"""My tickets, and one of them: what was said, an answer, "not solved", "solved, thank you"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import F
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from allswell.desk import tickets as desk
from allswell.desk import writing
from allswell.incidents import queries as incidents
from allswell.journal import queries as journal
from allswell.journal.rules import PUBLIC_VERBS, Verb
from allswell.kernel.errors import DeskError, NotFound
from allswell.kernel.text import whole
from allswell.people import queries as people
from allswell.search import queries as search
from allswell.sla import queries as sla
from allswell.tickets import dossier
from allswell.tickets import queries as tickets
from allswell.tickets.rules import RESOLVED_STATES, State, WatcherKind
from allswell.web import files, show
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, signed_in, toast

from . import words

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.kernel.actor import Actor
    from allswell.people.models import Person
    from allswell.tickets.models import Attachment, Comment, Ticket

PAGE = 20
#: what a requester is told of a promise that runs
_SAID = {
    "first_response": N_("We answer by %(at)s."),
    "next_update": N_("You hear from us again by %(at)s."),
    "restoration": N_("We mean to have it working again by %(at)s."),
    "resolution": N_("We mean to have it solved by %(at)s."),
    "fulfilment": N_("We mean to have it done by %(at)s."),
}
_LIST = ("id", "kind", "title", "state", "waiting_on", "opened_at", "updated_at", "requester_id", "done_at")


def newest(actor: Actor, *, limit: int) -> list[Ticket]:
    """The actor's own tickets as the first page shows them: the open ones first, then what moved last."""
    rows = tickets.own(actor).only(*_LIST)
    return list(rows.order_by(F("done_at").asc(nulls_first=True), "-updated_at", "-id")[:limit])


def _listed(actor: Actor, *, is_open: bool, query: str, before: int | None) -> list[Ticket]:
    """One page of the actor's own tickets and one more, newest first."""
    rows: QuerySet[Ticket] = tickets.own(actor).filter(done_at__isnull=is_open).only(*_LIST).order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if not query:
        return list(rows[: PAGE + 1])
    number = whole(query.rpartition("-")[2])
    if number is not None:
        return list(rows.filter(pk=number)[:1])
    found = search.newest(rows, query, internal=False, limit=PAGE + 1, before=before)
    return list(rows.filter(pk__in=found))


@require_safe
@signed_in
def my_tickets(request: PageRequest) -> HttpResponse:
    """What I asked for and what I am in copy of: open or done, found by words or number."""
    is_open = request.GET.get("show") != "done"
    query = request.GET.get("q", "").strip()[:200]
    rows = _listed(request.actor, is_open=is_open, query=query, before=whole(request.GET.get("before", "")))
    more = ""
    if len(rows) > PAGE:
        rows = rows[:PAGE]
        kept = {"show": "" if is_open else "done", "q": query, "before": rows[-1].pk}
        more = "?" + urlencode({name: value for name, value in kept.items() if value})
    return page(request, "portal/mine.html", portal=words, rows=rows, is_open=is_open, query=query, more=more)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on the page of a ticket: somebody's words, or something that happened."""

    at: datetime
    comment: Comment | None = None
    files: tuple[Attachment, ...] = ()
    text: str = ""
    icon: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)


def _lines(ticket: Ticket) -> list[Line]:
    """The public conversation and what happened, oldest first. Notes never pass here: both reads ask for what is public."""
    attached: dict[int | None, list[Attachment]] = {}
    found = list(tickets.attachments(ticket, internal=False))
    for file in found:
        attached.setdefault(file.comment_id, []).append(file)
    drawn = files.in_place(found)
    lines = [Line(ticket.opened_at, files=tuple(attached.get(None, ())), icon="description", pictures=drawn.get(None, {}))]
    said = tickets.comments(ticket, internal=False)
    lines += [
        Line(one.created_at, comment=one, files=tuple(attached.get(one.pk, ())), pictures=drawn.get(one.pk, {})) for one in said
    ]
    shown = PUBLIC_VERBS - {Verb.REPLIED, Verb.INCIDENT_REPORTED, Verb.REQUEST_MADE}
    for entry in journal.of_ticket(ticket.pk).filter(verb__in=[verb.value for verb in shown]):
        text, icon = words.happened(entry.verb, entry.data.get("on", ""))
        lines.append(Line(entry.happened_at, text=text, icon=icon))
    return sorted(lines, key=lambda line: line.at)


def _own(actor: Actor, number: int) -> Ticket:
    found = tickets.own(actor).select_related("service", "requester", "assignee", "team").filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such ticket, or you may not see it.")
    return found


def _promise(ticket: Ticket) -> str:
    """What the requester was promised next, in a sentence; "" when nothing is, or it is paused."""
    due = [
        clock
        for clock in sla.shown(ticket.pk)
        if clock.agreement.audience == "customer" and clock.state == "running" and clock.due_at and clock.metric in _SAID
    ]
    first = min(due, key=lambda clock: clock.due_at or clock.started_at, default=None)
    if first is None or first.due_at is None:
        return ""
    if first.due_at <= show.now():
        return _("We are later than we promised. It has not been forgotten.")
    return _(_SAID[first.metric]) % {"at": show.clock_text(first.due_at)}


def people_in_copy(number: int) -> list[Person]:
    """Who else sees this conversation, by name."""
    ids = tickets.watchers(number, [WatcherKind.PARTICIPANT])
    return list(people.people().filter(pk__in=ids).order_by("name", "id")) if ids else []


def _page(request: PageRequest, number: int, *, status: int = 200, **context: Any) -> HttpResponse:
    ticket = _own(request.actor, number)
    announcement = incidents.open_announcement(number)
    if announcement and not incidents.visible_announcements(request.actor).filter(pk=announcement.pk).exists():
        announcement = None
    return page(
        request,
        "portal/ticket.html",
        status,
        portal=words,
        ticket=ticket,
        lines=_lines(ticket),
        announcement=announcement,
        promise=_promise(ticket),
        in_copy=people_in_copy(number),
        is_mine=ticket.requester_id == request.actor.person,
        is_solved=ticket.state in RESOLVED_STATES,
        may_write=ticket.state not in (State.CANCELLED, State.REJECTED),
        is_closed=ticket.state == State.CLOSED,
        stars=_stars(),
        **{"errors": {}, "body": "", "wanted": "", "kept": [], **context},
    )


def _stars() -> list[tuple[int, str]]:
    return [(count, ngettext("%(n)s star", "%(n)s stars", count) % {"n": count}) for count in (5, 4, 3, 2, 1)]


@require_safe
@signed_in
def my_ticket(request: PageRequest, number: int) -> HttpResponse:
    """One of my tickets: the public conversation and nothing else of it; the answer one was writing is still there."""
    kept = dossier.drafts(number, person=request.actor.person).get("reply", {})
    return _page(request, number, body=kept.get("body", ""))


@require_POST
@signed_in
def draft(request: PageRequest, number: int) -> HttpResponse:
    """Keep the answer that is being written."""
    _own(request.actor, number)
    body = request.POST.get("body", "")
    writing.save_draft(place="reply", number=number, content={"body": body}, actor=request.actor, now=request.now)
    return HttpResponse(status=204)


@require_POST
@signed_in
def reply(request: PageRequest, number: int) -> HttpResponse:
    """Answer, with files. What was written and uploaded is kept when it cannot be sent."""
    _own(request.actor, number)
    body = request.POST.get("body", "")
    received, refused = files.receive(request)
    try:
        if refused:
            raise refused
        sent = files.tokens(received)
        written = desk.reply(number, body=body, attachments=sent, actor=request.actor, now=request.now)
    except DeskError as error:
        return _page(request, number, status=error.http, errors=field_errors(error), body=body, kept=received)
    writing.drop_draft(place="reply", number=number, actor=request.actor, now=request.now)
    if written.ticket_id != number:
        toast(request, _("The old ticket is closed. This is a new one that continues it."))
    else:
        toast(request, _("Sent."))
    return SeeOther(f"/my/{written.ticket_id}#c-{written.pk}")


@require_POST
@signed_in
def reopen(request: PageRequest, number: int) -> HttpResponse:
    """It is not solved after all, and why."""
    _own(request.actor, number)
    reason = request.POST.get("reason", "")
    try:
        desk.reopen(number, reason=reason, actor=request.actor, now=request.now)
    except DeskError as error:
        return _page(request, number, status=error.http, errors=field_errors(error), reason=reason)
    toast(request, _("Opened again. We look at it."))
    return SeeOther(f"/my/{number}#end")


@require_POST
@signed_in
def confirm(request: PageRequest, number: int) -> HttpResponse:
    """It is solved; with stars, if one likes to give some."""
    _own(request.actor, number)
    stars = whole(request.POST.get("stars", ""))
    desk.confirm(number, actor=request.actor, now=request.now)
    if stars is not None:
        desk.rate(number, score=stars, actor=request.actor, now=request.now)
    toast(request, _("Thank you. The ticket is closed."))
    return SeeOther(f"/my/{number}")


@require_POST
@signed_in
def rate(request: PageRequest, number: int) -> HttpResponse:
    """How it went, one star to five."""
    _own(request.actor, number)
    stars, comment = request.POST.get("stars", ""), request.POST.get("comment", "")
    try:
        desk.rate(number, score=whole(stars) or 0, comment=comment, actor=request.actor, now=request.now)
    except DeskError as error:
        return _page(request, number, status=error.http, errors=field_errors(error), comment=comment)
    toast(request, _("Thank you for telling us."))
    return SeeOther(f"/my/{number}")


@require_POST
@signed_in
def put_in_copy(request: PageRequest, number: int) -> HttpResponse:
    """Let a colleague read along and answer, by e-mail address."""
    _own(request.actor, number)
    address = request.POST.get("person", "").strip()[:254]
    try:
        desk.add_participant(number, person=address, actor=request.actor, now=request.now)
    except DeskError as error:
        return _page(request, number, status=error.http, errors=field_errors(error), wanted=address)
    toast(request, _("They are in copy."))
    return SeeOther(f"/my/{number}#copy")


@require_POST
@signed_in
def take_out_of_copy(request: PageRequest, number: int) -> HttpResponse:
    """A colleague no longer reads along."""
    _own(request.actor, number)
    person = whole(request.POST.get("person", ""))
    if person is not None:
        desk.remove_participant(number, person=person, actor=request.actor, now=request.now)
        toast(request, _("They are no longer in copy."))
    return SeeOther(f"/my/{number}#copy")


@require_POST
@signed_in
def leave(request: PageRequest, number: int) -> HttpResponse:
    """No longer be in copy."""
    _own(request.actor, number)
    if request.actor.person is not None:
        desk.remove_participant(number, person=request.actor.person, actor=request.actor, now=request.now)
    toast(request, _("You are no longer in copy."))
    return SeeOther("/my/")
