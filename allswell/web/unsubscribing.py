"""Ending mails of a kind by one click, without signing in: mail programs POST, people are asked first (RFC 8058)."""

from __future__ import annotations

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from allswell.desk.mail import unsubscribing
from allswell.desk.mail.unsubscribing import Ends
from allswell.desk.rates import Rate
from allswell.desk.sign_in import network_of
from allswell.kernel import clock
from allswell.kernel.errors import NotFound
from allswell.reporting import telling, wording
from allswell.reporting.queries import subscriptions

from .account.profile import TOPICS
from .pages import PageRequest, anyone, page
from .sign_in import address_of

#: addresses that end nothing, tried by one place
WRONG_PER_MINUTE = 30
wrong = Rate()
_MOST_BYTES = 10_000


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@anyone
def unsubscribe(request: PageRequest, token: str) -> HttpResponseBase:
    """GET asks and changes nothing: programs that look at links come first. POST ends these mails, or (`again`) wants them back."""
    try:
        ends = unsubscribing.read(token)
    except NotFound:
        return _guarded(_unknown(request))
    is_posted = request.method == "POST" and int(request.META.get("CONTENT_LENGTH") or 0) <= _MOST_BYTES
    is_wanted = is_posted and bool(request.POST.get("again"))
    if is_posted:
        unsubscribing.end(token, is_wanted=is_wanted, now=clock.now())
    with translation.override(ends.actor.locale):
        if ends.report is not None:
            return _guarded(_report(request, ends))
        names = [_(TOPICS[topic.value]) for topic in ends.topics]
        step = "asked" if not is_posted else "back" if is_wanted else "ended"
        return _guarded(page(request, "unsubscribe.html", names=names, step=step))


def _report(request: PageRequest, ends: Ends) -> HttpResponse:
    """A report that comes regularly: it ends once, and is asked for again where it was."""
    row = subscriptions.subscription(ends.report or 0, person=ends.actor.person or 0)
    names = [wording.title(row.report)] if row is not None and row.report in telling.KINDS else []
    step = "ended" if row is None else "asked"
    return page(request, "unsubscribe.html", names=names, step=step, is_report=True)


def _unknown(request: PageRequest) -> HttpResponse:
    left, wait = wrong.take(network_of(address_of(request)), per_minute=WRONG_PER_MINUTE, at=clock.monotonic())
    answer = page(request, "unsubscribe.html", names=[], step="unknown", status=404 if left >= 0 else 429)
    if left < 0:
        answer.headers["Retry-After"] = str(wait)
    return answer


def _guarded(answer: HttpResponse) -> HttpResponse:
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "no-store"
    return answer


urlpatterns = [path("unsubscribe/<str:token>", unsubscribe, name="unsubscribe")]
