"""What every page view uses: who asks, what is answered."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme

from allswell.incidents import queries as incidents
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.errors import DeskError
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may

from . import nav
from .templating import template

if TYPE_CHECKING:
    from allswell.people.models import Person

    class PageRequest(HttpRequest):
        """A request as our middleware leaves it: `now` is its instant, `actor` who asks, `person` the signed-in person."""

        now: datetime
        actor: Actor
        person: Person

else:
    PageRequest = HttpRequest

P = ParamSpec("P")
View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


class SeeOther(HttpResponseRedirect):
    """After a POST: look there (303)."""

    status_code = 303


def is_fragment(request: HttpRequest) -> bool:
    """Whether our script asks for a part of the page (same address, header HX-Request) and not for the whole."""
    return request.headers.get("HX-Request") == "true"


def wants_json(request: HttpRequest) -> bool:
    """Whether our script asks for an answer it reads itself."""
    return "application/json" in request.headers.get("Accept", "")


def page(request: HttpRequest, name: str, status: int = 200, **context: Any) -> HttpResponse:
    """Render a template with what every page needs: request, actor, person, now, nav, messages, csrf_token, language."""
    actor = getattr(request, "actor", None)
    person = getattr(request, "person", None)
    values: dict[str, Any] = {
        "request": request,
        "actor": actor,
        "person": person,
        "now": getattr(request, "now", None),
        "csrf_token": get_token(request),
        "language": translation.get_language() or settings.LANGUAGE_CODE,
        "toasts": list(messages.get_messages(request)) if hasattr(request, "_messages") else [],
        "nav": nav.for_actor(actor) if actor else [],
        "counters": nav.counters(actor) if actor and not is_fragment(request) and may(actor, Act.SEE_DESK, INSTALLATION) else {},
        "ribbon": functools.partial(_ribbon, actor),
        **context,
    }
    response = HttpResponse(template(name).render(values), status=status)
    response.headers["Vary"] = "HX-Request"
    return response


def _ribbon(actor: Actor | None) -> list[tuple[int, str, datetime, datetime | None]]:
    """What is announced about the incidents of the viewer's desk; asked for by the pages that show it only."""
    return incidents.ribbon(actor) if actor and may(actor, Act.SEE_DESK, INSTALLATION) else []


def toast(request: HttpRequest, text: str, *, undo: str = "", is_bad: bool = False) -> None:
    """Say something at the foot of the next page. `undo` is an address that takes it back by POST."""
    messages.add_message(request, messages.ERROR if is_bad else messages.SUCCESS, text, extra_tags=undo)


def words_of_error(error: DeskError) -> str:
    """An error in the viewer's language."""
    text = translation.gettext(error.template)
    return text % error.params if error.params else text


def field_errors(error: DeskError) -> dict[str, str]:
    """An error as forms show it: {field: sentence}, the field "" when it belongs to none."""
    return {error.field: words_of_error(error)}


def back_to(request: HttpRequest, fallback: str) -> str:
    """Where to go after a form: its `next` if that is ours, else `fallback`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/"):
        return wanted
    return fallback


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    there = quote(request.get_full_path() if request.method == "GET" else "/")
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": f"{settings.LOGIN_URL}?next=/"})
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?next={there}")


def _enter(request: HttpRequest, channel: Channel) -> PageRequest | None:
    """The request with its actor, None when nobody is signed in."""
    if not request.user.is_authenticated:
        return None
    entered = cast("PageRequest", request)
    entered.person = request.user
    entered.actor = people.actor_for(entered.person, channel=channel)
    return entered


def signed_in(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """For everybody with an account; who speaks is a person at the portal."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        entered = _enter(request, Channel.PORTAL)
        return view(entered, *args, **kwargs) if entered else _sign_in(request)

    wrapped.audience = "signed in"  # type: ignore[attr-defined]
    return wrapped


def desk_page(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """For those to whom the desk is open; a requester is shown the portal, and learns nothing."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        entered = _enter(request, Channel.DESK)
        if entered is None:
            return _sign_in(request)
        if not may(entered.actor, Act.SEE_DESK, INSTALLATION):
            return HttpResponseRedirect("/")
        return view(entered, *args, **kwargs)

    wrapped.audience = "desk"  # type: ignore[attr-defined]
    return wrapped


def anyone(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """For everybody, signed in or not."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(cast("PageRequest", request), *args, **kwargs)

    wrapped.audience = "anyone"  # type: ignore[attr-defined]
    return wrapped
