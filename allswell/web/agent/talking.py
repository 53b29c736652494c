"""The composer: a public reply or an internal note, its files, and its draft."""

from __future__ import annotations

import re
from typing import IO, cast

from django.http import Http404, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from allswell.desk import attachments, writing
from allswell.desk import tickets as desk
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.people import queries as people
from allswell.web import files
from allswell.web.pages import PageRequest, desk_page, signed_in, toast

from .acting import done, undo_address
from .ticket import seen_at_the_desk

_MENTION = re.compile(r"(?<!\w)@([\w.'-]+(?: [\w.'-]+){0,3})")


def mentioned(body: str, actor: Actor) -> list[int]:
    """People named with an @ in a note: the longest known name that begins there."""
    beginnings: set[str] = set()
    for found in _MENTION.finditer(body):
        parts = found[1].split(" ")
        beginnings.update(" ".join(parts[:count]).rstrip(".,;:!?") for count in range(2, len(parts) + 1))
    if not beginnings:
        return []
    known = people.people_visible_to(actor).filter(name__in=beginnings, is_active=True)
    return list(known.values_list("pk", flat=True)[:20])


@desk_page
def say(request: PageRequest, number: int) -> HttpResponseBase:
    """Send what stands in the composer; "then" may put the ticket on hold for the requester."""
    if request.method != "POST":
        raise Http404
    ticket = seen_at_the_desk(number, request.actor)
    body = request.POST.get("body", "")
    received, refused = files.receive(request)
    if refused is not None:
        raise refused
    sent = files.tokens(received)
    address, back = f"/tickets/{number}", undo_address(request, number)
    if request.POST.get("place") != "reply":  # what is not said to be public is not
        names = mentioned(body, request.actor)
        desk.note(number, body=body, attachments=sent, mentions=names, actor=request.actor, now=request.now)
        writing.drop_draft(place="note", number=number, actor=request.actor, now=request.now)
        toast(request, _("Internal note added."), undo=back)
        return done(request, address)
    then_waits = request.POST.get("then") == "wait"
    desk.reply(number, body=body, attachments=sent, then_waits=then_waits, actor=request.actor, now=request.now)
    writing.drop_draft(place="reply", number=number, actor=request.actor, now=request.now)
    name = ticket.requester.name if ticket.requester else _("the requester")
    said = _("Sent to %(name)s; the ticket waits for the answer.") if then_waits else _("Sent to %(name)s.")
    toast(request, said % {"name": name}, undo=back)
    return done(request, address)


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
