"""The address of a page: one screen for three in the morning, answered with one thumb and without signing in.

The token in the address is the permission, so nothing here asks for a session, sets a cookie or needs a script. Looking answers
nothing: programs that look at links before people do (previews, scanners of mail) only ever GET.
"""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from allswell.desk import handover_calls, page_answers, page_links, paging
from allswell.desk.page_answers import Shown, Stands
from allswell.desk.rates import Rate
from allswell.desk.sign_in import network_of
from allswell.kernel import clock
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, DeskError, NotFound
from allswell.kernel.text import whole

from . import page_words
from .pages import SeeOther, anyone, words_of_error
from .sign_in import address_of
from .templating import template

if TYPE_CHECKING:
    from allswell.oncall.models import Page

log = logging.getLogger(__name__)

#: addresses that open nothing, asked for by one place; one that opens something is always answered
WRONG_PER_MINUTE = 30
wrong = Rate()
#: until when the next word comes: what is offered
MINUTES = (15, 30, 60, 120)
_MOST_BYTES = 10_000


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@anyone
def page_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """A page and its answer. What goes wrong is said without the address, which must be in no log."""
    try:
        answer = _answer(request, token)
    except Exception as error:  # noqa: BLE001 - a traceback in the log may hold the token
        log.error("The address of a page could not be answered: %s", type(error).__name__)
        answer = _said(_("This did not work"), _("Try again at once. If it still fails, sign in and open the ticket."), 500)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _answer(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    try:
        row, actor = page_answers.called_by(page_links.read(token, now=now))
    except page_links.LinkExpired:
        return _said(
            _("This address is over"),
            _("It was good for 48 hours. Sign in to see what calls you now, or open the newest message."),
            410,
        )
    except NotFound:
        return _nothing(request)
    if int(request.META.get("CONTENT_LENGTH") or 0) > _MOST_BYTES:
        return _said(_("This is too large"), _("Nothing was done."), 413)
    zone = zoneinfo.ZoneInfo(actor.time_zone)
    with translation.override(actor.locale), timezone.override(zone):
        if request.method == "POST":
            return _post(request, row, actor=actor, now=now)
        if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
            paging.open_page(row.pk, actor=actor, now=now)
        return _page(row, actor=actor, now=now)


def _nothing(request: HttpRequest) -> HttpResponse:
    left, wait = wrong.take(network_of(address_of(request)), per_minute=WRONG_PER_MINUTE, at=clock.monotonic())
    if left < 0:
        answer = _said(_("Too many attempts"), _("Wait a minute. The address in your message works all the same."), 429)
        answer.headers["Retry-After"] = str(wait)
        return answer
    words = _("This address opens no page. Open the one in your message as it is, all of it; or sign in and look at the desk.")
    return _said(_("Nothing is here"), words, 404)


def _post(request: HttpRequest, row: Page, *, actor: Actor, now: datetime) -> HttpResponse:
    """Do what the button says; a bare POST (a button of a notification) answers the page."""
    is_page = "text/html" in request.headers.get("Accept", "")
    try:
        said = _do(request, row, actor=actor, now=now)
    except DeskError as error:
        if not is_page:
            return _plain(words_of_error(error), error.http)
        return _page(row, actor=actor, now=now, problem=words_of_error(error), status=error.http)
    return SeeOther(request.path) if is_page else _plain(said, 200)


def _do(request: HttpRequest, row: Page, *, actor: Actor, now: datetime) -> str:
    what = request.POST.get("do", "have")
    if row.handover_id is not None:
        if what == "take":
            handover_calls.take(row.pk, by="link", actor=actor, now=now)
            return _("The shift is yours.")
        handover_calls.see_to(row.pk, by="link", actor=actor, now=now)
        return _("You are not called about this shift any more.")
    minutes = whole(request.POST.get("minutes", ""), digits=4)
    if what == "pass":
        paging.pass_on(row.pk, actor=actor, now=now)
        return _("You passed it on.")
    if what == "word" and minutes is not None:
        paging.promise_by_page(row.pk, minutes=minutes, actor=actor, now=now)
        return _("You have it.")
    if what == "all":
        for other in page_answers.shown(row, actor=actor).others:
            try:
                paging.answer_page(other.page, by="link", actor=actor, now=now)
            except Conflict:
                continue  # over by now, or out of sight: the page says so
    paging.answer_page(row.pk, by="link", actor=actor, now=now)
    return _("You have it.")


def _page(row: Page, *, actor: Actor, now: datetime, problem: str = "", status: int = 200) -> HttpResponse:
    found, _actor = page_answers.called_by(row.pk)  # as it is after what was just done
    if found.handover is not None:
        return _handover(found, actor=actor, now=now, problem=problem, status=status)
    shown = page_answers.shown(found, actor=actor)
    html = template("paged/page.html").render(
        shown=shown,
        why=_why(shown),
        over=_over(shown),
        next=joined(shown.next_names),
        practised=page_words.practised,
        minutes=MINUTES,
        problem=problem,
        now=now,
        language=translation.get_language() or "en",
        Stands=Stands,
    )
    return HttpResponse(html, status=status)


def _handover(row: Page, *, actor: Actor, now: datetime, problem: str, status: int) -> HttpResponse:
    shown = handover_calls.shown(row, actor=actor)
    html = template("paged/handover.html").render(
        shown=shown,
        next=joined(shown.others),
        problem=problem,
        now=now,
        language=translation.get_language() or "en",
        Stands=handover_calls.Stands,
    )
    return HttpResponse(html, status=status)


def _why(shown: Shown) -> str:
    """Why they were called, in a few words."""
    kind, level = shown.why.get("kind"), shown.why.get("level", 1)
    if kind == "rota":
        if level in (1, 2):
            return _("You are first on call") if level == 1 else _("You are second on call")
        return _("You are on call, level %(level)s") % {"level": level}
    said = {
        "person": _("You are called by name"),
        "team": _("Your team is called"),
        "lead": _("You lead the team"),
        "manager": _("You are next in the chain"),
    }
    return said.get(str(kind), "")


def _over(shown: Shown) -> str:
    """Why there is nothing left to answer."""
    said = {
        "restored": _("The service works again."),
        "resolved": _("It is resolved."),
        "cancelled": _("The ticket was cancelled."),
        "merged": _("It was merged into another ticket."),
        "closed": _("The ticket is closed."),
        "handed_over": _("Another team has it."),
        "stopped": _("The paging was stopped by hand."),
        "undone": _("What began it was taken back."),
        "exhausted": _("Everybody was called and nobody answered. Open the ticket and take it."),
    }
    return said.get(shown.run.end_reason, "") if shown.run else ""


def joined(names: Sequence[str]) -> str:
    """A few names as one speaks of them: one, two, or the first and how many more."""
    if len(names) > 2:
        return _("%(name)s and %(count)s more") % {"name": names[0], "count": len(names) - 1}
    return _("%(one)s and %(other)s") % {"one": names[0], "other": names[1]} if len(names) == 2 else "".join(names)


def _said(title: str, text: str, status: int) -> HttpResponse:
    values: dict[str, Any] = {"title": title, "text": text, "language": translation.get_language() or "en"}
    return HttpResponse(template("paged/nothing.html").render(values), status=status)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")


urlpatterns = [path("p/<str:token>", page_link, name="page_link")]
