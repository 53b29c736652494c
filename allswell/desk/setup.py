"""The use cases of setting up: the first day, categories, custom fields, labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings

from allswell.kernel import text
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import Conflict, Invalid, NotFound
from allswell.people import operations as people
from allswell.people import queries as people_queries
from allswell.people.rules import INSTALLATION, Act, Proof, require
from allswell.tickets import rules as ticket_rules
from allswell.tickets import setup_operations as words
from allswell.tickets import setup_queries as queries

from .door import use_case
from .people import create_person_step
from .promises import start_step
from .teams import create_organization_step, create_team_step, join_step

if TYPE_CHECKING:
    from allswell.people.models import Organization, Person, Team
    from allswell.tickets.models import Category, CustomField

STARTING_CATEGORIES = ("Access", "Hardware", "Network", "Software", "Data", "Security")
FIELD_KINDS = ("text", "number", "date", "boolean", "choice")
STARTING_VIEWS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Unassigned", "unassigned", {"state": "open", "assignee": "none"}),
    ("All open", "all-open", {"state": "open"}),
    ("Done lately", "done-lately", {"state": "done"}),
)


@dataclass(frozen=True, slots=True)
class FirstDay:
    """What a new installation starts with."""

    person: Person
    organization: Organization
    team: Team


@use_case
def first_administrator(
    *,
    name: str,
    email: str,
    organization: str,
    actor: Actor,
    now: datetime,
    password_hash: str = "",
    team: str = "Service desk",
) -> FirstDay:
    """Start an installation: a root organization, a first-line team, a person who administers, leads and works, starting
    categories, views, calendars and agreements. `password_hash` comes from `desk.people.hash_of`.

    Raises Conflict when it was started before.
    """
    require(actor, Act.SET_UP, INSTALLATION)
    if people_queries.people().exists():
        raise Conflict("This installation has been set up already.")
    root = create_organization_step(name=organization, parent=None, kind="business_unit", details={}, actor=actor, now=now)
    person = create_person_step(
        name=name,
        email=email,
        organization=root.pk,
        proof=Proof.VOUCHED,
        password_hash=password_hash,
        details={},
        actor=actor,
        now=now,
    )
    for role in (Role.ADMINISTRATOR, Role.LEAD, Role.AGENT):
        people.grant(person, role, place=INSTALLATION, actor=actor, now=now)
    first = create_team_step(name=team, details={"line": 1, "lead": person.pk}, actor=actor, now=now)
    join_step(person, first, actor=actor, now=now)
    starting_words(actor=actor, now=now)
    start_step(zone=settings.DEFAULT_TIME_ZONE, actor=actor, now=now)
    return FirstDay(person=person, organization=root, team=first)


def starting_words(*, actor: Actor, now: datetime) -> None:
    """The categories and views every installation starts with; those there already stay. Opens no transaction."""
    held = set(queries.categories().values_list("slug", flat=True))
    for name in STARTING_CATEGORIES:
        if text.slug(name) not in held:
            words.create_category(name=name, slug=text.slug(name), actor=actor, now=now)
    views = set(queries.saved_views().values_list("slug", flat=True))
    for position, (name, slug, filters) in enumerate(STARTING_VIEWS):
        if slug not in views:
            words.create_view(name=name, slug=slug, filters=filters, position=position, actor=actor, now=now)


# categories


def _category(ref: int | str) -> Category:
    row = queries.category(ref)
    if row is None:
        raise NotFound("There is no such category.")
    return row


def _parent(ref: int | str | None, *, row: Category | None) -> int | None:
    if ref is None or ref == "":
        return None
    above = queries.category(ref)
    if above is None:
        raise Invalid("There is no such category.", field="parent")
    step: Category | None = above
    while step is not None:
        if row is not None and step.pk == row.pk:
            raise Invalid("A category cannot stand below itself.", field="parent")
        step = step.parent
    return above.pk


@use_case
def create_category(*, name: str, actor: Actor, now: datetime, parent: int | str | None = None) -> Category:
    """A new category, below `parent` (id or slug) or at the top. Raises Invalid, NotAllowed."""
    require(actor, Act.SET_UP, INSTALLATION)
    name = text.line(name, field="name", limit=80)
    slug = people.free_slug(queries.categories(), name, fallback="category")
    return words.create_category(name=name, slug=slug, parent_id=_parent(parent, row=None), actor=actor, now=now)


@use_case
def edit_category(category: int | str, *, name: str, actor: Actor, now: datetime, parent: int | str | None = None) -> Category:
    """Rename a category or hang it elsewhere. Raises Invalid, NotFound, NotAllowed."""
    require(actor, Act.SET_UP, INSTALLATION)
    row = _category(category)
    values = {"name": text.line(name, field="name", limit=80), "parent_id": _parent(parent, row=row)}
    words.change(row, values, about="category", actor=actor, now=now)
    return row


@use_case
def set_category_active(category: int | str, *, is_active: bool, actor: Actor, now: datetime) -> Category:
    """Offer a category, or no longer offer it; tickets keep theirs."""
    require(actor, Act.SET_UP, INSTALLATION)
    row = _category(category)
    people.activate(row, about="category", actor=actor, now=now) if is_active else people.deactivate(
        row, about="category", actor=actor, now=now
    )
    return row


# custom fields


def _field_columns(changes: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "label":
            columns[name] = text.line(value, field=name, limit=80)
        elif name == "hint":
            columns[name] = text.line(value, field=name, limit=200, required=False)
        elif name == "kind":
            if value not in FIELD_KINDS:
                raise Invalid("Choose one of the list.", field=name)
            columns[name] = value
        elif name == "ticket_kind":
            if value not in ("", *(kind.value for kind in ticket_rules.Kind)):
                raise Invalid("Choose one of the list.", field=name)
            columns[name] = value
        elif name == "choices":
            lines = [text.line(line, field=name, limit=80) for line in value if line.strip()]
            columns[name] = list(dict.fromkeys(lines))
        elif name in ("is_required", "is_in_portal"):
            columns[name] = bool(value)
        elif name == "position":
            if not isinstance(value, int) or not 0 <= value <= 999:
                raise Invalid("Use a whole number from 0 to 999.", field=name)
            columns[name] = value
        else:
            raise Invalid("A custom field has no such setting.", field=name)
    return columns


@use_case
def create_custom_field(*, key: str, label: str, actor: Actor, now: datetime, **details: Any) -> CustomField:
    """A field of our own on tickets. `key` names it in the API for ever.

    `details`: kind (text, number, date, boolean, choice), choices (list of texts), ticket_kind ("" for all), hint,
    is_required, is_in_portal, position. Raises Invalid, Conflict, NotAllowed.
    """
    require(actor, Act.SET_UP, INSTALLATION)
    key = text.slug(key or label).replace("-", "_")[:40]
    if not key:
        raise Invalid("This is needed.", field="key")
    if queries.custom_field(key) is not None:
        raise Conflict("There is a field with this key already.", field="key")
    columns = _field_columns({"label": label, **details})
    if columns.get("kind") == "choice" and not columns.get("choices"):
        raise Invalid("Give at least one choice.", field="choices")
    return words.create_custom_field(key=key, actor=actor, now=now, **columns)


@use_case
def edit_custom_field(key: str, *, actor: Actor, now: datetime, **changes: Any) -> CustomField:
    """Change a field: the details of `create_custom_field` but its kind, which is kept. Raises Invalid, NotFound."""
    require(actor, Act.SET_UP, INSTALLATION)
    row = queries.custom_field(key)
    if row is None:
        raise NotFound("There is no such field.")
    columns = _field_columns(changes)
    if columns.get("kind", row.kind) != row.kind:
        raise Conflict("The kind of a field is kept. Make another field instead.", field="kind")
    if row.kind == "choice" and "choices" in columns and not columns["choices"]:
        raise Invalid("Give at least one choice.", field="choices")
    words.change(row, columns, about="custom_field", actor=actor, now=now)
    return row


@use_case
def set_custom_field_active(key: str, *, is_active: bool, actor: Actor, now: datetime) -> CustomField:
    """Show a field on forms, or no longer; values entered are kept."""
    require(actor, Act.SET_UP, INSTALLATION)
    row = queries.custom_field(key)
    if row is None:
        raise NotFound("There is no such field.")
    people.activate(row, about="custom_field", actor=actor, now=now) if is_active else people.deactivate(
        row, about="custom_field", actor=actor, now=now
    )
    return row


# labels


def languages() -> list[str]:
    """The languages labels are given in."""
    return [code for code, _ in settings.LANGUAGES]


def label_subjects() -> list[str]:
    """What may be given a word of one's own: states, what is waited for, codes of resolution, reasons of cancelling, and
    (as "category.<id>") categories."""
    fixed = [
        *(f"state.{state.value}" for state in ticket_rules.State),
        *(f"waiting_on.{on.value}" for on in ticket_rules.WaitingOn),
        *(f"code.{code}" for code in ticket_rules.CODES),
        *(f"reason.{reason}" for reason in ticket_rules.CANCEL_REASONS),
    ]
    return fixed + [f"category.{pk}" for pk in queries.categories().values_list("id", flat=True)]


@use_case
def set_labels(*, language: str, labels: dict[str, str], actor: Actor, now: datetime) -> None:
    """Words of our own in one language: subject -> text; "" goes back to the built-in word. Raises Invalid, NotAllowed."""
    require(actor, Act.SET_UP, INSTALLATION)
    if language not in languages():
        raise Invalid("Choose one of the list.", field="language")
    known = set(label_subjects())
    for subject, word in labels.items():
        if subject not in known:
            raise Invalid("There is nothing to be named like this.", field=subject)
        words.set_label(
            queries.label(subject, language),
            subject=subject,
            language=language,
            text=text.line(word, field=subject, limit=80, required=False),
            actor=actor,
            now=now,
        )
