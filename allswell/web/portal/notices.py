"""What one was told in the app, newest first."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from allswell.desk import notices as desk
from allswell.kernel.text import whole
from allswell.notifications import wording
from allswell.web.pages import PageRequest, SeeOther, page, signed_in, toast

PAGE = 30


@require_safe
@signed_in
def notices(request: PageRequest) -> HttpResponse:
    """My notices, in the words mails use; what has been taken from my sight since is left out."""
    before = whole(request.GET.get("before", ""))
    found, last = desk.inbox(request.actor, before=before, limit=PAGE, now=request.now)
    lines = [(row, matter, said, wording.sentence(said, matter)) for row, matter, said in found]
    return page(
        request,
        "portal/notices.html",
        lines=lines,
        newest=found[0][0].pk if found else None,
        has_new=any(row.read_at is None for row, *_rest in found),
        more=f"?before={last}" if last else "",
    )


@require_POST
@signed_in
def read(request: PageRequest) -> HttpResponse:
    """I have read them, up to the newest the page showed."""
    up_to = whole(request.POST.get("up_to", ""))
    if up_to is not None:
        desk.read(up_to, actor=request.actor, now=request.now)
        toast(request, _("Marked as read."))
    return SeeOther("/profile/notices")
