"""Shifts as an iCalendar document, for calendar programs that read at a secret address.

Instants are in UTC, so that every program shows them right by its own clock, whatever it knows of time zones. An event keeps its
UID as long as a shift of that level begins at that instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.translation import gettext as _

from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound
from allswell.oncall import queries
from allswell.oncall.rules import Slot, joined
from allswell.people import queries as people

from .planning import horizon

if TYPE_CHECKING:
    from allswell.oncall.models import CalendarLink, Rota

#: how far back a calendar goes, and how many events it has at most
BACK = timedelta(days=31)
MOST = 2_000
#: a line has at most so many bytes
_LINE = 75


@dataclass(frozen=True, slots=True)
class _Event:
    uid: str
    starts_at: datetime
    ends_at: datetime
    summary: str


def document(link: CalendarLink, *, host: str, actor: Actor, now: datetime) -> str:
    """What is read at a secret address: the shifts of its person (the actor), or of its rota. Raises NotFound when they may not know
    the rota any more."""
    row = link.rota
    if row is not None and not queries.visible_to(actor).filter(pk=row.pk).exists():
        raise NotFound("There is nothing at this address.")
    with translation.override(actor.locale):
        name = row.name if row is not None else _("On call: %(name)s") % {"name": actor.name}
        events = _of_rota(row, host, now) if row is not None else _of_person(actor, host, now)
        return _calendar(name, actor.time_zone, list(events), now)


def _of_person(actor: Actor, host: str, now: datetime) -> Iterator[_Event]:
    for shift in queries.joined(queries.shifts_of(actor.person or 0, since=now - BACK, until=horizon(now))[:MOST]):
        uid = _uid(shift.rota_id, shift.level, shift.starts_at, host)
        said = {"rota": shift.rota.name, "level": shift.level}
        yield _Event(uid, shift.starts_at, shift.ends_at, _("On call: %(rota)s, level %(level)s") % said)


def _of_rota(row: Rota, host: str, now: datetime) -> Iterator[_Event]:
    written = joined(queries.written([row.pk], now - BACK, horizon(now))[row.pk])
    slots = sorted(written, key=lambda slot: (slot.starts_at, slot.level))
    shown = [slot for slot in slots if slot.person is not None or slot.is_gap][:MOST]
    names = dict(people.people().filter(pk__in={slot.person for slot in shown}).values_list("pk", "name"))
    for slot in shown:
        uid = _uid(row.pk, slot.level, slot.starts_at, host)
        yield _Event(uid, slot.starts_at, slot.ends_at, _summary(row, slot, names))


def _summary(row: Rota, slot: Slot, names: dict[int, str]) -> str:
    said = {"rota": row.name, "level": slot.level, "name": names.get(slot.person or 0, "")}
    if slot.person is None:
        return _("Nobody: %(rota)s, level %(level)s") % said
    return _("%(name)s: %(rota)s, level %(level)s") % said


def _uid(rota: int, level: int, starts_at: datetime, host: str) -> str:
    return f"shift-{rota}-{level}-{_instant(starts_at)}@{host}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _calendar(name: str, zone: str, events: list[_Event], now: datetime) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Allswell//Shifts//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    lines += [
        f"X-WR-CALNAME:{_text(name)}",
        f"X-WR-TIMEZONE:{zone}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for event in events:
        lines += ["BEGIN:VEVENT", f"UID:{event.uid}", f"DTSTAMP:{_instant(now)}"]
        lines += [f"DTSTART:{_instant(event.starts_at)}", f"DTEND:{_instant(event.ends_at)}", f"SUMMARY:{_text(event.summary)}"]
        lines += ["TRANSP:TRANSPARENT", "END:VEVENT"]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _text(said: str) -> str:
    """A text as a value: what would end it is escaped."""
    escaped = said.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "\\n".join(escaped.splitlines())


def _folded(line: str) -> str:
    """A line of more than 75 bytes goes on in the next, which begins with a space; no sign is cut in two."""
    parts, part, size = [], "", 0
    for sign in line:
        length = len(sign.encode())
        if size + length > _LINE:
            parts.append(part)
            part, size = " ", 1
        part, size = part + sign, size + length
    return "\r\n".join([*parts, part])
