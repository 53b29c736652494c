"""Reading the key of web push."""

from __future__ import annotations

from allswell.notifications.models import PushKey


def push_key() -> tuple[int, str, str] | None:
    """(number, public half, private half as it is stored) of the key in use; None before the first need."""
    return PushKey.objects.order_by("-number").values_list("number", "public", "private").first()
