"""A page by e-mail: one mail on a connection of its own, so that it is never behind the other mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from allswell.notifications import page_mail, signing
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer, Outcome

from . import calling, guarded_http, smtp


def send(
    message: PageMessage, to: Way, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]
) -> Answer:
    """One attempt. A server that refuses the address for good is believed; one that hangs up at the end may have taken the mail."""
    if not settings.SMTP_URL or not settings.MAIL_FROM:
        return calling.unusable("No mail server is configured.", started_at=started_at, now=now)
    try:
        written = page_mail.write(
            message, sender=settings.MAIL_FROM, to=to.address, public_url=settings.PUBLIC_URL, now=started_at
        )
    except (ValueError, IndexError):  # what the library says of an address that is none
        return calling.unusable("This is no mail address.", started_at=started_at, now=now)
    try:
        server, signer = smtp.Server.parse(settings.SMTP_URL), signing.in_use()
        with smtp.Connection(server, within=calling.DEADLINE, signer=signer) as connection:
            connection.send(written)
    except (smtp.BadAddress, smtp.ServerDown) as error:
        return Answer(Outcome.RETRY, started_at, now(), detail=str(error))
    except smtp.Unsure as error:
        return Answer(Outcome.RETRY, started_at, now(), detail=str(error), is_certain=False)
    except smtp.NotTaken as error:
        return Answer(
            Outcome.FAILED if error.is_final else Outcome.RETRY,
            started_at,
            now(),
            detail=str(error),
            status=error.status,
            is_bad_address=error.is_bad_address,
            address=to.address,
        )
    return Answer(
        Outcome.SENT,
        started_at,
        now(),
        status=250,
        address=to.address,
        reference=str(written["Message-ID"]).strip("<>")[: calling.REFERENCE_LIMIT],
    )
