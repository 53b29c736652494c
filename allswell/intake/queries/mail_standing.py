"""How mail that comes in fares: mailboxes that fail, and mail that nobody decides about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allswell.intake.models import InboundMessage, Mailbox
from allswell.intake.rules.mailboxes import MessageState

#: mail that waits longer for a decision is named wherever the machinery is looked at
FORGOTTEN_AFTER = timedelta(days=1)
#: counted up to so many
CAP = 1000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Mail in a state that came more than a day ago, counted up to `CAP`, and when the oldest came."""

    state: str
    count: int
    oldest_at: datetime


def failing() -> list[Mailbox]:
    """Mailboxes in use from which nothing can be fetched, the longest first."""
    return list(Mailbox.objects.filter(is_active=True, failing_since__isnull=False).order_by("failing_since", "id"))


def is_any_in_use() -> bool:
    """Whether mail is taken anywhere."""
    return Mailbox.objects.filter(is_active=True).exists()


def forgotten(*, now: datetime) -> list[Forgotten]:
    """Held mail and mail in quarantine about which nobody decided for a day."""
    rows = InboundMessage.objects.filter(state__in=[MessageState.HELD, MessageState.QUARANTINED])
    found: dict[str, list[datetime]] = {}
    last = rows.filter(received_at__lt=now - FORGOTTEN_AFTER).order_by("id").values_list("state", "received_at")[:CAP]
    for state, received_at in last:
        found.setdefault(state, []).append(received_at)
    return [Forgotten(state, len(times), min(times)) for state, times in sorted(found.items())]
