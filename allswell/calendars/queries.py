"""Reading calendars: the rows of setup, and what counting needs of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import F, QuerySet

from . import rules
from .models import Calendar, CalendarVersion

BUILT_IN = "always"
_KEPT_LIMIT = 512
# By fingerprint: a version never changes, nor do those before it, so what was made of them holds for ever.
_kept: dict[tuple[str, str, str], rules.Calendar] = {}


def calendars() -> QuerySet[Calendar]:
    """All calendars."""
    return Calendar.objects.all()


def names() -> dict[str, str]:
    """Slug -> name of every calendar."""
    return dict(Calendar.objects.values_list("slug", "name"))


def by_ref(ref: int | str) -> Calendar | None:
    """A calendar by id or slug."""
    if len(str(ref)) > 60 or not str(ref).isprintable():
        return None
    is_id = isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) < 19)
    return Calendar.objects.filter(**({"pk": int(ref)} if is_id else {"slug": ref})).first()


def versions(calendar: int) -> QuerySet[CalendarVersion]:
    """The versions of a calendar, newest first."""
    return CalendarVersion.objects.filter(calendar=calendar).order_by("-number")


def version(calendar: int, number: int) -> CalendarVersion | None:
    """One version of a calendar."""
    return CalendarVersion.objects.filter(calendar=calendar, number=number).first()


def newest(calendar: Calendar) -> CalendarVersion:
    """The newest version of a calendar."""
    return CalendarVersion.objects.get(calendar=calendar, number=calendar.number)


def by_slug(slug: str) -> rules.Calendar | None:
    """A calendar with all its versions, ready to count in. "always" is there in any case."""
    return by_slugs([slug]).get(slug)


def by_slugs(slugs: Iterable[str] | None = None) -> dict[str, rules.Calendar]:
    """Calendars by slug, ready to count in; all of them without `slugs`. "always" is there in any case."""
    rows = Calendar.objects.all() if slugs is None else Calendar.objects.filter(slug__in=list(slugs))
    return {BUILT_IN: rules.ALWAYS} | {calendar.slug: calendar for calendar in _ready(rows).values()}


def by_ids(ids: Iterable[int] | None = None) -> dict[int, rules.Calendar]:
    """Calendars by id, ready to count in; all of them without `ids`. One query when they are known already."""
    return _ready(Calendar.objects.all() if ids is None else Calendar.objects.filter(pk__in=list(ids)))


def _ready(rows: QuerySet[Calendar]) -> dict[int, rules.Calendar]:
    columns = ("pk", "slug", "zone", "versions__fingerprint")
    heads = list(rows.filter(versions__number=F("number")).order_by("pk").values_list(*columns))
    missing = [pk for pk, *key in heads if tuple(key) not in _kept]
    made = _made(missing) if missing else {}
    found: dict[int, rules.Calendar] = {}
    for pk, slug, zone, fingerprint in heads:
        key = (slug, zone, fingerprint)
        if (calendar := _kept.get(key)) is None:
            if len(_kept) >= _KEPT_LIMIT:
                _kept.clear()
            _kept[key] = calendar = rules.Calendar(zone, tuple(made[pk]), slug)
        found[pk] = calendar
    return found


def _made(ids: list[int]) -> dict[int, list[rules.Version]]:
    made: dict[int, list[rules.Version]] = {}
    rows = CalendarVersion.objects.filter(calendar__in=ids).order_by("calendar", "number")
    for pk, number, effective_on, raw in rows.values_list("calendar", "number", "effective_on", "definition"):
        made.setdefault(pk, []).append(rules.Version(number, effective_on, rules.Definition.parse(raw)))
    return made


def holidays_until(ids: Iterable[int]) -> dict[int, date | None]:
    """Until when the holidays of calendars are known; None for those without any."""
    rows = CalendarVersion.objects.filter(calendar__in=list(ids), number=F("calendar__number"))
    return dict(rows.values_list("calendar", "holidays_until"))


def holidays_in(zones: Iterable[str], first: date, last: date) -> dict[str, frozenset[date]]:
    """Time zone -> the holidays between two days of the calendars in use that count by its clocks."""
    found: dict[str, frozenset[date]] = {}
    for calendar in _ready(Calendar.objects.filter(zone__in=set(zones), is_active=True)).values():
        found[calendar.zone] = found.get(calendar.zone, frozenset()) | rules.holidays(calendar, first, last)
    return found


def own_days(row: CalendarVersion) -> dict[str, rules.Day]:
    """The days of a version that were written by hand, by date or by month and day."""
    return rules.own_from_json(row.own_days)


def definition(row: CalendarVersion) -> rules.Definition:
    """What a version says."""
    raw: dict[str, Any] = row.definition
    return rules.Definition.parse(raw)
