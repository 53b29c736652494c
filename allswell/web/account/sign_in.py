"""Signing in and out, and a new password by mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from allswell.desk import people as desk_people
from allswell.desk import sign_in as desk
from allswell.kernel.actor import Role, nobody
from allswell.kernel.errors import DeskError, Invalid, NotFound
from allswell.people import queries as people
from allswell.web.pages import PageRequest, SeeOther, anyone, back_to, field_errors, page, toast
from allswell.web.sign_in import address_of, open_session

if TYPE_CHECKING:
    from allswell.people.models import Person

_PENDING = "second_factor"  # in the session between password and code
_CODE_WITHIN = timedelta(minutes=10)
_REF = "new_password"


def _home(person: Person) -> str:
    """Where somebody's day begins: at the desk, or in the portal."""
    at_desk = people.grants(person.pk).exclude(role=Role.REQUESTER.value).exists()
    return "/desk/" if at_desk else "/"


def _next(request: HttpRequest) -> str:
    """Where somebody wanted to go; nowhere in particular when that is the front door."""
    wanted = back_to(request, "")
    return "" if wanted == "/" else wanted


@require_http_methods(["GET", "POST"])
@anyone
def sign_in(request: PageRequest) -> HttpResponse:
    """E-mail and password; then, for those who want it, the code of the second factor."""
    if request.method == "GET":
        if request.user.is_authenticated:
            return SeeOther(_next(request) or "/")
        return page(request, "account/sign_in.html", next=_next(request))
    email = request.POST.get("email", "")[:254]
    context: dict[str, Any] = {"next": _next(request), "email": email}
    try:
        person = desk.attempt(
            email=email,
            password=request.POST.get("password", ""),
            ip=address_of(request),
            actor=nobody(),
            now=request.now,
        )
    except desk.TooMany as error:
        return page(request, "account/sign_in.html", status=429, errors={"": field_errors(error)[""]}, **context)
    if person is None:
        wrong = _("This e-mail address and password do not belong together.")
        return page(request, "account/sign_in.html", status=422, errors={"": wrong}, **context)
    if people.has_second_factor(person.pk):
        request.session.cycle_key()
        until = request.now + _CODE_WITHIN
        hash_ = person.get_session_auth_hash()
        request.session[_PENDING] = {"person": person.pk, "hash": hash_, "until": until.isoformat(), "next": _next(request)}
        return SeeOther("/sign-in/code")
    open_session(request, person)
    return SeeOther(_next(request) or _home(person))


def _pending(request: PageRequest) -> tuple[Person, str] | None:
    """Who gave the right password a moment ago, and where they wanted to go."""
    kept = request.session.get(_PENDING)
    if not kept or datetime.fromisoformat(kept["until"]) < request.now:
        return None
    person = people.person(kept["person"])
    if person is None or person.get_session_auth_hash() != kept["hash"]:
        return None
    return person, kept["next"]


@require_http_methods(["GET", "POST"])
@anyone
def sign_in_code(request: PageRequest) -> HttpResponse:
    """The code of the second factor, or a recovery code."""
    pending = _pending(request)
    if pending is None:
        request.session.pop(_PENDING, None)
        return SeeOther("/sign-in")
    person, there = pending
    if request.method == "GET":
        return page(request, "account/sign_in_code.html")
    try:
        is_right = desk.second_factor(
            person.pk, code=request.POST.get("code", "")[:40], ip=address_of(request), actor=nobody(), now=request.now
        )
    except desk.TooMany as error:
        return page(request, "account/sign_in_code.html", status=429, errors=field_errors(error))
    if not is_right:
        errors = {"code": _("This code is not right, or was used before.")}
        return page(request, "account/sign_in_code.html", status=422, errors=errors)
    request.session.pop(_PENDING, None)
    open_session(request, person)
    return SeeOther(there or _home(person))


@require_POST
@anyone
def sign_out(request: PageRequest) -> HttpResponse:
    """End this session."""
    logout(cast("HttpRequest", request))
    return SeeOther("/sign-in")


@require_http_methods(["GET", "POST"])
@anyone
def forgot(request: PageRequest) -> HttpResponse:
    """Ask for a link to set a new password; the answer is the same whoever asks."""
    if request.method == "GET":
        return page(request, "account/forgot.html", is_sent=False)
    try:
        desk.ask_new_password(email=request.POST.get("email", "")[:254], ip=address_of(request), actor=nobody(), now=request.now)
    except desk.TooMany as error:
        return page(request, "account/forgot.html", status=429, is_sent=False, errors=field_errors(error))
    return page(request, "account/forgot.html", is_sent=True)


@require_http_methods(["GET"])
@anyone
def new_password_link(request: PageRequest, ref: str) -> HttpResponse:
    """The link in the mail: its secret goes into the session and out of the address bar."""
    if people.sent_link(ref, kind="password", now=request.now) is None:
        return page(request, "account/link_dead.html", status=404)
    request.session[_REF] = ref
    return SeeOther("/account/new-password")


@require_http_methods(["GET", "POST"])
@anyone
def new_password(request: PageRequest) -> HttpResponse:
    """Set a new password, after which one signs in as always, second factor and all."""
    ref = request.session.get(_REF, "")
    link = people.sent_link(ref, kind="password", now=request.now)
    if link is None:
        return page(request, "account/link_dead.html", status=404)
    if request.method == "GET":
        return page(request, "account/new_password.html")
    try:
        password = request.POST.get("password", "")
        if password != request.POST.get("again", ""):
            raise Invalid("The two are not the same.", field="again")
        desk.new_password(ref, password_hash=desk_people.hash_of(password, person=link.person), actor=nobody(), now=request.now)
    except NotFound:
        return page(request, "account/link_dead.html", status=404)
    except DeskError as error:
        return page(request, "account/new_password.html", status=error.http, errors=field_errors(error))
    logout(cast("HttpRequest", request))
    toast(request, _("Your new password is set. Sign in with it."))
    return SeeOther("/sign-in")
