"""Who comes into setup."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from allswell.kernel.actor import Role
from allswell.kernel.errors import NotAllowed
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web.pages import PageRequest, desk_page

P = ParamSpec("P")


def setup_page(
    view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """For administrators and auditors, of whatever scope; what they see and may do inside is asked of each record."""

    @functools.wraps(view)
    def guarded(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.actor.has_role(Role.ADMINISTRATOR, Role.AUDITOR):
            raise NotAllowed("Your role does not allow this.")
        return view(request, *args, **kwargs)

    wrapped = desk_page(guarded)
    wrapped.audience = "setup"  # type: ignore[attr-defined]
    return wrapped


def is_for_all(request: PageRequest) -> bool:
    """Whether the viewer sets up the whole installation, not only a part of it."""
    return may(request.actor, Act.SET_UP, INSTALLATION)


def sets_up(request: PageRequest) -> bool:
    """Whether the viewer administers anything, and may so open forms for something new; where it may stand is asked of it."""
    return request.actor.has_role(Role.ADMINISTRATOR)
