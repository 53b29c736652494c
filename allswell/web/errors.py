"""The pages shown when something cannot be answered: what happened, what we kept, what to do."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _

from .templating import template

_TITLES = {
    403: "not-allowed",
    404: "not-found",
    405: "not-allowed",
    409: "conflict",
    413: "too-large",
    422: "invalid",
    500: "error",
}


def page_for(request: HttpRequest, status: int, text: str) -> HttpResponse:
    """An error as a page, or as problem+json below /api/. Needs no database."""
    if request.path_info.startswith("/api/"):
        problem = {"type": "about:blank", "title": text, "status": status, "code": _TITLES.get(status, "error")}
        return JsonResponse(problem, status=status, content_type="application/problem+json")
    titles = {
        403: _("You may not do this"),
        404: _("Nothing is here"),
        405: _("This is not done this way"),
        409: _("This is no longer possible"),
        413: _("This is too large"),
        422: _("Something is missing or wrong"),
        429: _("Too many attempts"),
        500: _("Something broke"),
    }
    html = template("error.html").render(
        title=titles.get(status, titles[500]), text=text, status=status, language=translation.get_language() or "en"
    )
    return HttpResponse(html, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return page_for(request, 404, _("There is no such page, or you may not see it."))


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return page_for(request, 403, _("Your role does not allow this."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, and 413 for what Django refuses for its size."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return page_for(request, 413, _("This is too large"))
    return page_for(request, 400, _("We did not understand this request."))


def broken(request: HttpRequest) -> HttpResponse:
    """500: the reason is in the log, never on the page."""
    text = _("It is our fault, and it has been written down. Nothing you saved before is lost. Go back and try once more.")
    return page_for(request, 500, text)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The CSRF check failed: mostly a page left open over a sign-out."""
    return page_for(request, 403, _("This page was open for too long. Go back, reload it and send it again."))
