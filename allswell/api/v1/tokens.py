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


@operation("GET", "/tokens", id="listTokens", summary="One's own tokens, newest first", tag=TAG, query=Paged, answer=Page[Token])
def list_tokens(call: Call) -> Page[Token]:
    rows = queries.tokens(call.actor.person or 0).values_list(*_COLUMNS)
    return page(call, rows, lambda found: [Token(*row) for row in found])


@operation("DELETE", "/tokens/{id}", id="revokeToken", summary="End one of one's own tokens for ever", tag=TAG, status=204)
def revoke(call: Call) -> Any:
    token = queries.token(call.path["id"])
    if token is None or token.person_id != call.actor.person:
        raise NotFound("You have no such token.")
    return desk.revoke_token(token.pk, actor=call.actor, now=call.now)
