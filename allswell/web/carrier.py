"""Where carriers of text messages and calls call back. Nobody is signed in: the carrier signs what it sends, and the address names
the delivery. What is not signed, too long or nonsense is refused in a word and written to the log once in a while.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from allswell.desk import carrier_reports, page_answers, page_links, paging
from allswell.desk.rates import Rate
from allswell.kernel import clock
from allswell.kernel.actor import engine
from allswell.kernel.errors import DeskError
from allswell.notifications import carriers, twiml
from allswell.oncall.queries import escalations
from allswell.tickets.rules import reference

from .pages import anyone, words_of_error

if TYPE_CHECKING:
    from allswell.notifications.carriers import Carrier
    from allswell.oncall.models import PageDelivery

log = logging.getLogger(__name__)

_MOST_BYTES = 20_000
complaints = Rate()


def _is_signed(request: HttpRequest, carrier: Carrier | None) -> bool:
    """Whether the carrier we send by sent this."""
    if carrier is None:
        return False
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    url = f"{settings.PUBLIC_URL}{request.get_full_path()}"
    return carriers.is_genuine(carrier, request.headers.get("X-Twilio-Signature", ""), url=url, fields=fields)


def _refused(why: str, status: int) -> HttpResponse:
    """In a word, and in the log once a minute at most: whoever sends nonsense must not fill it."""
    if complaints.take(why, per_minute=1, at=clock.monotonic())[0] >= 0:
        log.warning("A carrier's callback was refused: %s", why)
    return HttpResponse(f"{why}\n", status=status, content_type="text/plain; charset=utf-8")


def _answered(markup: str) -> HttpResponse:
    return HttpResponse(markup, content_type="text/xml; charset=utf-8")


def _guarded(request: HttpRequest, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Nothing a carrier sends makes a traceback, and its address is in no log."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    try:
        answer = _refused("too large", 413) if int(length) > _MOST_BYTES else act()
    except page_links.LinkExpired:
        answer = _refused("the address is over", 410)
    except DeskError as error:
        answer = _refused(error.code, error.http)
    except Exception as error:  # noqa: BLE001 - a traceback in the log may hold the address
        log.error("A carrier's callback could not be taken: %s", type(error).__name__)
        answer = _refused("not understood", 400)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path
    return answer


def _delivery(request: HttpRequest, signed: str) -> PageDelivery | HttpResponse:
    """The delivery an address is for, if its carrier signed what it sends."""
    row = escalations.delivery(page_links.read_carrier(signed, now=clock.now()))
    if row is None:
        return _refused("not-found", 404)
    carrier = carriers.voice() if row.channel == "voice" else carriers.sms() if row.channel == "sms" else None
    return row if _is_signed(request, carrier) else _refused("not signed", 403)


@csrf_exempt
@require_POST
@anyone
def status(request: HttpRequest, signed: str) -> HttpResponseBase:
    """What became of a message or a call."""

    def act() -> HttpResponse:
        row = _delivery(request, signed)
        if isinstance(row, HttpResponse):
            return row
        said = request.POST.get("MessageStatus") or request.POST.get("SmsStatus") or request.POST.get("CallStatus") or ""
        code = request.POST.get("ErrorCode", "")
        carrier_reports.note_status(row.pk, status=said, detail=code, actor=engine(), now=clock.now())
        return _answered(twiml.nothing())

    return _guarded(request, act)


@csrf_exempt
@require_POST
@anyone
def digits(request: HttpRequest, signed: str) -> HttpResponseBase:
    """The key that was pressed in a call."""

    def act() -> HttpResponse:
        row = _delivery(request, signed)
        if isinstance(row, HttpResponse):
            return row
        _page, actor = page_answers.called_by(row.page_id)
        mark = _mark(request, "CallSid")
        if carrier_reports.is_repeated(actor.person or 0, by="voice", mark=mark):
            return _answered(twiml.nothing())
        has_worked = request.POST.get("Digits", "") == twiml.ACKNOWLEDGE
        if has_worked:
            try:
                paging.answer_page(row.page_id, by="voice", mark=mark, actor=actor, now=clock.now())
            except DeskError:
                has_worked = False
        return _answered(twiml.after_key(actor.locale, has_worked=has_worked))

    return _guarded(request, act)


@csrf_exempt
@require_POST
@anyone
def sms(request: HttpRequest) -> HttpResponseBase:
    """A text message that came back."""

    def act() -> HttpResponse:
        carrier = carriers.sms()
        if carrier is None:
            return _refused("there is no carrier", 404)
        if not _is_signed(request, carrier):
            return _refused("not signed", 403)
        meant = carrier_reports.meant_by(request.POST.get("From", ""), request.POST.get("Body", ""))
        if meant.actor is None:
            return _answered(twiml.nothing())  # a number nobody has shown to be theirs learns nothing
        mark = _mark(request, "MessageSid")
        if carrier_reports.is_repeated(meant.actor.person or 0, by="sms", mark=mark):
            return _answered(twiml.nothing())
        with translation.override(meant.actor.locale):
            return _answered(twiml.reply(_reply(meant, mark)))

    return _guarded(request, act)


def _mark(request: HttpRequest, name: str) -> str:
    """The carrier's own name for a message or a call; "" where it gives none that could be one."""
    said = request.POST.get(name, "")
    return said if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", said) else ""


def _reply(meant: carrier_reports.Meant, mark: str) -> str:
    """Do what was meant, and say what came of it."""
    if meant.page is not None and meant.actor is not None:
        try:
            row = paging.answer_page(meant.page, by="sms", mark=mark, actor=meant.actor, now=clock.now())
        except DeskError as error:
            return words_of_error(error)
        if row.ticket is None:
            return _("It worked: you have answered.")
        return _("You have it: %(ticket)s.") % {"ticket": reference(row.ticket.kind, row.ticket.pk)}
    if meant.problem == "which":
        said = ", ".join(meant.waiting[:8])
        return _("Several pages wait for you: %(tickets)s. Write ack and the number.") % {"tickets": said}
    if meant.problem == "none":
        return _("No such page waits for you.")
    return _("Write ack and the number of the ticket to answer a page.")


urlpatterns = [
    path("carrier/sms", sms, name="carrier_sms"),
    path("carrier/<str:signed>/status", status, name="carrier_status"),
    path("carrier/<str:signed>/digits", digits, name="carrier_digits"),
]
