"""Sources of alerts: which monitoring tools may report, their keys, and what of theirs could not be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_http_methods, require_POST

from allswell.desk.alerts import heartbeats
from allswell.desk.alerts import sources as desk
from allswell.intake.parsers.alerts.registry import FORMATS
from allswell.intake.rules.recent import MINUTES, last_hour
from allswell.kernel.errors import DeskError, Invalid
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web import charts, inputs, show
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, toast

from . import choices
from .gate import setup_page

if TYPE_CHECKING:
    from allswell.intake.models import AlertSource

UNREAD_ROWS = 20
#: seconds -> what so many are called
UNITS = {1: N_("seconds"), 60: N_("minutes"), 3600: N_("hours"), 86_400: N_("days")}


def _sent(request: PageRequest) -> dict[str, Any]:
    """What the form holds, as it is shown again."""
    return {name: request.POST.get(name, "") for name in ("name", "kind", "service", "team", "secret", "ends_after")}


def _kept(row: AlertSource) -> dict[str, Any]:
    """What the form shows of a source."""
    about = {"name": row.name, "kind": row.kind, "service": row.service_id or "", "team": row.team_id or ""}
    return {**about, "ends_after": row.ends_after or ""}


def _page(request: PageRequest, template: str, status: int = 200, **more: Any) -> HttpResponse:
    return page(
        request,
        template,
        status=status,
        here="setup",
        tab="alert_sources",
        may_change=may(request.actor, Act.SET_UP, INSTALLATION),
        kinds=sorted(desk.kinds().items(), key=lambda pair: pair[1].casefold()),
        titles=desk.kinds(),
        services=choices.all_services(request),
        teams=choices.teams(request),
        **more,
    )


@require_http_methods(["GET", "POST"])
@setup_page
def alert_sources(request: PageRequest) -> HttpResponse:
    """All sources of alerts, and a form for a new one; its key is shown once, in answer to the form."""
    sent: dict[str, Any] = {"name": "", "kind": "alertmanager", "service": "", "team": ""}
    errors, status = {}, 200
    if request.method == "POST":
        sent = _sent(request)
        try:
            row, key = desk.create(
                name=sent["name"],
                kind=sent["kind"],
                service=inputs.number(request.POST, "service"),
                team=inputs.number(request.POST, "team"),
                secret=sent["secret"],
                actor=request.actor,
                now=request.now,
            )
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors, status = field_errors(error), error.http
        else:
            return _key_page(request, row, key, is_new=True)
    rows = list(desk.all_sources(request.actor))
    unread = list(desk.unread(request.actor)[:UNREAD_ROWS])
    asking = {row.pk: topic for row in unread if (topic := desk.asks_to_report(row))}
    return _page(request, "setup/alert_sources.html", status, rows=rows, unread=unread, asking=asking, sent=sent, errors=errors)


def _key_page(request: PageRequest, row: Any, key: str, *, is_new: bool) -> HttpResponse:
    address = f"{settings.PUBLIC_URL}/in/{row.kind}/{key}"
    needs = FORMATS[row.kind].needs if row.kind in FORMATS else "path"
    return _page(request, "setup/alert_source_key.html", row=row, key=key, address=address, needs=needs, is_new=is_new)


@require_http_methods(["GET", "POST"])
@setup_page
def alert_source(request: PageRequest, number: int) -> HttpResponse:
    """One source of alerts: what its alerts are about, its key, and when it was heard of last."""
    row = desk.one(number, actor=request.actor)
    sent = _kept(row)
    errors, status = {}, 200
    if request.method == "POST":
        sent = {**_sent(request), "kind": row.kind}
        try:
            desk.change(
                number,
                name=sent["name"],
                service=inputs.number(request.POST, "service") or "",
                team=inputs.number(request.POST, "team") or 0,
                secret=sent["secret"] or None,
                ends_after=_patience(request),
                actor=request.actor,
                now=request.now,
            )
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors, status = field_errors(error), error.http
        else:
            toast(request, _("Saved."))
            return SeeOther(f"/setup/alert-sources/{number}")
    return _source_page(request, row, sent, errors, status)


def _patience(request: PageRequest) -> int | None:
    """Hours, 0 where the field is empty. Raises Invalid."""
    if not request.POST.get("ends_after", "").strip():
        return 0 if "ends_after" in request.POST else None
    hours = inputs.number(request.POST, "ends_after")
    if hours is None:
        raise Invalid("Use a whole number.", field="ends_after")
    return hours


def _source_page(
    request: PageRequest,
    row: AlertSource,
    sent: dict[str, Any],
    errors: dict[str, str],
    status: int = 200,
    beat: dict[str, str] | None = None,
) -> HttpResponse:
    serves_until = row.former_until if row.former_digest and row.former_until and row.former_until > request.now else None
    has_heartbeats = heartbeats.has_heartbeats(row)
    beats = list(heartbeats.of_source(row.pk, actor=request.actor)) if has_heartbeats else []
    return _page(
        request,
        "setup/alert_source.html",
        status,
        row=row,
        sent=sent,
        errors=errors,
        serves_until=serves_until,
        signs=row.kind in FORMATS and FORMATS[row.kind].secret == "hmac",
        has_heartbeats=has_heartbeats,
        beats=[(one, settings.PUBLIC_URL + heartbeats.place_to_call(row, one.name)) for one in beats],
        lately=_lately(row, request.now),
        beat={"every": "1", "every_unit": "86400", "grace": "60", "grace_unit": "60"} | (beat or {}),
        units=[(seconds, _(name)) for seconds, name in UNITS.items()],
        in_units=_in_units,
    )


def _lately(row: AlertSource, now: datetime) -> dict[str, Any] | None:
    """What it reported in the last hour, minute by minute, drawn; None when it was nothing."""
    counts = last_hour(row.recent, now=now)
    if not any(counts):
        return None
    labels = [show.clock_text(now - timedelta(minutes=MINUTES - 1 - place)) for place in range(MINUTES)]
    said = _("%(count)s reports in the last hour") % {"count": sum(counts)}
    drawn = charts.stacked(labels, [charts.Series(_("Reports"), counts, "s1f")], sentence=said)
    return {"hour": sum(counts), "minute": counts[-2], "chart": drawn}


def _in_units(seconds: int) -> tuple[int, int]:
    """A time as a form shows it: how many, of which unit."""
    unit = next((unit for unit in reversed(UNITS) if seconds and seconds % unit == 0), 1)
    return seconds // unit, unit


def _seconds(request: PageRequest, name: str) -> int:
    """What two fields say, in seconds. Raises Invalid."""
    amount, unit = inputs.number(request.POST, name), inputs.number(request.POST, f"{name}_unit")
    if amount is None or unit not in UNITS:
        raise Invalid("Use a whole number.", field=name)
    return amount * unit


def _refused(request: PageRequest, number: int, error: DeskError) -> HttpResponse:
    """The page of the source again, with what was typed for a heartbeat; what is wrong beside its field."""
    if error.http in (403, 404):
        raise error
    row = desk.one(number, actor=request.actor)
    sent = _kept(row)
    beat = {name: request.POST.get(name, "") for name in ("beat", "every", "every_unit", "grace", "grace_unit")}
    found = field_errors(error)
    errors = {"beat" if name == "name" else name: words for name, words in found.items()}
    return _source_page(request, row, sent, errors, error.http, beat)


@require_POST
@setup_page
def new_heartbeat(request: PageRequest, number: int) -> HttpResponse:
    """Something new that the source must be heard of."""
    desk.one(number, actor=request.actor, act=Act.SET_UP)
    try:
        heartbeats.create(
            number,
            name=request.POST.get("beat", ""),
            every=_seconds(request, "every"),
            grace=_seconds(request, "grace"),
            actor=request.actor,
            now=request.now,
        )
    except DeskError as error:
        return _refused(request, number, error)
    toast(request, _("It is waited for."))
    return SeeOther(f"/setup/alert-sources/{number}#heartbeats")


@require_POST
@setup_page
def change_heartbeat(request: PageRequest, number: int, beat: int) -> HttpResponse:
    """How often it must be heard of, and how long it may be late."""
    desk.one(number, actor=request.actor, act=Act.SET_UP)
    try:
        every, grace = _seconds(request, "every"), _seconds(request, "grace")
        heartbeats.change(number, beat, every=every, grace=grace, actor=request.actor, now=request.now)
    except DeskError as error:
        return _refused(request, number, error)
    toast(request, _("Saved."))
    return SeeOther(f"/setup/alert-sources/{number}#heartbeats")


@require_POST
@setup_page
def heartbeat_verb(request: PageRequest, number: int, beat: int, verb: str) -> HttpResponse:
    """Do not wait for it for a while, wait again, or forget it."""
    there = f"/setup/alert-sources/{number}"
    if verb == "remove":
        heartbeats.remove(number, beat, actor=request.actor, now=request.now)
        toast(request, _("It is forgotten."))
    else:
        heartbeats.change(number, beat, is_active=verb == "resume", actor=request.actor, now=request.now)
        if verb == "pause":
            toast(request, _("Nobody waits for it now."), undo=f"{there}/heartbeats/{beat}/resume")
        else:
            toast(request, _("It is waited for."))
    return SeeOther(f"{there}#heartbeats")


@require_POST
@setup_page
def new_key(request: PageRequest, number: int) -> HttpResponse:
    """A new key, shown once; the former serves for a day."""
    key = desk.rotate(number, actor=request.actor, now=request.now)
    return _key_page(request, desk.one(number, actor=request.actor), key, is_new=False)


@require_POST
@setup_page
def end_former_key(request: PageRequest, number: int) -> HttpResponse:
    """The former key serves no more."""
    desk.end_former_key(number, actor=request.actor, now=request.now)
    toast(request, _("The former key serves no more."))
    return SeeOther(f"/setup/alert-sources/{number}")


@require_POST
@setup_page
def switch(request: PageRequest, number: int) -> HttpResponse:
    """On or off."""
    desk.switch(number, is_active=bool(request.POST.get("on")), actor=request.actor, now=request.now)
    return SeeOther(f"/setup/alert-sources/{number}")


@require_POST
@setup_page
def unread_verb(request: PageRequest, report: int, verb: str) -> HttpResponse:
    """Read a request again that could not be read, allow the topic that asks in it, or forget it."""
    does = {"read-again": desk.read_again, "allow": desk.allow_topic}.get(verb, desk.forget)
    does(report, actor=request.actor, now=request.now)
    said = {"read-again": _("It is read again in a moment."), "allow": _("The topic may report. It is confirmed in a moment.")}
    toast(request, said.get(verb, _("It is forgotten.")))
    return SeeOther("/setup/alert-sources")
