"""What calls the viewer now: a list, and with HX-Request the banner on every live page of the desk."""

from __future__ import annotations

from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allswell.desk import handover_calls, page_answers, paging
from allswell.web.pages import PageRequest, SeeOther, back_to, desk_page, is_fragment, page, toast


@require_safe
@desk_page
def my_pages(request: PageRequest) -> HttpResponseBase:
    """The open pages of the viewer."""
    name = "paged/alarm.html" if is_fragment(request) else "paged/mine.html"
    shifts = handover_calls.waiting_for(request.actor)
    return page(request, name, waiting=page_answers.waiting_for(request.actor), shifts=shifts, here="oncall")


@desk_page
def answer(request: PageRequest, number: int) -> HttpResponseBase:
    """Have it, pass it on, or stop its ringing."""
    if request.method != "POST":
        raise Http404
    paging.own_page(number, actor=request.actor)
    what = request.POST.get("do", "")
    if what == "hush":
        paging.hush(number, actor=request.actor, now=request.now)
    elif what == "pass":
        paging.pass_on(number, actor=request.actor, now=request.now)
        toast(request, _("You passed it on."))
    elif what == "have":
        row = paging.answer_page(number, by="desk", actor=request.actor, now=request.now)
        if row.ticket_id is None:
            toast(request, _("It worked: you have answered."))
            return SeeOther(back_to(request, "/me/contacts#practice"))
        toast(request, _("You have it."))
        return SeeOther(back_to(request, f"/tickets/{row.ticket_id}"))
    else:
        raise Http404
    return SeeOther(back_to(request, "/pages"))
