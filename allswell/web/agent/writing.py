"""What goes on while somebody writes: drafts kept, and who else is here."""

from __future__ import annotations

from django.http import Http404, JsonResponse
from django.http.response import HttpResponseBase

from allswell.desk import writing as desk
from allswell.tickets import dossier
from allswell.web.pages import PageRequest, desk_page, page


@desk_page
def draft(request: PageRequest, number: int) -> HttpResponseBase:
    """Keep a draft of a reply or a note."""
    if request.method != "POST":
        raise Http404
    place = request.POST.get("place", "")
    content = {"body": request.POST.get("body", "")}
    desk.save_draft(place=place, number=number, content=content, actor=request.actor, now=request.now)
    return JsonResponse({"saved": bool(content["body"].strip())})


@desk_page
def presence(request: PageRequest, number: int) -> HttpResponseBase:
    """Say that one is here (and writing what), hear who else is."""
    if request.method != "POST":
        raise Http404
    if request.POST.get("gone") == "1":
        desk.left(number, actor=request.actor, now=request.now)
        return JsonResponse({})
    writing = request.POST.get("writing", "")
    desk.seen(number, writing=writing if writing in ("reply", "note") else "", actor=request.actor, now=request.now)
    others = dossier.visitors(number, but=request.actor.person, now=request.now)
    return page(request, "ticket/visitors.html", visitors=others)
