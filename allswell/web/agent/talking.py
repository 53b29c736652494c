"""The composer: a public reply or an internal note."""

from __future__ import annotations

from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from allswell.desk import tickets as desk
from allswell.tickets.rules import WaitingOn
from allswell.web.pages import PageRequest, desk_page, toast

from .acting import done
from .ticket import seen_at_the_desk


@desk_page
def say(request: PageRequest, number: int) -> HttpResponseBase:
    """Send what stands in the composer; "then" may put the ticket on hold for the requester."""
    if request.method != "POST":
        raise Http404
    ticket = seen_at_the_desk(number, request.actor)
    body = request.POST.get("body", "")
    address = f"/tickets/{number}"
    if request.POST.get("place") != "reply":  # what is not said to be public is not
        desk.note(number, body=body, actor=request.actor, now=request.now)
        toast(request, _("Internal note added."))
        return done(request, address)
    desk.reply(number, body=body, actor=request.actor, now=request.now)
    name = ticket.requester.name if ticket.requester else _("the requester")
    if request.POST.get("then") == "wait":
        desk.wait(number, on=WaitingOn.REQUESTER, actor=request.actor, now=request.now)
        toast(request, _("Sent to %(name)s; the ticket waits for the answer.") % {"name": name})
    else:
        toast(request, _("Sent to %(name)s.") % {"name": name})
    return done(request, address)
