"""Agreements from a file: what is promised for whom, with the calendars it counts in; for real histories and many installations.

What a file names and is not there yet (its organization, calendars, services) is made. The same file again changes nothing.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allswell.calendars import queries as calendars
from allswell.calendars import rules as hours
from allswell.calendars.rules import WEEKDAYS
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.documents import NotReadable, read_yaml
from allswell.kernel.errors import Conflict, Invalid
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services
from allswell.sla import operations as sla
from allswell.sla import queries
from allswell.sla.rules.terms import Audience

from .agreements import agree_step, create_step
from .calendars import FIRST_DAY, Hours, create_calendar_step
from .door import use_case
from .services import create_service_step
from .teams import create_organization_step

if TYPE_CHECKING:
    from allswell.people.models import Organization

LIMIT = 1_000_000
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,59}")
_FIELDS = {"name", "about", "zone", "in_force_from", "organization", "calendars", "agreements"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file of agreements did: how many are new, say something else from now on, or are as they were."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


def shipped() -> list[str]:
    """The names of the files that come with the program."""
    folder = importlib.resources.files("allswell.sla") / "shipped"
    return sorted(part.name.removesuffix(".yaml") for part in folder.iterdir() if part.name.endswith(".yaml"))


def read(name: str) -> Mapping[str, Any]:
    """The content of a shipped file or of one at a path. Raises Invalid."""
    if name in shipped():
        content = (importlib.resources.files("allswell.sla") / "shipped" / f"{name}.yaml").read_bytes()
    else:
        try:
            with Path(name).open("rb") as file:
                content = file.read(LIMIT + 1)
        except OSError as error:
            raise Invalid(
                "There is no file of agreements %(name)s: give a path or one of %(shipped)s.",
                field="agreements",
                name=name,
                shipped=", ".join(shipped()),
            ) from error
        if len(content) > LIMIT:
            raise Invalid("The file of agreements is too large.", field="agreements")
    try:
        raw = read_yaml(content)
    except NotReadable as error:
        raise Invalid("The file of agreements is no YAML: %(why)s", field="agreements", why=str(error)) from error
    if not isinstance(raw, Mapping) or set(raw) - _FIELDS or not isinstance(raw.get("agreements"), list):
        raise Invalid("A file of agreements has a list of agreements, and beside it: %(fields)s.", field="agreements",
                      fields=", ".join(sorted(_FIELDS - {"agreements"})))  # fmt: skip
    return raw


@use_case
def load(raw: Mapping[str, Any], *, actor: Actor, now: datetime) -> Loaded:
    """Write down the agreements of a file (as `read` gives it). Raises Invalid, NotAllowed."""
    require(actor, Act.SET_UP, INSTALLATION)
    sla.one_at_a_time()
    if not isinstance(raw.get("zone"), str | None):
        raise Invalid("There is no such time zone; write a name such as Europe/Paris.", field="zone")
    place = _organization(raw.get("organization"), actor=actor, now=now)
    for one in _list(raw.get("calendars"), "calendars"):
        _calendar(one, actor=actor, now=now)
    since = _instant(raw.get("in_force_from"), str(raw.get("zone") or "UTC"))
    done = Loaded()
    for one in raw["agreements"]:
        if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
            raise Invalid("Every agreement has a name and targets.", field="agreements")
        audience, team = str(one.get("audience", Audience.CUSTOMER)), one.get("team")
        if not isinstance(team, int | str | None):
            raise Invalid("There is no such team.", field="team")
        definition = {name: value for name, value in one.items() if name not in ("name", "audience", "team")}
        definition.setdefault("zone", raw.get("zone"))
        definition["services"] = [_service(name, place, actor=actor, now=now) for name in _list(one.get("services"), "services")]
        row = next((row for row in queries.agreements(is_active=None) if row.name == one["name"]), None)
        is_new = row is None
        if row is None:
            organization = place.pk if place else None
            row = create_step(name=one["name"], audience=audience, organization=organization, team=team, actor=actor, now=now)
        try:
            agree_step(row, definition, in_force_from=since, note="", actor=actor, now=now)
        except Conflict:
            done = replace(done, unchanged=done.unchanged + 1)
            continue
        done = replace(done, created=done.created + is_new, changed=done.changed + (not is_new))
    return done


def _list(said: Any, field: str) -> Sequence[Any]:
    if isinstance(said, list | None):
        return said or ()
    raise Invalid("This is no list.", field=field)


def _instant(said: Any, zone: str) -> datetime | None:
    """When it is in force from: a day (its beginning in the zone) or an instant."""
    if isinstance(said, datetime):
        return said if said.tzinfo else said.replace(tzinfo=hours.zone_named(zone))
    if isinstance(said, date):
        return hours.at_local(zone, said)
    if said is None:
        return None
    raise Invalid("This is no day.", field="in_force_from")


def _organization(said: Any, *, actor: Actor, now: datetime) -> Organization | None:
    if said is None:
        return None
    if not isinstance(said, Mapping) or not isinstance(said.get("name"), str):
        raise Invalid("An organization has a name.", field="organization")
    found = people.organizations().filter(name=said["name"], parent=None).first()
    if found is not None:
        return found
    details = {name: value for name, value in said.items() if name in ("note", "priority_matrix", "closes_after_days")}
    if not isinstance(details.get("note", ""), str):
        raise Invalid("This is no text.", field="note")
    kind = str(said.get("kind", "customer"))
    return create_organization_step(name=said["name"], parent=None, kind=kind, details=details, actor=actor, now=now)


def _calendar(said: Any, *, actor: Actor, now: datetime) -> None:
    """A calendar of the file, unless there is one of its slug: {slug, name, zone, week: {monday: "08:30-17:00", ...}}."""
    words = ("slug", "name", "zone", *(name for name in ("country", "subdivision") if isinstance(said, Mapping) and name in said))
    if not isinstance(said, Mapping) or not all(isinstance(said.get(name), str) for name in words):
        raise Invalid("A calendar has a slug, a name, a zone and a week.", field="calendars")
    if not _SLUG.fullmatch(said["slug"]):
        raise Invalid("Use small letters, digits and -, and begin with a letter (60 at most).", field="slug")
    if calendars.by_ref(said["slug"]) is not None:
        return
    week = said.get("week")
    if not isinstance(week, Mapping) or set(week) - set(WEEKDAYS):
        raise Invalid("A week has the days monday to sunday.", field="week")
    days = said.get("days") or {}
    if not isinstance(days, Mapping):
        raise Invalid("Days have a date and a name.", field="days")
    periods: Sequence[Any] = [hours.parse_hours(str(week.get(day) or ""), field=day) for day in WEEKDAYS]
    create_calendar_step(
        name=said["name"],
        slug=said["slug"],
        zone=said["zone"],
        hours=Hours(
            week=periods,
            days={str(on): hours.Day(str(name)) for on, name in days.items()},
            country=said.get("country"),
            subdivision=said.get("subdivision"),
        ),
        effective_on=FIRST_DAY,
        actor=actor,
        now=now,
    )


def _service(name: Any, place: Organization | None, *, actor: Actor, now: datetime) -> int:
    """The id of the service of a name, which is made where there is none."""
    named = text.line(str(name), field="services", limit=80)
    found = services.services().filter(name=named).order_by("id").first()
    if found is None:
        details = {"organization": place.pk} if place else {}
        found = create_service_step(name=named, needs=(), details=details, actor=actor, now=now)
    return int(found.pk)
