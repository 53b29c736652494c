"""A page as a text message or a call, through a carrier that speaks the HTTP API Twilio made common."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from allswell.notifications import carriers, twiml
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer, Outcome

from . import calling, guarded_http

#: seconds it rings before the next channel has its turn
RINGS_FOR = 40
#: what the carrier says of a number nobody can be reached at
_NO_NUMBER = frozenset({21211, 21214, 21217, 21401, 21614, 13223, 13224})
#: the owner of the number wants no messages any more
_UNWANTED = frozenset({21610})
_NOT_SENT = frozenset({"failed", "undelivered", "canceled"})


def sms(
    message: PageMessage, to: Way, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]
) -> Answer:
    """One text message."""
    carrier = carriers.sms()
    if carrier is None:
        return calling.unusable("No carrier of text messages is configured.", started_at=started_at, now=now)
    fields = {"To": to.address, **_sender(carrier, "MessagingServiceSid"), "Body": message.short}
    if message.callback:
        fields["StatusCallback"] = f"{message.callback}/status"
    call = _call(carrier, "Messages", fields, message)
    return calling.attempt(call, allowed=allowed, started_at=started_at, now=now, read=_read)


def voice(
    message: PageMessage, to: Way, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]
) -> Answer:
    """One call. What is said goes with it, so that the carrier need not reach us; only the key it collects does."""
    carrier = carriers.voice()
    if carrier is None:
        return calling.unusable("No carrier of calls is configured.", started_at=started_at, now=now)
    fields = {"To": to.address, **_sender(carrier, ""), "Twiml": twiml.call(message), "Timeout": str(RINGS_FOR)}
    if message.callback:
        fields |= {"StatusCallback": f"{message.callback}/status", "StatusCallbackEvent": "completed"}
    call = _call(carrier, "Calls", fields, message)
    return calling.attempt(call, allowed=allowed, started_at=started_at, now=now, read=_read)


def _sender(carrier: carriers.Carrier, service: str) -> dict[str, str]:
    """From which number; "MG…" is a service of the carrier that picks one."""
    return {service if service and carrier.sender.startswith("MG") else "From": carrier.sender}


def _call(carrier: carriers.Carrier, what: str, fields: dict[str, str], message: PageMessage) -> calling.Outgoing:
    proof = base64.b64encode(f"{carrier.account}:{carrier.token}".encode()).decode()
    return calling.Outgoing(
        f"{carrier.url}/2010-04-01/Accounts/{quote(carrier.account, safe='')}/{what}.json",
        urlencode(fields).encode(),
        {
            "authorization": f"Basic {proof}",
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
            "idempotency-key": message.key,
        },
    )


def _read(reply: guarded_http.Reply, answer: Answer) -> Answer:
    """What the carrier said: its name of the message, or the number of its reason. Its sentences may quote the number: left out."""
    said = calling.read_json(reply.body)
    code = _number(said.get("code") or said.get("error_code"))
    if answer.outcome is Outcome.SENT and said.get("status") in _NOT_SENT:
        answer = replace(answer, outcome=Outcome.FAILED, detail="The carrier could not send it.")
    if answer.outcome is Outcome.SENT:
        return calling.named(answer, said.get("sid"))
    if code:
        answer = replace(answer, detail=f"{answer.detail} Its reason is number {code}.")
    return replace(answer, is_bad_address=code in _NO_NUMBER, is_gone=answer.is_gone or code in _UNWANTED)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1_000_000 else 0
