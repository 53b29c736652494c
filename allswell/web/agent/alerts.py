"""Alerts: what monitoring tells, how each stands, and which incident it belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_GET

from allswell.desk.alerts import explaining
from allswell.desk.alerts.quiet import works
from allswell.intake.parsers.alerts.shape import Severity
from allswell.intake.queries import alerts as queries
from allswell.intake.queries import quiet
from allswell.kernel.errors import NotFound
from allswell.kernel.text import clean, whole
from allswell.tickets import queries as tickets
from allswell.web import alert_whys
from allswell.web.pages import PageRequest, desk_page, page

PAGE = 50
EPISODES = 20
RUNNING = 5
STATES = {"firing": N_("Firing"), "resolved": N_("Over"), "": N_("All")}
SEVERITIES = {
    Severity.CRITICAL.value: (N_("Critical"), "bad-c", "alert-triangle"),
    Severity.ERROR.value: (N_("Error"), "bad-c", "alert-circle"),
    Severity.WARNING.value: (N_("Warning"), "warn-c", "alert-circle"),
    Severity.INFO.value: (N_("Information"), "", "info-circle"),
}
OUTCOMES = {
    "opened": N_("opened an incident"),
    "attached": N_("joined an incident"),
    "reopened": N_("opened its incident again"),
    "storm": N_("joined the last incident of a storm"),
    "recorded": N_("only shown"),
    "silenced": N_("silenced"),
    "expected": N_("announced work"),
}


@require_GET
@desk_page
def alerts_page(request: PageRequest) -> HttpResponse:
    """What fires, the newest first; what is over, or all, on demand."""
    state = request.GET.get("state", "firing")
    state = state if state in STATES else "firing"
    severity = request.GET.get("severity", "") if request.GET.get("severity", "") in SEVERITIES else ""
    ticket = whole(request.GET.get("ticket", ""))
    words = clean(request.GET.get("q", ""))[:100].strip()
    rows = queries.visible_to(request.actor).select_related("source", "service", "ticket")
    if state:
        rows = rows.filter(state=state)
    if severity:
        rows = rows.filter(severity=severity)
    if ticket is not None:
        rows = rows.filter(ticket=ticket)
    if words:
        rows = rows.filter(title__icontains=words)
    found = list(queries.after(rows, _after(request.GET.get("after", "")))[: PAGE + 1])
    asked = {
        name: value
        for name, value in {"state": state, "severity": severity, "q": words, "ticket": ticket}.items()
        if value or name == "state"
    }
    following = ""
    if len(found) > PAGE:
        last = found[PAGE - 1]
        following = "?" + urlencode(asked | {"after": f"{last.last_at.isoformat()}~{last.pk}"})
    seen = (
        tickets.visible_to(request.actor)
        .filter(pk__in={row.ticket_id for row in found if row.ticket_id})
        .values_list("pk", flat=True)
    )
    return page(
        request,
        "alerts/list.html",
        rows=found[:PAGE],
        seen=set(seen),
        state=state,
        states=STATES,
        severity=severity,
        severities=SEVERITIES,
        words_asked=words,
        of_ticket=ticket,
        going_on=list(quiet.running_windows(request.actor, now=request.now).prefetch_related(None)[:RUNNING]),
        may_work=works(request.actor),
        previous="?" + urlencode(asked) if request.GET.get("after") else "",
        following=following,
        here="alerts",
    )


def _after(raw: str) -> tuple[datetime, int] | None:
    at, _tilde, number = raw.partition("~")
    known = whole(number)
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (instant, known) if known is not None and instant.tzinfo is not None else None


@require_GET
@desk_page
def alert_page(request: PageRequest, number: int) -> HttpResponse:
    """One alert: what it says, since when, how often, and what was done about it."""
    row = (
        queries.visible_to(request.actor)
        .select_related("source", "service", "ticket", "rule", "silence", "window")
        .filter(pk=number)
        .first()
    )
    if row is None:
        raise NotFound("There is no such alert, or you may not see it.")
    has_ticket = row.ticket_id is not None and tickets.visible_to(request.actor).filter(pk=row.ticket_id).exists()
    episodes = list(row.episodes.order_by("-number")[:EPISODES])
    found = explaining.why(row, outcome=episodes[0].outcome if episodes else "")
    context: dict[str, Any] = {
        "row": row,
        "has_ticket": has_ticket,
        "episodes": episodes,
        "whys": alert_whys.told(row, found),
        "severities": SEVERITIES,
        "outcomes": OUTCOMES,
        "may_work": works(request.actor),
        "here": "alerts",
    }
    return page(request, "alerts/alert.html", **context)
