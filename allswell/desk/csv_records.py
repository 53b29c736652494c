"""People, teams and services from a file: tried first, then done, in one transaction.

The trial does everything and takes it back, so its preview says exactly what would happen, refusals included.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from allswell.journal import queries as journal
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError, Invalid
from allswell.people import queries as people
from allswell.people.rules import Act, Proof
from allswell.services import queries as services

from .door import use_case
from .people import create_person_step, edit_person_step, person_for, team_for
from .services import create_service_step, edit_service_step
from .teams import create_team_step, edit_team_step, join_step

MOST_ROWS = 2000
COLUMNS: dict[str, tuple[str, ...]] = {
    "people": (
        "name",
        "email",
        "organization",
        "title",
        "phone",
        "location",
        "manager",
        "teams",
        "locale",
        "time_zone",
        "external_ref",
    ),
    "teams": ("name", "slug", "line", "email", "description", "organization", "lead", "assignment"),
    "services": ("name", "slug", "kind", "description", "team", "owner", "criticality", "support_hours", "organization", "needs"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """What happens with a row: `outcome` is added, changed, unchanged or refused; `reason` says why it was refused.

    `fields` names what changes. `template` and `params` are the reason before translation.
    """

    number: int
    name: str
    outcome: str
    fields: tuple[str, ...] = ()
    field: str = ""
    template: str = ""
    params: tuple[tuple[str, object], ...] = ()


def read(content: str, *, kind: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV text with their line numbers; the separator may be a comma, semicolon or tab. Raises Invalid."""
    content = text.clean(content.removeprefix("\ufeff"))
    first = content.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        reader = csv.DictReader(io.StringIO(content), delimiter=separator, strict=True)
        names = [name.strip().lower().replace(" ", "_") for name in reader.fieldnames or []]
        if "name" not in names:
            raise Invalid("The first line must name the columns; “name” is needed.", field="file")
        unknown = sorted(set(names) - set(COLUMNS[kind]))
        if unknown:
            raise Invalid("There is no column %(name)s here.", field="file", name=unknown[0])
        reader.fieldnames = names
        rows = [(reader.line_num, {key: (value or "").strip() for key, value in row.items() if key}) for row in reader]
    except csv.Error as error:
        raise Invalid("This is not a CSV file.", field="file") from error
    if not rows or len(rows) > MOST_ROWS:
        raise Invalid("A file holds from 1 to %(most)s rows.", field="file", most=MOST_ROWS)
    return rows


@use_case
def bring_in(kind: str, *, content: str, is_trial: bool, actor: Actor, now: datetime) -> list[Line]:
    """Add or change what each row says; rows that cannot be are refused one by one, the others go on.

    A row finds its record by external_ref or e-mail (people), by slug or name (teams, services). Empty cells change nothing.
    With `is_trial` everything is taken back at the end. Raises Invalid for a file that cannot be read.
    """
    if kind not in COLUMNS:
        raise Invalid("Choose one of the list.", field="kind")
    bring = _ROWS[kind]
    lines = [_line(number, row, bring, actor=actor, now=now) for number, row in read(content, kind=kind)]
    if is_trial:
        transaction.set_rollback(True)
    return lines


Bring = Callable[[dict[str, str], Actor, datetime], bool]


def _line(number: int, row: dict[str, str], bring: Bring, *, actor: Actor, now: datetime) -> Line:
    name = row.get("name", "")[:120]
    before = journal.newest_id()
    try:
        with transaction.atomic():
            is_new = bring(row, actor, now)
    except DeskError as error:
        params = tuple(error.params.items())
        return Line(number, name, "refused", field=error.field, template=error.template, params=params)
    fields = journal.fields_since(actor.action, after=before)
    if is_new:
        return Line(number, name, "added")
    return Line(number, name, "changed" if fields else "unchanged", fields=tuple(fields))


def _given(row: dict[str, str], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if row.get(name)}


