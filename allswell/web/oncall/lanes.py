"""The timeline: who is on call when, set into the columns of a CSS grid; a list on a phone tells the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _

from allswell.oncall.rules import Slot, Why, joined
from allswell.web import show

if TYPE_CHECKING:
    from allswell.oncall.models import Rota

#: columns of the grid, whatever it spans: the style sheet has a class for each
COLUMNS = 168
SPANS = (1, 7, 14)
#: how far from today one may look: shifts are written 13 weeks ahead
BACK, AHEAD = timedelta(weeks=26), timedelta(weeks=12)


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are drawn, by the viewer's clock."""

    first: date
    days: int

    @classmethod
    def asked(cls, sent: QueryDict, *, now: datetime, days: int = 14) -> Window:
        """What an address asks for (`?from=2026-11-23&days=14`); what makes no sense is from today on."""
        said = sent.get("days", "")
        days = int(said) if said in {str(span) for span in SPANS} else days
        today = timezone.localtime(now).date()
        try:
            first = date.fromisoformat(sent.get("from", ""))
        except ValueError:
            first = today
        return cls(min(max(first, today - BACK), today + AHEAD - timedelta(days=days)), days)

    @property
    def since(self) -> datetime:
        """When the first day begins."""
        return _midnight(self.first)

    @property
    def until(self) -> datetime:
        """When the last day ends."""
        return _midnight(self.first + timedelta(days=self.days))

    def column(self, at: datetime) -> int:
        """The column, from 0, at which an instant lies: every day is as wide as the others, whatever its clocks do."""
        local = timezone.localtime(at)
        minutes = (local.date() - self.first).days * 1440 + local.hour * 60 + local.minute
        return min(max(round(minutes * COLUMNS / (self.days * 1440)), 0), COLUMNS)

    def moved(self, days: int) -> str:
        """What an address asks for to see as many days earlier or later."""
        return f"from={self.first + timedelta(days=days)}&days={self.days}"

    def heads(self) -> list[tuple[str, str, bool]]:
        """What stands above the columns: weekday, day, whether it is a weekend; hours of a single day."""
        if self.days == 1:
            return [(f"{hour:02}:00", "", False) for hour in range(0, 24, 3)]
        days = (self.first + timedelta(days=number) for number in range(self.days))
        return [(dateformat.format(day, "D"), str(day.day), day.weekday() >= 5) for day in days]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone()).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Bar:
    """A time in a lane. `kind` is shift, override, gap or off (nobody, and it is meant)."""

    kind: str
    start: int
    width: int
    starts_at: datetime
    ends_at: datetime
    level: int
    person: int | None
    text: str
    hue: int
    is_over: bool
    is_now: bool

    @property
    def label(self) -> str:
        """What has room in the bar: the name, initials, or nothing."""
        if self.kind in ("shift", "override"):
            return self.text if self.width > 14 else show.initials(self.text) if self.width > 4 else ""
        return self.text if self.width > 24 else ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A level of a rota."""

    rota: Rota
    level: int
    bars: list[Bar]


def level_words(level: int) -> str:
    """What a level is for."""
    if level == 1:
        return _("called first")
    return _("backup") if level == 2 else _("level %(n)s") % {"n": level}


def nobody_words(why: Why | None) -> str:
    """Why nobody is on call."""
    said = {
        Why.GAP: _("Nobody on call"),
        Why.ON_LEAVE: _("Nobody on call: all are on leave"),
        Why.OFF_HOURS: _("Outside support hours"),
        Why.NOBODY: _("Nobody, on purpose"),
    }
    return said[why or Why.GAP]


def span_text(starts_at: datetime, ends_at: datetime) -> str:
    """From when until when: Mon 23 Nov 09:00 to 18:00, Mon 23 Nov 09:00 to Tue 24 Nov 09:00."""
    begins, ends = timezone.localtime(starts_at), timezone.localtime(ends_at)
    end = f"{ends:%H:%M}" if begins.date() == ends.date() else dateformat.format(ends, "D j M H:i")
    return _("%(start)s to %(end)s") % {"start": dateformat.format(begins, "D j M H:i"), "end": end}


def lanes(
    rotas: Iterable[Rota], slots: Mapping[int, Iterable[Slot]], window: Window, *, names: Mapping[int, str], now: datetime
) -> list[Lane]:
    """The lanes of rotas: one for each level that anything is said about."""
    found = []
    for rota in rotas:
        by_level: dict[int, list[Bar]] = {}
        for slot in joined(slots.get(rota.pk, ())):
            if slot.ends_at > window.since and slot.starts_at < window.until:
                by_level.setdefault(slot.level, []).append(_bar(slot, window, names, now))
        found += [Lane(rota, level, by_level[level]) for level in sorted(by_level)]
    return found


def _bar(slot: Slot, window: Window, names: Mapping[int, str], now: datetime) -> Bar:
    start, end = window.column(max(slot.starts_at, window.since)), window.column(slot.ends_at)
    if slot.ends_at >= window.until:
        end = COLUMNS
    start = min(start, COLUMNS - 1)
    kind = "gap" if slot.is_gap else "off" if slot.person is None else "override" if slot.override else "shift"
    name = names.get(slot.person, f"#{slot.person}") if slot.person is not None else nobody_words(slot.why)
    return Bar(
        kind=kind,
        start=start + 1,
        width=max(end - start, 1),
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        level=slot.level,
        person=slot.person,
        text=name,
        hue=show.hue(slot.person) if slot.person is not None else 0,
        is_over=slot.ends_at <= now,
        is_now=slot.starts_at <= now < slot.ends_at,
    )


def until_text(at: datetime) -> str:
    """An end with its day, unless that is today: 18:00, Tue 24 Nov 09:00."""
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localtime(show.now()).date()
    return f"{local:%H:%M}" if is_today else dateformat.format(local, "D j M H:i")


def said(window: Window, now: datetime) -> dict[str, Any]:
    """What the templates of timelines need beside the lanes."""
    return {
        "window": window,
        "now_column": window.column(now) + 1 if window.since <= now < window.until else 0,
        "level_words": level_words,
        "nobody_words": nobody_words,
        "span_text": span_text,
        "zone": zone_name(),
    }


def zone_name() -> str:
    """By which clocks the viewer's times are."""
    return timezone.get_current_timezone_name()


def hours_text(length: timedelta) -> str:
    """A length of duty in hours, as it is compared: 168 h, 4.5 h; nothing for none."""
    hours = length / timedelta(hours=1)
    return _("%(h)s h") % {"h": f"{hours:.1f}".removesuffix(".0")} if hours else ""
