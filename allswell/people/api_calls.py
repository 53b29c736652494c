"""What the API remembers of its callers: answers to calls that must not happen twice, and when a token was last used."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import Q

from allswell.database.rows import PreparedModel

from .models import IdempotentCall, Token

_CLAIM = """
INSERT INTO people_idempotentcall (token_id, key, request_digest, created_at, status, answer, headers)
VALUES (%s, %s, %s, %s, NULL, '', '{}')
ON CONFLICT (token_id, key) DO UPDATE SET
  request_digest = excluded.request_digest, created_at = excluded.created_at, status = NULL, answer = '', headers = '{}'
WHERE people_idempotentcall.created_at < %s
"""


_KEEP = "UPDATE people_idempotentcall SET status = %s, answer = %s, headers = %s WHERE token_id = %s AND key = %s"
_HEADERS = IdempotentCall._meta.get_field("headers")
_KEPT = PreparedModel(IdempotentCall, lambda token, key: IdempotentCall.objects.filter(token=token, key=key))


def claim_call(token: int, key: str, *, digest: str, now: datetime, forgotten_before: datetime) -> bool:
    """Make the call this transaction's own; False when its answer is kept already.

    One statement: where another transaction holds the same key, this waits for its end.
    """
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [token, key, digest, adapt(now), adapt(forgotten_before)])
        return bool(cursor.rowcount)


def keep_answer(token: int, key: str, *, status: int, answer: str, headers: dict[str, str]) -> None:
    """Keep the answer with the claim, for whoever repeats the call."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [status, answer, _HEADERS.get_db_prep_save(headers, connection), token, key])


def kept_call(token: int, key: str) -> IdempotentCall | None:
    """What is kept of a call."""
    kept: IdempotentCall | None = _KEPT.record(token, key)
    return kept


def forget_calls(*, before: datetime) -> int:
    """Throw away what was kept before an instant; how many."""
    return IdempotentCall.objects.filter(created_at__lt=before).delete()[0]


def note_use(token: int, *, now: datetime, unless_since: datetime) -> None:
    """Write down that a token was used, unless that was written since an instant."""
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=unless_since)
    Token.objects.filter(stale, pk=token).update(last_used_at=now)
