"""Looking at calendars: a year drawn, and when something is due in it, day by day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from allswell.calendars import queries, rules
from allswell.calendars.rules import DayKind
from allswell.kernel.errors import DeskError, Invalid, NotFound
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web import show
from allswell.web.pages import PageRequest, desk_page, field_errors, page, words_of_error

if TYPE_CHECKING:
    from allswell.calendars.models import Calendar

FIRST_YEAR, LAST_YEAR = 1971, 2198
MOST_TOLD = 40

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of the drawn year."""

    number: int
    kind: str
    title: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month: its name, and weeks from Monday on with nothing where another month's days would be."""

    name: str
    weeks: list[list[Cell | None]]


def kinds() -> dict[str, str]:
    """What the days of the drawing are called."""
    return {
        DayKind.OPEN: _("Open"),
        DayKind.SHORT: _("Other hours than usual"),
        DayKind.EXTRA: _("Open, though usually closed"),
        DayKind.HOLIDAY: _("Holiday"),
        DayKind.CLOSED: _("Closed"),
    }


def weekdays(form: str = "l") -> list[str]:
    """The names of the weekdays, Monday first; form "D" is short."""
    return [dateformat.format(datetime(2024, 1, 1 + number, tzinfo=rules.zone_named("UTC")), form) for number in range(7)]


def day_text(on: date, form: str = "D j F Y") -> str:
    """A date in words: Fri 25 December 2026."""
    return dateformat.format(on, form)


def local_text(at: datetime, calendar: rules.Calendar) -> str:
    """An instant by the clocks of the calendar's place: Fri 25 December 2026, 16:00 CET."""
    return dateformat.format(at.astimezone(calendar.place), "D j F Y, H:i T")


def hours_text(hours: rules.Hours) -> str:
    """Hours in words; "closed" when there are none, "all day" from midnight to midnight."""
    if not hours:
        return _("closed")
    return _("all day") if hours == rules.ALL_DAY else rules.show_hours(hours)


def now_text(calendar: rules.Calendar, at: datetime) -> tuple[bool, str]:
    """Whether it is open, and until when, in words."""
    try:
        if rules.is_open(calendar, at):
            return True, _("Open until %(when)s") % {"when": _short(rules.next_close(calendar, at), calendar)}
        return False, _("Closed until %(when)s") % {"when": _short(rules.next_open(calendar, at), calendar)}
    except rules.NeverCloses:
        return True, _("Always open")
    except rules.NeverOpen:
        return False, _("Closed")


def _short(at: datetime, calendar: rules.Calendar) -> str:
    return dateformat.format(at.astimezone(calendar.place), "D j M, H:i")


@require_GET
@desk_page
def calendars_page(request: PageRequest) -> HttpResponse:
    """All calendars in use: whether they are open now, and their hours."""
    rows = list(queries.calendars().filter(is_active=True).order_by("name", "id"))
    known = queries.by_ids([row.pk for row in rows])
    shown = [
        (row, *now_text(known[row.pk], request.now), hours_in_short(known[row.pk], request.now))
        for row in rows
        if row.pk in known
    ]
    return page(request, "look_up/calendars.html", rows=shown, here="calendars")


def hours_in_short(calendar: rules.Calendar, at: datetime) -> str:
    """The hours of a week, like days together: Mon–Fri 09:00–17:00."""
    week = calendar.version_on(rules.local_time(calendar.place, at).date()).definition.week
    names = weekdays("D")
    parts, first = [], 0
    for number in range(1, 8):
        if number == 7 or week[number] != week[first]:
            if week[first]:
                spell = names[first] if number - first == 1 else f"{names[first]}–{names[number - 1]}"
                parts.append(f"{spell} {hours_text(week[first])}")
            first = number
    return "; ".join(parts)


