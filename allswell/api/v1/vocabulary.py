"""The words tickets are described in: categories, custom fields, the installation's own words for states and codes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, operation
from allswell.desk import setup as desk
from allswell.kernel.errors import NotFound
from allswell.people.rules import INSTALLATION, Act, may, require
from allswell.tickets import setup_queries as queries

from .shapes import changes

TAG = "Vocabulary"
READ, WRITE = "tickets:read", "setup:write"
Label = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]


# categories


class Category(Struct):
    """What tickets are about, as a tree; `parent` is the category above."""

    id: int
    slug: str
    name: str
    parent: int | None
    is_active: bool


class Categories(Struct):
    """All categories, by name."""

    items: list[Category]


def _category(row: Any) -> Category:
    return Category(row.pk, row.slug, row.name, row.parent_id, row.is_active)


def _one_category(call: Call, row: Any = None) -> Category:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    found = queries.category(call.path["id"])
    if found is None:
        raise NotFound("There is no such category.")
    return _category(found)


@operation("GET", "/categories", id="listCategories", summary="All categories", tag=TAG, scope=READ, answer=Categories)
def categories(call: Call) -> Categories:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    return Categories([_category(row) for row in queries.categories()])


@operation("GET", "/categories/{id}", id="getCategory", summary="One category", tag=TAG, scope=READ, answer=Category)
def category(call: Call) -> Category:
    return _one_category(call)


class NewCategory(Body):
    """Its name, and the id of the category above."""

    name: Label
    parent: Id | None = None


@operation(
    "POST",
    "/categories",
    id="createCategory",
    summary="A new category",
    tag=TAG,
    scope=WRITE,
    body=NewCategory,
    answer=Category,
    status=201,
    present=lambda call, row: _made(call, f"categories/{row.pk}", _category(row)),
)
def create_category(call: Call) -> Any:
    return desk.create_category(name=call.body.name, parent=call.body.parent, actor=call.actor, now=call.now)


def _made(call: Call, address: str, shown: Any) -> Any:
    call.headers["Location"] = f"{BASE}/{address}"
    return shown


class CategoryChange(Body):
    """What to change; what is left out stays."""

    name: Label | UnsetType = UNSET
    parent: Id | UnsetType | None = UNSET


@operation(
    "PATCH",
    "/categories/{id}",
    id="updateCategory",
    summary="Rename a category, or hang it elsewhere",
    tag=TAG,
    scope=WRITE,
    body=CategoryChange,
    answer=Category,
    present=_one_category,
    current=_one_category,
)
def update_category(call: Call) -> Any:
    held = _one_category(call)
    wanted = {"name": held.name, "parent": held.parent, **changes(call.body)}
    return desk.edit_category(call.path["id"], **wanted, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/categories/{id}/deactivate",
    id="deactivateCategory",
    summary="No longer offer a category; tickets keep theirs",
    tag=TAG,
    scope=WRITE,
    answer=Category,
    present=_one_category,
)
def deactivate_category(call: Call) -> Any:
    return desk.set_category_active(call.path["id"], is_active=False, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/categories/{id}/activate",
    id="activateCategory",
    summary="Offer a category again",
    tag=TAG,
    scope=WRITE,
    answer=Category,
    present=_one_category,
)
def activate_category(call: Call) -> Any:
    return desk.set_category_active(call.path["id"], is_active=True, actor=call.actor, now=call.now)


# custom fields


FieldKind = Literal["text", "number", "date", "boolean", "choice"]
TicketKind = Literal["incident", "request", ""]
Position = Annotated[int, Meta(ge=0, le=999)]
Hint = Annotated[str, Meta(max_length=200)]
Choices = Annotated[list[Label], Meta(max_length=200)]


class CustomField(Struct):
    """A field of tickets; a ticket's `custom` holds its value under `key`. `ticket_kind` "" means all kinds."""

    key: str
    label: str
    kind: FieldKind
    choices: list[str]
    ticket_kind: TicketKind
    hint: str
    is_required: bool
    is_in_portal: bool
    position: int
    is_active: bool


class CustomFields(Struct):
    """Custom fields, in the order of forms."""

    items: list[CustomField]


def _field(row: Any) -> CustomField:
    return CustomField(**{name: getattr(row, name) for name in CustomField.__struct_fields__})


def _known_fields(call: Call) -> QuerySet[Any]:
    """What the caller may know: who sets up all, the desk those in use, everybody else those the portal asks for."""
    rows = queries.custom_fields()
    if may(call.actor, Act.READ_SETUP, INSTALLATION):
        return rows
    rows = rows.filter(is_active=True)
    return rows if may(call.actor, Act.SEE_DESK, INSTALLATION) else rows.filter(is_in_portal=True)


