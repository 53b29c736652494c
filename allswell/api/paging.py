"""Lists page by page: a signed cursor names the last row seen, so a page costs the same wherever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from msgspec import UNSET

from .contract import BASE, Call, FieldError, Page
from .problems import Refusal

T = TypeVar("T")


def _signer(call: Call) -> Signer:
    return Signer(salt=f"api.cursor.{call.operation.id}")


def last_seen(call: Call) -> int | None:
    """The key the cursor names; None on the first page. Raises Refusal (422)."""
    if call.query.cursor is UNSET:
        return None
    try:
        return int(_signer(call).unsign(call.query.cursor))
    except (BadSignature, ValueError):
        detail = "This cursor is not from this list. Use `next` of the page before."
        raise Refusal(422, "invalid", detail, errors=[FieldError("cursor", detail)]) from None


def page(call: Call, rows: QuerySet[Any, Any], make: Callable[[Sequence[Any]], list[T]]) -> Page[T]:
    """One page of `rows`, newest (highest key) first. `rows` are records, or values with the key first; `make` turns rows into items."""
    if (last := last_seen(call)) is not None:
        rows = rows.filter(pk__lt=last)
    return page_of(call, list(rows.order_by("-pk")[: call.query.limit + 1]), make)


def page_of(call: Call, found: list[Any], make: Callable[[Sequence[Any]], list[T]]) -> Page[T]:
    """One page from rows already read, one more than the limit where there are more."""
    limit, following = call.query.limit, None
    if len(found) > limit:
        found = found[:limit]
        last = found[-1]
        following = _signer(call).sign(str(last[0] if isinstance(last, tuple) else last.pk))
        link_next(call, following)
    return Page(items=make(found), next=following)


def page_of_read(call: Call, items: list[T], last: int | None) -> Page[T]:
    """One page of what was read and made already; `last` is the key to go on from, None at the end."""
    following = _signer(call).sign(str(last)) if last is not None else None
    if following is not None:
        link_next(call, following)
    return Page(items=items, next=following)


def link_next(call: Call, cursor: str) -> None:
    """Name the following page in the Link header."""
    asked = call.request.GET.copy()
    asked["cursor"] = cursor
    call.headers["Link"] = f'<{BASE}{call.request.path_info.removeprefix(BASE)}?{asked.urlencode()}>; rel="next"'
