"""What an act would leave without cover is said on a page of its own, and done when whoever acts says that they know."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from allswell.desk import uncovering
from allswell.desk.uncovering import Concerned, Uncovers
from allswell.web.pages import PageRequest, page

from . import proof_words

P = ParamSpec("P")
#: services that are named
MOST_SHOWN = 10
_OWN = frozenset({"csrfmiddlewaretoken", "sure"})


def watching(
    request: PageRequest,
    *,
    people: tuple[int | None, ...] = (),
    rotas: tuple[int | None, ...] = (),
    policies: tuple[int | None, ...] = (),
    services: tuple[int | None, ...] = (),
    teams: tuple[int | None, ...] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> AbstractContextManager[None]:
    """Around a use case: unless the viewer is sure, raises Uncovers when it leaves services without cover. None is left out."""
    concerned = Concerned(_known(people), _known(rotas), _known(policies), _known(services), _known(teams), since, until)
    is_sure = "1" in (request.POST.get("sure"), request.GET.get("sure"))
    return uncovering.watched(concerned, actor=request.actor, now=request.now, is_sure=is_sure)


def _known(found: tuple[int | None, ...]) -> tuple[int, ...]:
    return tuple(pk for pk in found if pk is not None)


def asks_first(
    view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
) -> Callable[Concatenate[PageRequest, P], HttpResponseBase]:
    """For views with something `watching` in them: says what would be left without cover, and asks."""

    @functools.wraps(view)
    def asked(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Uncovers as found:
            return page(
                request,
                "oncall/sure.html",
                opens=proof_words.opened(found.opened[:MOST_SHOWN]),
                sent=[(name, text) for name, texts in request.POST.lists() if name not in _OWN for text in texts],
                address=request.get_full_path(),
                back=_back(request),
                here="oncall",
            )

    return asked


def _back(request: HttpRequest) -> str:
    """The page one came from, when it is ours."""
    said = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(said, allowed_hosts={request.get_host()}):
        parts = urlsplit(said)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return "/oncall/"
