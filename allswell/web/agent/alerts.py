"""Alerts: what monitoring tells, how each stands, and which incident it belongs to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
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

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import Alert

PAGE = 50
EPISODES = 20
#: more alerts of one ticket than this on a page stand there as one line; so many tickets at most; counted up to so many
TOGETHER, FOLDS, MOST_COUNTED = 5, 3, 1_000
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
    rows = _rows(request, state=state, severity=severity, ticket=ticket, words=words)
    place = _after(request.GET.get("after", ""))
    folded: dict[int, Folded] = {}
    if ticket is None:
        folded = _folded(request, rows, place)
        rows = rows.exclude(ticket__in=[*folded, *_hidden(request)])
    found = list(queries.after(rows, place)[: PAGE + 1])
    asked = {
        name: value
        for name, value in {"state": state, "severity": severity, "q": words, "ticket": ticket}.items()
        if value or name == "state"
    }
    following = ""
    if len(found) > PAGE:
        last = found[PAGE - 1]
        hidden = ",".join(str(one) for one in (*_hidden(request), *folded))
        more = {"after": f"{last.last_at.isoformat()}~{last.pk}"} | ({"folded": hidden} if hidden else {})
        following = "?" + urlencode(asked | more)
    seen = (
        tickets.visible_to(request.actor)
        .filter(pk__in={row.ticket_id for row in found if row.ticket_id})
        .values_list("pk", flat=True)
    )
    return page(
        request,
        "alerts/list.html",
        rows=found[:PAGE],
        folded=list(folded.values()),
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


def _rows(request: PageRequest, *, state: str, severity: str, ticket: int | None, words: str) -> QuerySet[Alert]:
    """The alerts a viewer may see of what is asked for."""
    rows = queries.visible_to(request.actor).select_related("source", "service", "ticket")
    if state:
        rows = rows.filter(state=state)
    if severity:
        rows = rows.filter(severity=severity)
    if ticket is not None:
        rows = rows.filter(ticket=ticket)
    return rows.filter(title__icontains=words) if words else rows


@dataclass(frozen=True, slots=True)
class Folded:
    """Many alerts of one ticket, shown as one line: the newest of them, and how many (`MOST_COUNTED` + 1: more than that)."""

    newest: Alert
    count: int


def _hidden(request: PageRequest) -> list[int]:
    """The tickets whose alerts stand folded on a page before this one."""
    numbers = (whole(one) for one in request.GET.get("folded", "")[:200].split(","))
    return [one for one in numbers if one is not None][:FOLDS]


def _folded(request: PageRequest, rows: QuerySet[Alert], place: tuple[datetime, int] | None) -> dict[int, Folded]:
    """The tickets of which more than a few alerts would stand on a page, so that a storm leaves room for the others."""
    found: dict[int, Folded] = {}
    for _round in range(2):
        left = rows.exclude(ticket__in=[*found, *_hidden(request)])
        newest = list(queries.after(left, place)[:PAGE])
        times = Counter(row.ticket_id for row in newest if row.ticket_id is not None)
        many = [number for number, count in times.most_common(FOLDS - len(found)) if count > TOGETHER]
        if not many:
            break
        seen = set(tickets.visible_to(request.actor).filter(pk__in=many).values_list("pk", flat=True))
        for row in newest:
            if row.ticket_id in seen and row.ticket_id not in found:
                count = rows.filter(ticket=row.ticket_id).order_by()[: MOST_COUNTED + 1].count()
                found[row.ticket_id] = Folded(row, count)
    return found


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
