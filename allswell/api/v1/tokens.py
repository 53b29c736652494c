"""The tokens of oneself. New ones are made at a page or by the operator, never by a token."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from allswell.api.contract import Call, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import people as desk
from allswell.kernel.errors import NotFound
from allswell.people import queries
from allswell.people.rules import TokenScope

TAG = "Me"


class Token(Struct):
    """A key to the API, without its secret. `hint` is its beginning, to recognise it."""

    id: int
    name: str
    hint: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


_COLUMNS = ("pk", "name", "hint", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")


def _reached(call: Call) -> Any:
    """The tokens this one may know of and end: all of its person if it may do everything, else itself."""
    rows = queries.tokens(call.actor.person or 0)
    return rows if TokenScope.ALL.value in (call.actor.scopes or ()) else rows.filter(pk=call.actor.token or 0)


@operation(
    "GET",
    "/tokens",
    id="listTokens",
    summary="One's own tokens, newest first; without the scope all, this one",
    tag=TAG,
    query=Paged,
    answer=Page[Token],
)
def list_tokens(call: Call) -> Page[Token]:
    return page(call, _reached(call).values_list(*_COLUMNS), lambda found: [Token(*row) for row in found])


@operation(
    "DELETE",
    "/tokens/{id}",
    id="revokeToken",
    summary="End one of one's own tokens for ever; without the scope all, this one",
    tag=TAG,
    status=204,
)
def revoke(call: Call) -> Any:
    token = _reached(call).filter(pk=call.path["id"]).first()
    if token is None:
        raise NotFound("You have no such token.")
    return desk.revoke_token(token.pk, actor=call.actor, now=call.now)
