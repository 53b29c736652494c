"""The page of one ticket: its story, who it concerns, and everything that can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from allswell.desk.mail import beside
from allswell.desk.practices import LIFECYCLES
from allswell.journal import queries as journal
from allswell.journal.rules import Verb, others_in, without_others
from allswell.people.rules import Act, may
from allswell.services import queries as services
from allswell.sla import queries as sla
from allswell.tickets import dossier
from allswell.tickets import queries as tickets
from allswell.tickets.rules import PREFIX, Kind, State, WatcherKind, reference
from allswell.web import clocks, lines
from allswell.web.files import in_place
from allswell.web.pages import PageRequest, desk_page, is_fragment, page, signed_in

from .mailed import Mailed, mailed

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.kernel.actor import Actor
    from allswell.tickets.models import Attachment, Comment, Ticket


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing in the conversation: the beginning, a message or a line of the journal. `anchor` is its id on the page."""

    kind: str  # beginning, message, line
    at: datetime
    anchor: str
    what: Any
    files: tuple[Attachment, ...] = ()
    mail: Mailed | None = None
    pictures: Mapping[str, str] = field(default_factory=dict)


def seen_at_the_desk(number: int, actor: Actor) -> Ticket:
    """The ticket with what its page names; 404 when the actor does not see it at the desk."""
    found = dossier.whole(number, actor=actor)
    if found is None:
        raise Http404
    return found


def _told(ticket: Ticket, said: list[Comment], *, actor: Actor) -> list[Entry]:
    """The journal, without what names a ticket the viewer may not know of; nor do the comments tell that they came from one."""
    entries = journal.story(ticket.pk)
    others = {number for entry in entries for number in others_in(entry.verb, entry.data)}
    hidden = tickets.hidden_from(actor, others | {comment.moved_from_id for comment in said if comment.moved_from_id})
    if not hidden:
        return entries
    for comment in said:
        if comment.moved_from_id in hidden:
            comment.moved_from_id = None
    told = []
    for entry in entries:
        if others_in(entry.verb, entry.data) & hidden:
            if entry.verb not in (Verb.RESOLVED, Verb.FULFILLED, Verb.RESTORED):
                continue  # it tells of nothing but the other
            entry.data = without_others(entry.verb, entry.data, hidden)
        told.append(entry)
    return told


def story(ticket: Ticket, *, actor: Actor) -> list[Happening]:
    """Everything that was said and that happened, oldest first, as far as it concerns tickets the viewer may know of."""
    files: dict[int | None, list[Attachment]] = {}
    attached = dossier.files(ticket.pk)
    for file in attached:
        files.setdefault(file.comment_id, []).append(file)
    shown = in_place(attached)
    comments = dossier.conversation(ticket.pk)
    mails = {comment: mailed(mail) for comment, mail in beside.mails_of(ticket, comments).items()}

    def came_with(comment: int | None) -> tuple[tuple[Attachment, ...], Mailed | None, dict[str, str]]:
        return tuple(files.get(comment, ())), mails.get(comment), shown.get(comment, {})

    happened = [Happening("line", line.at, f"e-{line.entry}", line) for line in lines.of(_told(ticket, comments, actor=actor))]
    said = [Happening("message", comment.created_at, f"m-{comment.pk}", comment, *came_with(comment.pk)) for comment in comments]
    begun = Happening("beginning", ticket.opened_at, "beginning", ticket, *came_with(None))
    # a message and the line of the same instant: the line says what was done, the message why
    return [begun, *sorted(happened + said, key=lambda one: (one.at, one.kind))]


def _merged_into(ticket: Ticket, *, actor: Actor) -> str:
    """The reference of the ticket it went into, if the viewer may know of that."""
    into = ticket.merged_into_id
    kind = tickets.visible_to(actor).filter(pk=into).values_list("kind", flat=True).first() if into else None
    return reference(kind, into) if into and kind else ""


