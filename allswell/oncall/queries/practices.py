"""Reading practice pages."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from allswell.oncall.models import Page, PageDelivery
from allswell.oncall.rules.escalating import PageCause


def sent(*, since: datetime, **of: int) -> QuerySet[Page]:
    """The practice pages since then: to a `person`, or `asked_by` one."""
    return Page.objects.filter(cause=PageCause.PRACTICE.value, asked_by__isnull=False, created_at__gte=since, **of)


def still_open(person: int) -> list[int]:
    """The practice pages of somebody that are not over."""
    return list(Page.objects.filter(person=person, closed_at=None, cause=PageCause.PRACTICE.value).values_list("pk", flat=True))


def stale(*, before: datetime) -> list[int]:
    """The practice pages that are open although none of their messages waits, and none went out since then."""
    opened = Page.objects.filter(person__isnull=False, closed_at=None, cause=PageCause.PRACTICE.value, created_at__lt=before)
    busy = PageDelivery.objects.filter(Q(settled_at=None) | Q(settled_at__gte=before), page=OuterRef("pk"))
    return list(opened.exclude(Exists(busy)).values_list("pk", flat=True))
