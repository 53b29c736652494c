"""Who a session belongs to. The password is checked at the desk (`desk.sign_in`), which counts the guesses."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib.auth import login
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from allswell.desk import sign_in as desk
from allswell.kernel.actor import Channel
from allswell.people import queries as people

if TYPE_CHECKING:
    from allswell.people.models import Person
    from allswell.web.pages import PageRequest

BACKEND = "allswell.web.sign_in.EmailBackend"


class EmailBackend(BaseBackend):
    """Finds the person of a session; somebody deactivated is nobody from that moment on."""

    def get_user(self, user_id: int) -> Person | None:
        """The active person with this key."""
        return people.person(user_id)


def address_of(request: HttpRequest) -> str:
    """Where the request comes from; the server has put in what trusted proxies say."""
    return str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104 - no address is no place


def open_session(request: PageRequest, person: Person) -> None:
    """Sign the person in: a new session key, a line in their list of sessions, a journal entry."""
    login(cast("HttpRequest", request), person, backend=BACKEND)
    request.actor = people.actor_for(person, channel=Channel.PORTAL)
    desk.signed_in(
        session_key=request.session.session_key or "",
        ip=address_of(request),
        browser=request.headers.get("User-Agent", ""),
        actor=request.actor,
        now=request.now,
    )
