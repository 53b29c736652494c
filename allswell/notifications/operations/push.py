"""Keeping the key of web push, and the end of a way."""

from __future__ import annotations

from datetime import datetime

from allswell.notifications.models import ContactMethod, PushKey


def keep_push_key(number: int, *, public: str, private: str, now: datetime) -> PushKey:
    """Keep a key under this number, its private half sealed. Whoever comes second gets the key of the first."""
    return PushKey.objects.get_or_create(number=number, defaults={"public": public, "private": private, "created_at": now})[0]


def note_contact_gone(contact: int, *, now: datetime) -> bool:
    """Its receiver wants nothing any more: it has to be verified again. False when it was not verified."""
    return bool(ContactMethod.objects.filter(pk=contact, verified_at__isnull=False).update(verified_at=None, failing_since=now))
