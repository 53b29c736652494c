"""Reading the words that organizations chose for their mails."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F, Q, QuerySet

from allswell.database.statements import ask
from allswell.notifications.models import MailTemplate
from allswell.notifications.rules.templates import MailKind


def all_templates() -> QuerySet[MailTemplate]:
    """All templates, those for all organizations first."""
    rows = MailTemplate.objects.select_related("organization")
    return rows.order_by(F("organization__path").asc(nulls_first=True), "kind", "locale", "id")


def template(number: int, *, is_locked: bool = False) -> MailTemplate | None:
    """A template, its organization loaded unless it is to be changed."""
    if is_locked:
        return MailTemplate.objects.select_for_update().filter(pk=number).first()
    return MailTemplate.objects.select_related("organization").filter(pk=number).first()


def has_templates(kind: MailKind, locale: str) -> bool:
    """Whether anybody chose words for this kind of mail: one small look for every mail."""
    return bool(ask("SELECT 1 FROM notifications_mailtemplate WHERE kind = %s AND locale = %s LIMIT 1", [kind.value, locale]))


def templates_for(kind: MailKind, locale: str, *, organizations: Collection[int]) -> dict[int | None, MailTemplate]:
    """By organization the templates of these, and by None the one for all."""
    rows = MailTemplate.objects.filter(kind=kind.value, locale=locale)
    return {row.organization_id: row for row in rows.filter(Q(organization=None) | Q(organization__in=organizations))}
