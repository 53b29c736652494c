"""Webhooks: other programs that are told what happens, the log of what they were told, and sending it again."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from allswell.desk import webhooks as desk
from allswell.journal.rules import Verb
from allswell.kernel.errors import DeskError
from allswell.notifications.rules import TELLABLE
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web import inputs
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, toast

from .gate import setup_page

LOG_ROWS = 50
VERBS = tuple(verb.value for verb in Verb if verb.value in TELLABLE)


def _sent(request: PageRequest) -> dict[str, Any]:
    """What the form holds, as it is shown again."""
    return {
        "name": request.POST.get("name", ""),
        "url": request.POST.get("url", ""),
        "verbs": request.POST.getlist("verbs"),
        "owner": request.POST.get("owner", ""),
    }


def _read(request: PageRequest, sent: dict[str, Any]) -> dict[str, Any]:
    """The same as the use cases take it. Raises Invalid."""
    return {**sent, "owner": inputs.person(request.POST, "owner", actor=request.actor)}


def _page(request: PageRequest, template: str, status: int = 200, **more: Any) -> HttpResponse:
    may_change = may(request.actor, Act.SET_UP, INSTALLATION)
    return page(request, template, status=status, here="setup", tab="webhooks", verbs=VERBS, may_change=may_change, **more)


@require_http_methods(["GET", "POST"])
@setup_page
def webhooks(request: PageRequest) -> HttpResponse:
    """All webhooks, and a form for a new one; its secret is shown once, in answer to the form."""
    sent: dict[str, Any] = {"name": "", "url": "", "verbs": [], "owner": request.person.name}
    errors, status = {}, 200
    if request.method == "POST":
        sent = _sent(request)
        try:
            webhook, secret = desk.create(**_read(request, sent), actor=request.actor, now=request.now)
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors, status = field_errors(error), error.http
        else:
            return _page(request, "setup/webhook_secret.html", webhook=webhook, secret=secret, is_new=True)
    rows = list(desk.all_webhooks(request.actor))
    return _page(request, "setup/webhooks.html", status, rows=rows, sent=sent, errors=errors)


@require_http_methods(["GET", "POST"])
@setup_page
def webhook(request: PageRequest, number: int) -> HttpResponse:
    """One webhook: what it is told, and the log of its calls, newest first."""
    row = desk.one(number, actor=request.actor)
    sent: dict[str, Any] = {"name": row.name, "url": row.url, "verbs": row.verbs, "owner": row.owner.name}
    errors, status = {}, 200
    if request.method == "POST":
        sent = _sent(request)
        try:
            desk.change(number, **_read(request, sent), actor=request.actor, now=request.now)
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors, status = field_errors(error), error.http
        else:
            toast(request, _("Saved."))
            return SeeOther(f"/setup/webhooks/{number}")
    calls = desk.log(number, actor=request.actor)
    before = request.GET.get("before", "")
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 19):
            raise BadRequest("before must be a number")
        calls = calls.filter(pk__lt=int(before))
    found = list(calls[: LOG_ROWS + 1])
    following = f"/setup/webhooks/{number}?before={found[LOG_ROWS - 1].pk}" if len(found) > LOG_ROWS else ""
    return _page(
        request,
        "setup/webhook.html",
        status,
        row=row,
        sent=sent,
        errors=errors,
        calls=found[:LOG_ROWS],
        is_told_little=desk.is_told_little(row),
        previous=f"/setup/webhooks/{number}" if before else "",
        following=following,
    )


@require_POST
@setup_page
def new_secret(request: PageRequest, number: int) -> HttpResponse:
    """A new secret, shown once; the former signs as well for a day."""
    secret = desk.rotate_secret(number, actor=request.actor, now=request.now)
    row = desk.one(number, actor=request.actor)
    return _page(request, "setup/webhook_secret.html", webhook=row, secret=secret, is_new=False)


@require_POST
@setup_page
def switch(request: PageRequest, number: int) -> HttpResponse:
    """On or off."""
    use = desk.enable if request.POST.get("on") else desk.disable
    use(number, actor=request.actor, now=request.now)
    return SeeOther(f"/setup/webhooks/{number}")


@require_POST
@setup_page
def redeliver(request: PageRequest, number: int, call: int) -> HttpResponse:
    """Make one call of the log once more."""
    try:
        desk.redeliver(call, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http != 409:
            raise
        toast(request, field_errors(error)[""], is_bad=True)
    else:
        toast(request, _("It is sent again in a moment."))
    return SeeOther(f"/setup/webhooks/{number}")
