"""The secret addresses at which calendar programs read shifts. They carry no session: the address is the key, and it can be ended."""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_safe

from allswell.desk import shift_calendars, shifts
from allswell.desk.rates import Rate
from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.kernel.errors import DeskError
from allswell.oncall import queries
from allswell.people import queries as people

from .pages import anyone

log = logging.getLogger(__name__)

#: how often one address is answered
PER_MINUTE = 20
_LONGEST = 100
readings = Rate()


@require_safe
@anyone
def read(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The shifts as iCalendar. What goes wrong is said without the address, which must be in no log."""
    try:
        answer = _answer(secret)
    except Exception as error:  # noqa: BLE001 - a traceback in the log may hold the secret
        log.error("A calendar of shifts could not be made: %s", type(error).__name__)
        answer = _plain("This did not work. Try again in a while.", 500)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # Django would log the path
    return answer


def _answer(secret: str) -> HttpResponse:
    now = clock.now()
    link = queries.calendar_link(secret) if len(secret) <= _LONGEST and secret.isascii() else None
    if link is None:
        return _plain("There is nothing at this address.", 404)
    left, wait = readings.take(str(link.pk), per_minute=PER_MINUTE, at=clock.monotonic())
    if left < 0:
        answer = _plain("This is read too often.", 429)
        answer.headers["Retry-After"] = str(wait)
        return answer
    actor = people.actor_for(link.person, channel=Channel.API)
    host = urlsplit(settings.PUBLIC_URL).hostname or "allswell"
    try:
        content = shift_calendars.document(link, host=host, actor=actor, now=now)
    except DeskError:
        return _plain("There is nothing at this address.", 404)
    if link.last_read_at is None or now - link.last_read_at >= timedelta(minutes=1):
        shifts.note_calendar_reading(link.pk, actor=actor, now=now)
    answer = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="shifts.ics"'
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _plain(words: str, status: int) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")


urlpatterns = [path("shifts/<str:secret>.ics", read, name="shift_calendar")]