def _organization(row: dict[str, str], actor: Actor) -> dict[str, Any]:
    """The organization named by slug or name, as the steps take it; one that the actor may not know is none."""
    named = row.get("organization", "")
    if not named:
        return {}
    known = people.organizations_visible_to(actor)
    found = known.filter(slug=text.slug(named)).first() or known.filter(name__iexact=named).first()
    if found is None:
        raise Invalid("There is no such organization, or you may not know it.", field="organization")
    return {"organization": found.pk}


def _person(row: dict[str, str], name: str, actor: Actor) -> dict[str, Any]:
    if not row.get(name):
        return {}
    found = people.person_by_address(text.folded_address(row[name], field=name))
    if found is None or not people.people_visible_to(actor).filter(pk=found.pk).exists():
        raise Invalid("Nobody is known by this address.", field=name)
    return {name: found.pk}


def _number(row: dict[str, str], name: str) -> dict[str, Any]:
    raw = row.get(name, "")
    if not raw:
        return {}
    if not (raw.isascii() and raw.isdigit() and len(raw) < 4):
        raise Invalid("Use a whole number.", field=name)
    return {name: int(raw)}


def _words(row: dict[str, str], name: str) -> Iterator[str]:
    return (word.strip() for word in row.get(name, "").replace("|", ";").split(";") if word.strip())


def _bring_person(row: dict[str, str], actor: Actor, now: datetime) -> bool:
    details = _given(row, "title", "phone", "location", "locale", "time_zone", "external_ref")
    details |= _organization(row, actor) | _person(row, "manager", actor)
    address = text.folded_address(row["email"]) if row.get("email") else ""
    found = people.person_by_ref(row.get("external_ref", "")) or (people.person_by_address(address) if address else None)
    if found is None and not address and not row.get("external_ref"):
        raise Invalid("A row needs an e-mail address or a key, or a second run would add everybody again.", field="email")
    if found is None:
        organization = details.pop("organization", actor.organization)
        person = create_person_step(
            name=row["name"],
            email=address,
            organization=organization,
            proof=Proof.VOUCHED,
            password_hash="",
            details=details,
            actor=actor,
            now=now,
        )
    else:
        person_for(found.pk, Act.SET_UP, actor=actor)
        person = edit_person_step(found.pk, changes={"name": row["name"], **details}, actor=actor, now=now)
    for word in _words(row, "teams"):
        ref = people.teams_visible_to(actor).filter(slug=text.slug(word)).values_list("pk", flat=True).first()
        if ref is None:
            raise Invalid("There is no such team.", field="teams")
        join_step(person, team_for(ref, Act.SET_UP, actor=actor), actor=actor, now=now)
    return found is None


def _bring_team(row: dict[str, str], actor: Actor, now: datetime) -> bool:
    details = _given(row, "email", "description", "assignment")
    details |= _organization(row, actor) | _person(row, "lead", actor) | _number(row, "line")
    slug = row.get("slug") or text.slug(row["name"])
    if people.team_by_ref(slug) is None:
        create_team_step(name=row["name"], details=details, actor=actor, now=now)
        return True
    edit_team_step(slug, changes={"name": row["name"], **details}, actor=actor, now=now)
    return False


def _bring_service(row: dict[str, str], actor: Actor, now: datetime) -> bool:
    details = _given(row, "kind", "description", "support_hours")
    details |= _organization(row, actor) | _person(row, "owner", actor) | _number(row, "criticality")
    if row.get("team"):
        details["team"] = text.slug(row["team"])
    needs = [text.slug(word) for word in _words(row, "needs")]
    slug = row.get("slug") or text.slug(row["name"])
    if services.by_ref(slug) is None:
        create_service_step(name=row["name"], needs=needs, details=details, actor=actor, now=now)
        return True
    changes = {"name": row["name"], **details}
    edit_service_step(slug, needs=needs if row.get("needs") else None, changes=changes, actor=actor, now=now)
    return False


_ROWS: dict[str, Bring] = {"people": _bring_person, "teams": _bring_team, "services": _bring_service}
