"""The composer: a public reply or an internal note, its files, and its draft."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, cast

from django.http import Http404, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from allswell.desk import attachments, writing
from allswell.desk import tickets as desk
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, DeskError, Invalid
from allswell.kernel.text import whole
from allswell.people import queries as people
from allswell.people.rules import Act, may
from allswell.tickets import queries as tickets
from allswell.web import files
from allswell.web.pages import PageRequest, desk_page, page, signed_in, toast, words_of_error

from .acting import done, undo_address
from .ticket import seen_at_the_desk

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

_MENTION = re.compile(r"(?<!\w)@([\w.'-]+(?: [\w.'-]+){0,3})")
_MOST = 20
_SHOWN = 8
_LOOKED_AT = 60


def mentioned(body: str, actor: Actor, *, chosen: Iterable[int] = ()) -> list[int]:
    """People named with an @ in a note: the longest known name that begins there.

    `chosen` were taken from the suggestions; of two people of one name it says which one is meant. They count while their name
    still stands there.
    """
    beginnings: set[str] = set()
    for found in _MENTION.finditer(body):
        parts = found[1].split(" ")
        beginnings.update(" ".join(parts[:count]).rstrip(".,;:!?") for count in range(1, len(parts) + 1))
    seen = people.people_visible_to(actor).filter(is_active=True)
    taken = dict(seen.filter(pk__in=list(chosen)[:_MOST]).values_list("pk", "name"))
    meant = {pk: name for pk, name in taken.items() if f"@{name}" in body}
    if beginnings := beginnings - set(meant.values()):
        meant.update(seen.filter(name__in=beginnings).values_list("pk", "name")[:_MOST])
    return list(meant)[:_MOST]


@desk_page
def mention(request: PageRequest, number: int) -> HttpResponseBase:
    """Who may be named in a note on this ticket, by what was typed after the @: those who may read it, its own team first."""
    ticket = seen_at_the_desk(number, request.actor)
    text = request.GET.get("q", "").strip()[:100]
    numbers = people.colleagues(request.actor, named=text, first=ticket.team_id, limit=_LOOKED_AT)
    facts, actors = tickets.facts_for(ticket, numbers), people.actors(numbers)
    readers = [pk for pk in numbers if pk in actors and may(actors[pk], Act.SEE_INTERNAL, facts)][:_SHOWN]
    rows = people.people().in_bulk(readers)
    return page(request, "people_found.html", found=[rows[pk] for pk in readers], text=text)


@desk_page
def say(request: PageRequest, number: int) -> HttpResponseBase:
    """Send what stands in the composer; "then" may put the ticket on hold for the requester. What cannot be sent stays a draft."""
    if request.method != "POST":
        raise Http404
    ticket = seen_at_the_desk(number, request.actor)
    # what is not said to be public is not
    place = "reply" if request.POST.get("place") == "reply" else "note"
    try:
        said = _reply(request, ticket) if place == "reply" else _note(request, number)
    except (Conflict, Invalid) as refusal:
        _keep(request, number, place=place, refusal=refusal)
    else:
        writing.drop_draft(place=place, number=number, actor=request.actor, now=request.now)
        toast(request, said, undo=undo_address(request, number))
    return done(request, f"/tickets/{number}")


def _note(request: PageRequest, number: int) -> str:
    body = request.POST.get("body", "")
    chosen = [pk for text in request.POST.getlist("mention") if (pk := whole(text)) is not None]
    names = mentioned(body, request.actor, chosen=chosen)
    desk.note(number, body=body, attachments=_sent(request), mentions=names, actor=request.actor, now=request.now)
    return _("Internal note added.")


def _reply(request: PageRequest, ticket: Ticket) -> str:
    then_waits = request.POST.get("then") == "wait"
    desk.reply(
        ticket.pk,
        body=request.POST.get("body", ""),
        attachments=_sent(request),
        then_waits=then_waits,
        actor=request.actor,
        now=request.now,
    )
    said = _("Sent to %(name)s; the ticket waits for the answer.") if then_waits else _("Sent to %(name)s.")
    return said % {"name": ticket.requester.name if ticket.requester else _("the requester")}


def _sent(request: PageRequest) -> tuple[str, ...]:
    received, refused = files.receive(request)
    if refused is not None:
        raise refused
    return files.tokens(received)


def _keep(request: PageRequest, number: int, *, place: str, refusal: DeskError) -> None:
    """The ticket is closed by now, a file is too large: say so, and lose nothing of what was written."""
    body = request.POST.get("body", "")
    writing.save_draft(place=place, number=number, content={"body": body}, actor=request.actor, now=request.now)
    reason = words_of_error(refusal)
    toast(request, _("%(reason)s What you wrote is kept.") % {"reason": reason} if body.strip() else reason, is_bad=True)


@signed_in
def upload(request: PageRequest) -> HttpResponseBase:
    """Take one file before the message it belongs to; answers the token that the message then names in "kept"."""
    if request.method != "POST":
        raise Http404
    file = request.FILES.get("file")
    if file is None:
        raise Invalid("Choose a file.", field="file")
    kept = attachments.upload(
        cast("IO[bytes]", file),  # a file in all but its type
        name=file.name or "",
        content_type=file.content_type or "",
        actor=request.actor,
        now=request.now,
    )
    return JsonResponse({"token": kept.token, "name": kept.name, "size": kept.size})