@require_GET
@desk_page
def calendar_page(request: PageRequest, slug: str) -> HttpResponse:
    """A year of a calendar, its days that differ, and the answer to when something is due in it."""
    row = queries.by_ref(slug)
    calendar = queries.by_ids([row.pk]).get(row.pk) if row else None
    if row is None or calendar is None:
        raise NotFound("There is no such calendar.")
    today = rules.local_time(calendar.place, request.now).date()
    year = _year(request, today)
    asked = ask(request, calendar)
    is_open, state = now_text(calendar, request.now)
    return page(
        request,
        "look_up/calendar.html",
        status=422 if asked.errors else 200,
        row=row,
        year=year,
        months=months(calendar, year, today),
        differing=differing(calendar, year),
        week=[
            (name, hours_text(hours)) for name, hours in zip(weekdays(), calendar.version_on(today).definition.week, strict=True)
        ],
        kinds=kinds(),
        units=units(),
        day_text=day_text,
        short_days=weekdays("D"),
        long_days=weekdays(),
        is_open=is_open,
        state=state,
        asked=asked,
        versions=_versions(row, calendar, today),
        can_set_up=may(request.actor, Act.SET_UP, INSTALLATION),
        here="calendars",
    )


def _year(request: PageRequest, today: date) -> int:
    said = request.GET.get("year", "")
    year = int(said) if said.isascii() and said.isdigit() and len(said) == 4 else today.year
    return min(max(year, FIRST_YEAR), LAST_YEAR)


def _versions(row: Calendar, calendar: rules.Calendar, today: date) -> list[tuple[int, date, bool]]:
    """(number, its first day, whether it says what is open today), newest first."""
    ruling = calendar.version_on(today).number
    return [
        (one.number, one.effective_on, one.number == ruling) for one in sorted(calendar.versions, key=lambda one: -one.number)
    ]


def months(calendar: rules.Calendar, year: int, today: date) -> list[Month]:
    """The twelve months of a year."""
    names = kinds()
    drawn = []
    for number in range(1, 13):
        day = date(year, number, 1)
        cells: list[Cell | None] = [None] * day.weekday()
        while day.month == number:
            cells.append(_cell(calendar, day, today, names))
            day += _ONE_DAY
        cells += [None] * (-len(cells) % 7)
        drawn.append(Month(day_text(date(year, number, 1), "F"), [cells[at : at + 7] for at in range(0, len(cells), 7)]))
    return drawn


def _cell(calendar: rules.Calendar, day: date, today: date, names: dict[str, str]) -> Cell:
    kind, name, hours = rules.kind_of(calendar, day)
    title = f"{name}: {hours_text(hours)}" if name else hours_text(hours)
    return Cell(day.day, kind, title if name or hours else names[kind], day == today)


def differing(calendar: rules.Calendar, year: int) -> list[tuple[str, str, str]]:
    """(date, name, hours) of the days of a year that differ from their week."""
    found = []
    day = date(year, 1, 1)
    while day.year == year:
        _kind, name, hours = rules.kind_of(calendar, day)
        if name:
            found.append((day_text(day, "D j F"), name, hours_text(hours)))
        day += _ONE_DAY
    return found


# when something is due


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the answer: the day (or days), what it is, what counted on it, and how much that makes."""

    when: str
    what: str
    hours: str
    counted: str
    total: str


@dataclass
class Asked:
    """A question to a calendar, and its answer."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    due: str = ""
    due_for_viewer: str = ""
    begins: str = ""
    lines: list[Told] = field(default_factory=list)


def units() -> list[tuple[str, str]]:
    """What time can be asked for in."""
    return [
        ("hours", _("working hours")),
        ("minutes", _("working minutes")),
        ("working_days", _("working days")),
        ("calendar_days", _("calendar days")),
    ]


def ask(request: PageRequest, calendar: rules.Calendar) -> Asked:
    """Read the question of the page and answer it; without one, that of Friday 16:00."""
    local = rules.local_time(calendar.place, request.now)
    friday = datetime.combine(local.date() + (4 - local.weekday()) % 7 * _ONE_DAY, time(16))
    values = {"start": f"{friday:%Y-%m-%dT%H:%M}", "amount": "8", "unit": "hours", "cutoff": "", "opening": ""}
    asked = Asked({name: request.GET.get(name, default)[:40] for name, default in values.items()})
    try:
        _answer(asked, calendar, _start(request, asked, calendar))
    except DeskError as error:
        asked.errors = (
            {error.field or "amount": words_of_error(error)} if error.field not in asked.values else field_errors(error)
        )
    return asked


def _start(request: PageRequest, asked: Asked, calendar: rules.Calendar) -> datetime:
    try:
        local = datetime.fromisoformat(asked.values["start"])
    except ValueError as error:
        raise Invalid("Give a date and a time.", field="start") from error
    minute, rest = local.hour * 60 + local.minute, local.second * 1_000_000 + local.microsecond
    return rules.at_local(calendar.place, local.date(), minute, microsecond=rest)


