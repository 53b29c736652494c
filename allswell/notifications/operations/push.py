"""Keeping the key of web push."""

from __future__ import annotations

from datetime import datetime

from allswell.notifications.models import PushKey


def keep_push_key(number: int, *, public: str, private: str, now: datetime) -> PushKey:
    """Keep a key under this number, its private half sealed. Whoever comes second gets the key of the first."""
    return PushKey.objects.get_or_create(number=number, defaults={"public": public, "private": private, "created_at": now})[0]
