"""Writing calendars, inside the desk's transaction. A version once written stays as it is."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError

from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Stale

from .models import Calendar, CalendarVersion

ABOUT = "calendar"


def create(*, name: str, slug: str, zone: str, actor: Actor, now: datetime) -> Calendar:
    """A new calendar, still without a version."""
    row = Calendar(name=name, slug=slug, zone=zone, number=0)
    journal.create(row, about=ABOUT, actor=actor, now=now)
    return row


def add_version(row: Calendar, *, effective_on: date, actor: Actor, now: datetime, **values: Any) -> CalendarVersion:
    """Write the next version (`values` are columns) and make it the newest."""
    before = CalendarVersion.objects.filter(calendar=row, number=row.number).values_list("fingerprint", flat=True).first()
    said = json.dumps([before, row.number + 1, effective_on.isoformat(), values["definition"]], sort_keys=True)
    version = CalendarVersion(
        calendar=row,
        number=row.number + 1,
        effective_on=effective_on,
        fingerprint=hashlib.sha256(said.encode()).hexdigest()[:32],
        created_at=now,
        created_by_id=actor.person,
        **values,
    )
    try:
        version.save(force_insert=True)
    except IntegrityError as error:
        raise Stale("Somebody has changed this calendar in the meantime. Look at it again.") from error
    data = {
        "fields": ["version"],
        "from": {"version": row.number},
        "to": {"version": version.number},
        "effective_on": effective_on.isoformat(),
    }
    row.number = version.number
    row.save(update_fields=["number"])
    journal.record(Verb.CHANGED, about=(ABOUT, row.pk), actor=actor, now=now, data=data)
    return version


def rename(row: Calendar, name: str, *, actor: Actor, now: datetime) -> Entry | None:
    """Give it another name; None when it has it already."""
    return journal.change(row, {"name": name}, about=ABOUT, actor=actor, now=now)


def set_active(row: Calendar, *, is_active: bool, actor: Actor, now: datetime) -> Entry | None:
    """Offer a calendar, or no longer offer it; what counts in it goes on."""
    verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
    return journal.change(row, {"is_active": is_active}, about=ABOUT, actor=actor, now=now, verb=verb)
