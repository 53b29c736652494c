"""Noise: which alerts come most, and whether anybody ever did anything about them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_GET

from allswell.desk.alerts.quiet import works
from allswell.intake.queries import noise
from allswell.kernel.text import spreadsheet_cell, whole
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web.pages import PageRequest, desk_page, page

from .alerts import SEVERITIES

DAYS = (7, 30, 90)
BY = {"alert": N_("Alert"), "source": N_("Source"), "service": N_("Service")}
COLUMNS = ("id", "title", "severity", "source", "service", "times", "acted_on", "median_seconds", "flapping", "last_at")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: of the last so many days, cut by alert, source or service; of one source or service."""

    days: int
    by: str
    source: int | None
    service: int | None
    since: datetime
    is_cut: bool

    def query(self, **other: object) -> str:
        """The address of the same question, or another."""
        values = {"days": self.days, "by": self.by, "source": self.source, "service": self.service, **other}
        return "?" + urlencode({name: value for name, value in values.items() if value not in (None, "")})


def _asked(request: PageRequest) -> Asked:
    days = whole(request.GET.get("days", ""))
    by = request.GET.get("by", "")
    days = days if days in DAYS else 30
    wanted = request.now - timedelta(days=days)
    since = noise.counted_since(wanted)
    return Asked(
        days,
        by if by in BY else "alert",
        whole(request.GET.get("source", "")),
        whole(request.GET.get("service", "")),
        since,
        since > wanted,
    )


def _rows(request: PageRequest, asked: Asked) -> list[noise.Noisy]:
    return noise.noisiest(request.actor, since=asked.since, source=asked.source, service=asked.service)


@require_GET
@desk_page
def noise_page(request: PageRequest) -> HttpResponse:
    """The alerts that came most, how long they last, and how often somebody acted on them."""
    asked = _asked(request)
    shares: Sequence[noise.Share] = ()
    rows: Sequence[noise.Noisy] = ()
    if asked.by == "alert":
        rows = _rows(request, asked)
    else:
        shares = noise.shares(request.actor, since=asked.since, by=asked.by)
    return page(
        request,
        "alerts/noise.html",
        asked=asked,
        rows=rows,
        shares=shares,
        never=sum(not row.acted for row in rows),
        most=max([*(one.times for one in rows), *(one.times for one in shares)], default=1),
        days=DAYS,
        by=BY,
        severities=SEVERITIES,
        may_work=works(request.actor),
        may_set_up=may(request.actor, Act.SET_UP, INSTALLATION),
        here="alerts",
    )


@require_GET
@desk_page
def csv_file(request: PageRequest) -> HttpResponse:
    """The same as a file, an alert a line."""
    asked = _asked(request)
    written = io.StringIO()
    sheet = csv.writer(written)
    sheet.writerow(COLUMNS)
    for one in _rows(request, asked):
        row = one.alert
        line = (
            row.pk,
            row.title,
            row.severity,
            row.source.name,
            row.service.name if row.service else "",
            one.times,
            one.acted,
            int(one.typical.total_seconds()) if one.typical is not None else "",
            int(row.is_flapping),
            one.last_at.isoformat(),
        )
        sheet.writerow([spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in line])
    answer = HttpResponse("\ufeff" + written.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="alert-noise-{request.now:%Y-%m-%d}.csv"'
    return answer