@desk_page
def ticket_page(request: PageRequest, number: int) -> HttpResponseBase:
    """The ticket; with HX-Request its preview."""
    found = dossier.whole(number, actor=request.actor)
    if found is None:
        if tickets.own(request.actor).filter(pk=number).exists():
            return HttpResponseRedirect(f"/my/{number}")
        raise Http404
    if is_fragment(request):
        return _preview(request, found)
    around = dossier.around(found.pk, person=request.actor.person)
    facts = dossier.facts_of(found, around.companions)
    allowed = LIFECYCLES[Kind(found.kind)].allowed(State(found.state))
    return page(
        request,
        "ticket/page.html",
        ticket=found,
        story=story(found, actor=request.actor),
        merged_into=_merged_into(found, actor=request.actor),
        around=around.companions,
        follows=any(one.person == request.actor.person and one.kind == WatcherKind.WATCHER for one in around.companions),
        may_work=may(request.actor, Act.WORK, facts),
        may_lead=may(request.actor, Act.LEAD, facts),
        moves={move.value for move in allowed},
        can_reply=found.state != State.CLOSED,
        is_done=found.done_at is not None,
        links=dossier.links(found.pk, around.pairs, actor=request.actor),
        tags=around.tags,
        failing=around.failing,
        clocks=_clocks(found),
        knows_inside=found.service is not None and services.surely_knows_inside(request.actor, found.service),
        fields=tickets.custom_fields(found.kind) if found.custom else [],
        drafts=around.drafts,
        more=_more(found, may_lead=may(request.actor, Act.LEAD, facts)),
        has_edit=True,
        has_tags=True,
        has_watch=True,
        has_link=True,
        here="desk",
    )


def _clocks(ticket: Ticket) -> list[dict[str, object]]:
    """The clocks of the ticket as they are shown beside it: what runs by its due time, then the rest; of updates only the last."""
    found = sla.shown(ticket.pk)
    last_update = max((clock.number for clock in found if clock.metric == "next_update"), default=0)
    told = [clock for clock in found if clock.metric != "next_update" or clock.number == last_update]
    told.sort(key=lambda clock: (clock.state != "running", clock.due_at or clock.started_at))
    return [clocks.shown(clock) for clock in told]


def _more(ticket: Ticket, *, may_lead: bool) -> list[tuple[str, str, str]]:
    """The seldom acts: (address below the ticket, label, icon)."""
    acts = [("edit", _("Edit details"), "edit"), ("requester", _("Change the requester"), "user-check")]
    acts.append(("copy", _("Put somebody in copy"), "user-plus"))
    acts.append(("link", _("Link"), "link"))
    if ticket.merged_into_id:
        acts.append(("unmerge", _("Take the merge back"), "arrows-split"))
    if ticket.state == State.CLOSED:
        acts.append(("follow-up", _("Open a follow-up"), "arrow-forward-up"))
    acts.append(("split", _("Split off a message"), "arrows-split"))
    if ticket.done_at is None:
        acts.append(("merge", _("Merge into another"), "arrows-join"))
        if ticket.kind == Kind.INCIDENT:
            acts.append(("announce", _("Announce"), "speakerphone"))
        if ticket.kind == Kind.INCIDENT and ticket.restored_at is None:
            acts.append(("restore", _("It works again"), "heartbeat"))
        acts.append(("refile", _("It is a request") if ticket.kind == Kind.INCIDENT else _("It is an incident"), "replace"))
    if not ticket.is_restricted:
        acts.append(("restrict", _("Restrict"), "lock"))
    elif may_lead:
        acts.append(("unrestrict", _("Open to the desk"), "lock-open"))
    return acts


def _preview(request: PageRequest, ticket: Ticket) -> HttpResponseBase:
    last = tickets.comments(ticket, internal=True).filter(is_auto=False).last()
    spoken: Comment | None = last
    around = dossier.around(ticket.pk, person=None)
    return page(
        request,
        "ticket/preview.html",
        ticket=ticket,
        last=spoken,
        files=list(tickets.attachments(ticket, internal=True)[:6]),
        tags=around.tags,
        links=dossier.links(ticket.pk, around.pairs, actor=request.actor),
        clocks=_clocks(ticket),
        can_take=ticket.assignee_id != request.actor.person and ticket.done_at is None,
        moves={move.value for move in LIFECYCLES[Kind(ticket.kind)].allowed(State(ticket.state))},
    )


@signed_in
def by_reference(request: PageRequest, prefix: str, number: int) -> HttpResponseBase:
    """INC-1042 and REQ-1042: to the ticket where the reader may see it, whatever kind it is by now."""
    if prefix.upper() not in PREFIX.values():
        raise Http404
    if tickets.at_the_desk(request.actor).filter(pk=number).exists():
        return HttpResponseRedirect(f"/tickets/{number}")
    if tickets.own(request.actor).filter(pk=number).exists():
        return HttpResponseRedirect(f"/my/{number}")
    raise Http404
