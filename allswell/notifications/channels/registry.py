"""The channels of a page: one sender for each kind. A new channel is a file beside this one and a line here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from allswell.notifications.carriers import is_ready
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer

from . import apprise_url, chat, guarded_http, ntfy, page_mail, page_webhook, push, twilio

__all__ = ["CHANNELS", "Sender", "is_ready"]


class Sender(Protocol):
    """Sends one page one way, within ten seconds. Never raises for what the other side does: the answer says what came of it."""

    def __call__(
        self,
        message: PageMessage,
        to: Way,
        *,
        allowed: guarded_http.Allowed,
        started_at: datetime,
        now: Callable[[], datetime],
    ) -> Answer: ...


CHANNELS: dict[str, Sender] = {
    "email": page_mail.send,
    "push": push.send,
    "ntfy": ntfy.send,
    "webhook": page_webhook.send,
    "chat": chat.send,
    "sms": twilio.sms,
    "voice": twilio.voice,
    "apprise": apprise_url.send,
}
