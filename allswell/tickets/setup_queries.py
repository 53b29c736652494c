"""Reading the words tickets are described in: categories, custom fields, labels, saved views."""

from __future__ import annotations

from django.db.models import QuerySet

from .models import Category, CustomField, Label, SavedView


def categories() -> QuerySet[Category]:
    """All categories, by name."""
    return Category.objects.select_related("parent").order_by("name", "id")


def category(ref: int | str) -> Category | None:
    """A category by id or slug."""
    if isinstance(ref, int) or (ref.isascii() and ref.isdigit()):
        return Category.objects.filter(pk=int(ref)).first()
    return Category.objects.filter(slug=ref).first()


def custom_fields() -> QuerySet[CustomField]:
    """All custom fields, in the order of forms."""
    return CustomField.objects.order_by("position", "id")


def custom_field(key: str) -> CustomField | None:
    """A custom field by its key."""
    return CustomField.objects.filter(key=key).first()


def labels(language: str) -> dict[str, str]:
    """The installation's own words in a language: subject ("state.waiting", "category.7") -> text."""
    return dict(Label.objects.filter(language=language).values_list("subject", "text"))


def label(subject: str, language: str) -> Label | None:
    """The own word for one subject in one language."""
    return Label.objects.filter(subject=subject, language=language).first()


def saved_views() -> QuerySet[SavedView]:
    """All saved views, in their order."""
    return SavedView.objects.order_by("position", "id")


def unsaved_view(*, name: str, filters: dict[str, str], person: int | None, team: int | None) -> SavedView:
    """A view as it would be, to ask whether somebody may keep it."""
    return SavedView(name=name, filters=filters, person_id=person, team_id=team)
