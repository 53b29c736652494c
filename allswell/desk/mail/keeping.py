"""Keeping mail: once this is done the server that brought it may forget it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allswell.desk.door import use_case
from allswell.intake.operations import mail as writing
from allswell.kernel.actor import Actor

#: how long an address may be (RFC 5321 section 4.5.3.1.3)
_ADDRESS = 254


@use_case
def keep(
    raw: bytes,
    *,
    mailbox: int | None,
    envelope_from: str | None = None,
    envelope_to: Sequence[str] = (),
    actor: Actor,
    now: datetime,
) -> int | None:
    """Keep a mail word for word; the engine reads it, now or after a restart. Its number, or None when it came before.

    `envelope_from` is "" for the null path of programs, None when nobody knows it. The caller bounds the size.
    """
    sent_by = None if envelope_from is None else envelope_from.strip().lower()[:_ADDRESS]
    sent_to = [one.strip().lower()[:_ADDRESS] for one in envelope_to[:100]]
    found = writing.keep(raw, mailbox=mailbox, envelope_from=sent_by, envelope_to=sent_to, now=now)
    return None if found is None else found.pk
