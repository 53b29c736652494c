"""Rotas and policies as one document, for programs that keep them, compare them, or move them."""

from __future__ import annotations

import json
from typing import Any, Literal

from msgspec import Struct

from allswell.api.contract import Body, Call, Query, operation
from allswell.desk import oncall_files
from allswell.kernel.errors import DeskError, Invalid
from allswell.people.rules import INSTALLATION, Act, require

from .rota_shapes import EDIT

TAG = "Rotas"


class OncallDocumentAsked(Query):
    """With the leave that is not over, of the people in it; and with how everybody is reached, for who sets up the installation."""

    leave: bool = False
    contacts: bool = False


class OncallDocument(Struct):
    """Rotas and policies as they hold now and later; its form is in docs/extend/rotas.md."""

    document: dict[str, Any]


@operation(
    "GET",
    "/on-call/document",
    id="exportOncall",
    summary="The rotas and policies the caller decides about, as one document",
    tag=TAG,
    scope="people:read",
    query=OncallDocumentAsked,
    answer=OncallDocument,
)
def export(call: Call) -> OncallDocument:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    asked: OncallDocumentAsked = call.query
    return OncallDocument(
        oncall_files.document(actor=call.actor, now=call.now, has_leave=asked.leave, has_contacts=asked.contacts)
    )


class OncallDocumentSent(Body):
    """A document as `exportOncall` gives it, at most 1 MB. With `is_trial` nothing is written."""

    document: dict[str, Any]
    is_trial: bool = False


class OncallLine(Struct):
    """What becomes of one thing: `left` is here, and the document does not name it; `lacking` is a way without an address.

    `parts` are what differs of it, `moves` how many times change hands by it.
    """

    outcome: Literal["added", "changed", "unchanged", "left", "lacking"]
    kind: Literal["rota", "policy", "leave", "contacts", "contact"]
    name: str
    parts: list[str]
    moves: int


class OncallBroughtIn(Struct):
    """What a document came to, or would."""

    items: list[OncallLine]
    is_written: bool


@operation(
    "POST",
    "/on-call/document",
    id="importOncall",
    summary="Make the rotas and policies a document names what it says; the others stay",
    tag=TAG,
    scope=EDIT,
    details="All of it or nothing: what is wrong is named by its place in the document. Those whose shifts move are told.",
    body=OncallDocumentSent,
    answer=OncallBroughtIn,
    present=lambda call, lines: _brought(call, lines),
)
def bring_in(call: Call) -> Any:
    require(call.actor, Act.SEE_DESK, INSTALLATION)
    body: OncallDocumentSent = call.body
    try:
        raw = json.dumps(body.document).encode()
    except (ValueError, RecursionError) as error:
        raise Invalid("This is no document of rotas and policies.", field="document") from error
    try:
        return oncall_files.bring_in(raw, is_trial=body.is_trial, actor=call.actor, now=call.now)
    except Invalid as error:
        raise Invalid(error.template, field=_inside(error), **error.params) from error


def _inside(error: DeskError) -> str:
    return f"document.{error.field}" if error.field not in ("", "file") else "document"


def _brought(call: Call, lines: list[oncall_files.Line]) -> OncallBroughtIn:
    body: OncallDocumentSent = call.body
    items = []
    for line in lines:
        outcome: Any = line.outcome
        kind: Any = line.kind
        items.append(OncallLine(outcome, kind, line.name, line.parts, line.moves))
    return OncallBroughtIn(items, not body.is_trial)
