"""What the doctor finds about mail that comes in: mailboxes that fail, and mail that waits for a decision."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from allswell.intake.queries import mail_standing
from allswell.intake.rules.mailboxes import MessageState
from allswell.jobs import schema

from .findings import BAD, GOOD, NOTE, Finding

_WAITS = {MessageState.HELD: "is held", MessageState.QUARANTINED: "is in quarantine"}


def look(now: datetime) -> Iterator[Finding]:
    """A finding for each mailbox that fails, else one for all; and one for each way in which mail waits."""
    if schema.look().pending:
        return
    failing = mail_standing.failing()
    for row in failing:
        since = f"{row.failing_since:%Y-%m-%d %H:%M} UTC"
        found = f"{row.name} ({row.address}): nothing can be fetched since {since} ({row.last_error or 'no reason given'})."
        yield Finding(
            "mailboxes", BAD, found, "Nothing is lost: mail stays on its server. Try the connection in Setup, Mailboxes."
        )
    if not failing and mail_standing.is_any_in_use():
        yield Finding("mailboxes", GOOD, "Every mailbox in use takes mail.")
    for waits in mail_standing.forgotten(now=now):
        count = f"{mail_standing.CAP}+" if waits.count >= mail_standing.CAP else str(waits.count)
        said = (
            f"Mail {_WAITS[MessageState(waits.state)]} for more than a day: {count}, since {waits.oldest_at:%Y-%m-%d %H:%M} UTC."
        )
        yield Finding("mail in", NOTE, said, "Somebody has to decide: Setup, Mail that came in.")