def _one_field(call: Call, row: Any = None) -> CustomField:
    found = _known_fields(call).filter(key=call.path["key"]).first()
    if found is None:
        raise NotFound("There is no such field.")
    return _field(found)


@operation(
    "GET",
    "/fields",
    id="listFields",
    summary="The custom fields of tickets",
    tag=TAG,
    scope=READ,
    details="Requesters see those the portal asks for; what is out of use only who may read the setup.",
    answer=CustomFields,
)
def fields(call: Call) -> CustomFields:
    return CustomFields([_field(row) for row in _known_fields(call)])


@operation("GET", "/fields/{key}", id="getField", summary="One custom field", tag=TAG, scope=READ, answer=CustomField)
def field(call: Call) -> CustomField:
    return _one_field(call)


class NewField(Body):
    """A field. `key` names it for ever (made from the label when empty); `choices` are needed for the kind choice."""

    label: Label
    key: Annotated[str, Meta(max_length=40)] = ""
    kind: FieldKind = "text"
    choices: Choices = []
    ticket_kind: TicketKind = ""
    hint: Hint = ""
    is_required: bool = False
    is_in_portal: bool = False
    position: Position = 0


@operation(
    "POST",
    "/fields",
    id="createField",
    summary="A field of one's own on tickets",
    tag=TAG,
    scope=WRITE,
    body=NewField,
    answer=CustomField,
    status=201,
    present=lambda call, row: _made(call, f"fields/{row.key}", _field(row)),
)
def create_field(call: Call) -> Any:
    body: NewField = call.body
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    return desk.create_custom_field(**values, actor=call.actor, now=call.now)


class FieldChange(Body):
    """What to change; what is left out stays. Key and kind are kept for ever."""

    label: Label | UnsetType = UNSET
    choices: Choices | UnsetType = UNSET
    ticket_kind: TicketKind | UnsetType = UNSET
    hint: Hint | UnsetType = UNSET
    is_required: bool | UnsetType = UNSET
    is_in_portal: bool | UnsetType = UNSET
    position: Position | UnsetType = UNSET


@operation(
    "PATCH",
    "/fields/{key}",
    id="updateField",
    summary="Change a custom field; values entered are kept",
    tag=TAG,
    scope=WRITE,
    body=FieldChange,
    answer=CustomField,
    present=_one_field,
    current=_one_field,
)
def update_field(call: Call) -> Any:
    return desk.edit_custom_field(call.path["key"], **changes(call.body), actor=call.actor, now=call.now)


@operation(
    "POST",
    "/fields/{key}/deactivate",
    id="deactivateField",
    summary="No longer ask for a field; values entered are kept",
    tag=TAG,
    scope=WRITE,
    answer=CustomField,
    present=_one_field,
)
def deactivate_field(call: Call) -> Any:
    return desk.set_custom_field_active(call.path["key"], is_active=False, actor=call.actor, now=call.now)


@operation(
    "POST",
    "/fields/{key}/activate",
    id="activateField",
    summary="Ask for a field again",
    tag=TAG,
    scope=WRITE,
    answer=CustomField,
    present=_one_field,
)
def activate_field(call: Call) -> Any:
    return desk.set_custom_field_active(call.path["key"], is_active=True, actor=call.actor, now=call.now)


# labels


class Labels(Struct):
    """The installation's own words in one language: subject ("state.waiting", "code.fixed", "category.7") -> word.

    What is not named has its built-in word.
    """

    labels: dict[str, str]


def _labels(call: Call, result: Any = None) -> Labels:
    language = call.path["language"]
    if language not in desk.languages():
        raise NotFound("There is no such language.")
    known, named = queries.labels(language), set(desk.label_subjects())
    return Labels({subject: word for subject, word in sorted(known.items()) if subject in named})


@operation(
    "GET",
    "/labels/{language}",
    id="getLabels",
    summary="One's own words for states, codes and categories in a language",
    tag=TAG,
    scope=READ,
    answer=Labels,
)
def labels(call: Call) -> Labels:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    return _labels(call)


class LabelsChange(Body):
    """Words by subject; "" goes back to the built-in word. Subjects left out stay."""

    labels: Annotated[dict[str, Annotated[str, Meta(max_length=80)]], Meta(max_length=500)]


@operation(
    "PATCH",
    "/labels/{language}",
    id="updateLabels",
    summary="Name states, codes and categories in one's own words",
    tag=TAG,
    scope=WRITE,
    body=LabelsChange,
    answer=Labels,
    present=_labels,
    current=_labels,
)
def update_labels(call: Call) -> Any:
    return desk.set_labels(language=call.path["language"], labels=call.body.labels, actor=call.actor, now=call.now)