def _answer(asked: Asked, calendar: rules.Calendar, start: datetime) -> None:
    amount = asked.values["amount"].strip()
    if not (amount.isascii() and amount.isdigit() and 0 < int(amount) <= 1_000_000):
        raise Invalid("Use a whole number from 1 to 1000000.", field="amount")
    due = TELLING.get(asked.values["unit"])
    if due is None:
        raise Invalid("Choose one of the list.", field="unit")
    at = due(asked, calendar, start, int(amount))
    asked.due = local_text(at, calendar)
    if timezone.get_current_timezone_name() != calendar.zone:
        asked.due_for_viewer = show.full_text(at)


def _tell_hours(asked: Asked, calendar: rules.Calendar, start: datetime, amount: int) -> datetime:
    return _tell_time(asked, calendar, start, timedelta(hours=amount))


def _tell_minutes(asked: Asked, calendar: rules.Calendar, start: datetime, amount: int) -> datetime:
    return _tell_time(asked, calendar, start, timedelta(minutes=amount))


def _tell_time(asked: Asked, calendar: rules.Calendar, start: datetime, amount: timedelta) -> datetime:
    due = rules.add_working_time(calendar, start, amount)
    for line in rules.lines(calendar, start, due):
        spans = ", ".join(f"{_clock(begin, calendar)}–{_clock(end, calendar, is_end=True)}" for begin, end in line.spans)
        when = day_text(line.on) if line.on == line.until else f"{day_text(line.on)} – {day_text(line.until)}"
        what = _what(line.kind, line.name) if line.on == line.until else ""
        after = _("after hours") if line.on == line.until and calendar.hours_on(line.on) else ""
        asked.lines.append(Told(when, what, spans or after, _length(line.counted), _length(line.total)))
    return due


def _what(kind: DayKind, name: str) -> str:
    """What a day is, nothing when it is an ordinary open one."""
    return name or ("" if kind == DayKind.OPEN else kinds()[kind])


def _tell_days(asked: Asked, calendar: rules.Calendar, start: datetime, amount: int) -> datetime:
    known = calendar if asked.values["unit"] == "working_days" else None
    how: dict[str, Any] = {"zone": calendar.zone, "cutoff": _time(asked, "cutoff"), "opening": _time(asked, "opening")}
    due = rules.add_days(known, start, amount, **how)
    begins = rules.days_begin(known, start, **how)
    if begins != start:
        asked.begins = local_text(begins, calendar)
    day, last = rules.local_time(calendar.place, begins).date(), rules.local_time(calendar.place, due).date()
    counted = 0
    while day < last and len(asked.lines) < MOST_TOLD:
        day += _ONE_DAY
        kind, name, hours = rules.kind_of(calendar, day)
        is_counted = known is None or bool(hours)
        counted += is_counted
        asked.lines.append(
            Told(day_text(day), _what(kind, name), "", _("day %(n)s") % {"n": counted} if is_counted else "", str(counted))
        )
    if day < last:
        asked.lines.append(Told("…", "", "", "", str(amount)))
    return due


TELLING: dict[str, Callable[[Asked, rules.Calendar, datetime, int], datetime]] = {
    "hours": _tell_hours,
    "minutes": _tell_minutes,
    "working_days": _tell_days,
    "calendar_days": _tell_days,
}


def _time(asked: Asked, name: str) -> int | None:
    said = asked.values[name].strip()
    return rules.minute_of(said, field=name) if said else None


def _clock(at: datetime, calendar: rules.Calendar, *, is_end: bool = False) -> str:
    """The time of day; the end of a day is 24:00. Seconds only where there are some."""
    local = at.astimezone(calendar.place)
    if is_end and (local.hour, local.minute, local.second) == (0, 0, 0):
        return "24:00"
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _length(length: timedelta) -> str:
    """Working time in hours and minutes, however much: 1 h 30 min, 120 h."""
    hours, rest = divmod(int(length.total_seconds()), 3600)
    if not hours:
        return show.duration(rest) if rest else "0"
    return _("%(h)s h %(m)s min") % {"h": hours, "m": rest // 60} if rest // 60 else _("%(h)s h") % {"h": hours}
