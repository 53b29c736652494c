"""Mail that came in: what became of it, and what waits for a decision."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_GET, require_POST

from allswell.desk.mail import deciding, wording
from allswell.desk.mail import looking as desk
from allswell.intake.rules.mailboxes import MessageState
from allswell.kernel.text import clean, whole
from allswell.people.rules import INSTALLATION, Act, may
from allswell.tickets import queries as tickets
from allswell.web.pages import PageRequest, SeeOther, page, toast

from .gate import setup_page

PAGE = 50
PREVIEW = 4_000
#: what the list shows: the states of each choice
SHOWN = {
    "look": (N_("To be looked at"), (MessageState.HELD, MessageState.QUARANTINED)),
    "pending": (N_("Waiting"), (MessageState.PENDING,)),
    "taken": (N_("On a ticket"), (MessageState.TAKEN,)),
    "ignored": (N_("Left aside"), (MessageState.IGNORED, MessageState.REFUSED, MessageState.DELETED)),
    "all": (N_("All"), ()),
}
STATES = {
    MessageState.PENDING.value: (N_("Waiting"), "clock", ""),
    MessageState.TAKEN.value: (N_("On a ticket"), "check", "ok-c"),
    MessageState.IGNORED.value: (N_("Left aside"), "circle-dashed", ""),
    MessageState.HELD.value: (N_("Held"), "hand-stop", "warn-c"),
    MessageState.REFUSED.value: (N_("Refused"), "x", ""),
    MessageState.QUARANTINED.value: (N_("In quarantine"), "alert-triangle", "bad-c"),
    MessageState.DELETED.value: (N_("Deleted"), "trash", ""),
}


@require_GET
@setup_page
def mail_messages(request: PageRequest) -> HttpResponse:
    """Mail that came in, the newest first; at first what has to be looked at."""
    shown = request.GET.get("show", "look")
    shown = shown if shown in SHOWN else "look"
    sender = clean(request.GET.get("sender", "")).strip().lower()[:254]
    rows = desk.messages(request.actor).select_related("mailbox")
    if SHOWN[shown][1]:
        rows = rows.filter(state__in=SHOWN[shown][1])
    if sender:
        rows = rows.filter(sender=sender)
    before = whole(request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    asked = {"show": shown, **({"sender": sender} if sender else {})}
    following = "?" + urlencode({**asked, "before": found[PAGE - 1].pk}) if len(found) > PAGE else ""
    return _page(
        request,
        "setup/mail_messages.html",
        rows=found[:PAGE],
        shown=shown,
        choices={key: label for key, (label, _states) in SHOWN.items()},
        sender=sender,
        reason=wording.reason,
        seen=_seen(request, [row.ticket_id for row in found]),
        previous="?" + urlencode(asked) if before is not None else "",
        following=following,
    )


def _seen(request: PageRequest, numbers: list[int | None]) -> set[int]:
    wanted = {number for number in numbers if number is not None}
    return set(tickets.visible_to(request.actor).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()


def _page(request: PageRequest, template: str, **more: Any) -> HttpResponse:
    may_change = may(request.actor, Act.SET_UP, INSTALLATION)
    return page(request, template, here="setup", tab="mail", may_change=may_change, states=STATES, **more)


@require_GET
@setup_page
def mail_message(request: PageRequest, number: int) -> HttpResponse:
    """One mail that came in: who sent it, how it was judged and what became of it; its words while somebody has to decide."""
    row = desk.one(number, actor=request.actor)
    said = desk.read(row) if row.state == MessageState.HELD else None
    return _page(
        request,
        "setup/mail_message.html",
        row=row,
        said=said,
        words=said.text[:PREVIEW] if said else "",
        is_cut=bool(said and len(said.text) > PREVIEW),
        reason=wording.reason(row.reason) if row.reason else "",
        why=[*wording.why(row.trail), wording.proof(row.authentication)],
        has_ticket=bool(_seen(request, [row.ticket_id])),
    )


@require_GET
@setup_page
def mail_source(request: PageRequest, number: int) -> HttpResponse:
    """A mail word for word, as a download."""
    raw = desk.word_for_word(number, actor=request.actor)
    response = HttpResponse(raw, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{number}.eml"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_POST
@setup_page
def mail_verb(request: PageRequest, number: int, verb: str) -> HttpResponse:
    """Read a mail again, take one that is held after all, or throw it away."""
    if verb == "release":
        deciding.release(number, person=clean(request.POST.get("person", "")).strip(), actor=request.actor, now=request.now)
        toast(request, _("It is taken in a moment."))
        return SeeOther(f"/setup/mail/{number}")
    (desk.try_again if verb == "try-again" else desk.delete)(number, actor=request.actor, now=request.now)
    toast(request, _("It is read again in a moment.") if verb == "try-again" else _("It is deleted."))
    return SeeOther(f"/setup/mail/{number}" if verb == "try-again" else "/setup/mail")
