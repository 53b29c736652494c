"""Writing the words tickets are described in: categories, custom fields, labels, saved views."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor

from .models import Category, CustomField, Label, SavedView
from .rules import BUILT_IN_VIEWS


def create_category(*, actor: Actor, now: datetime, **values: Any) -> Category:
    """A new category (`values` are columns)."""
    row = Category(**values)
    journal.create(row, about="category", actor=actor, now=now)
    return row


def create_custom_field(*, actor: Actor, now: datetime, **values: Any) -> CustomField:
    """A new custom field (`values` are columns)."""
    row = CustomField(**values)
    journal.create(row, about="custom_field", actor=actor, now=now)
    return row


def create_view(*, actor: Actor, now: datetime, **values: Any) -> SavedView:
    """A new saved view (`values` are columns)."""
    row = SavedView(**values)
    journal.create(row, about="view", actor=actor, now=now)
    return row


def change(
    row: Category | CustomField, values: dict[str, Any], *, about: str, actor: Actor, now: datetime, verb: Verb = Verb.CHANGED
) -> bool:
    """Save what differs; False when nothing did."""
    return journal.change(row, values, about=about, actor=actor, now=now, verb=verb) is not None


def set_label(row: Label | None, *, subject: str, language: str, text: str, actor: Actor, now: datetime) -> None:
    """Give a state, category or code a word of the installation's own; "" goes back to ours."""
    if row is None and text:
        journal.create(Label(subject=subject, language=language, text=text), about="label", actor=actor, now=now)
    elif row is not None and text:
        journal.change(row, {"text": text}, about="label", actor=actor, now=now)
    elif row is not None:
        journal.record(Verb.REMOVED, about=("label", row.pk), actor=actor, now=now)
        row.delete()


def keep_view(view: SavedView, *, actor: Actor, now: datetime) -> SavedView:
    """Write a view that was not saved yet, under an address of its own, never that of a built-in view."""
    base = text.slug(view.name) or "view"
    taken = set(SavedView.objects.filter(slug__startswith=base[:50]).values_list("slug", flat=True)) | BUILT_IN_VIEWS
    view.slug, number = base, 1
    while view.slug in taken:
        number += 1
        view.slug = f"{base[:50]}-{number}"
    journal.create(view, about="view", actor=actor, now=now)
    return view


def change_view(view: SavedView, values: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """Save what differs."""
    journal.change(view, values, about="view", actor=actor, now=now)
