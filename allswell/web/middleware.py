"""What happens to every request for a page: its instant, its actor, its language and zone, its errors, its headers."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from allswell.kernel import clock
from allswell.kernel.actor import Channel
from allswell.kernel.errors import DeskError, NotAllowed, NotFound
from allswell.people import queries as people

from . import errors, show
from .pages import SeeOther, is_fragment, toast, wants_json, words_of_error

if TYPE_CHECKING:
    from allswell.people.models import Person

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self';"
    " manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS = (
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(),"
    " microphone=(), midi=(), payment=(), publickey-credentials-get=(self), screen-wake-lock=(), serial=(), usb=()"
)
ZONE_COOKIE = "zone"


class SecurityHeaders:
    """Strict headers on everything we answer; a view may set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._unreadable(request) or self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @staticmethod
    def _unreadable(request: HttpRequest) -> HttpResponse | None:
        """The refusal of a request whose address or cookies hold a NUL: no browser sends one, and PostgreSQL takes none."""
        if "\x00" in request.path_info:
            return errors.not_found(request, ValueError("NUL"))
        said = (unquote(request.META.get("QUERY_STRING", "")), *request.COOKIES.values())
        return errors.bad_request(request, ValueError("NUL")) if any("\x00" in text for text in said) else None


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zoneinfo.ZoneInfo(settings.DEFAULT_TIME_ZONE)


class Viewer:
    """Gives the request its instant and, lazily, its actor; speaks the viewer's language and zone; turns refusals into pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        coming = cast("Any", request)
        coming.now = clock.now()
        if request.path_info.startswith("/api/"):
            return self.get_response(request)
        person = self._person(request)
        coming.person = person
        coming.actor = SimpleLazyObject(lambda: people.actor_for(person, channel=Channel.PORTAL)) if person else None
        language = (person.locale if person else "") or translation.get_language_from_request(request)
        zone = (person.time_zone if person else "") or request.COOKIES.get(ZONE_COOKIE, "") or settings.DEFAULT_TIME_ZONE
        show.set_now(coming.now)
        timezone.activate(_zone(zone))
        try:
            with translation.override(language):
                response = self.get_response(request)
        finally:
            timezone.deactivate()
            show.set_now(None)
        response.headers.setdefault("Content-Language", language)
        return response

    def _person(self, request: HttpRequest) -> Person | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        return request.user if request.user.is_authenticated else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A refusal of the desk: beside the form for our script, as a toast on the page it came from, else as a page."""
        if not isinstance(error, DeskError) or request.path_info.startswith("/api/"):
            return None
        text = words_of_error(error)
        if wants_json(request):
            return JsonResponse({"message": text, "field": error.field, "code": error.code}, status=error.http)
        came_from = urlsplit(request.headers.get("Referer", ""))
        is_from_here = came_from.netloc == request.get_host() and came_from.path != request.path
        is_from_here = is_from_here and not came_from.path.startswith(("//", "/\\"))  # a browser would take that for a host
        if (
            request.method == "POST"
            and is_from_here
            and not isinstance(error, NotFound | NotAllowed)
            and not is_fragment(request)
        ):
            toast(request, text, is_bad=True)
            return SeeOther(came_from.path + (f"?{came_from.query}" if came_from.query else ""))
        return errors.page_for(request, error.http, text)
