"""Words for what becomes of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation, PageDelivery, PageEvent

_CHANNELS = {
    "desk": N_("Alarm on the open desk"),
    "email": N_("E-mail"),
    "push": N_("Web push"),
    "ntfy": N_("ntfy"),
    "webhook": N_("Webhook"),
    "chat": N_("Chat"),
    "sms": N_("Text message"),
    "voice": N_("Call"),
    "apprise": N_("Apprise"),
}
_EVENTS = {
    "planned": N_("planned"),
    "attempted": N_("tried, did not work"),
    "maybe_twice": N_("tried; perhaps it arrived, so it may come twice"),
    "sent": N_("sent"),
    "failed": N_("failed for good"),
    "moot": N_("not needed any more"),
    "bundled": N_("told in one message with others"),
    "receipt": N_("the carrier says"),
    "opened": N_("opened"),
    "acknowledged": N_("answered"),
    "passed_on": N_("passed on"),
    "hushed": N_("alarm turned off"),
}
_CAUSES = {
    "opened": N_("it was opened with this priority"),
    "handed_over": N_("it was handed over"),
    "reopened": N_("it was opened again"),
    "raised": N_("its priority was raised"),
    "by_hand": N_("somebody asked for it"),
}
_STATES = {
    "running": N_("Nobody has it yet"),
    "acknowledged": N_("Answered"),
    "ended": N_("Over"),
    "exhausted": N_("Nobody answered"),
}
_BY = {
    "link": N_("by its link"),
    "sms": N_("by text message"),
    "voice": N_("by telephone"),
    "desk": N_("at the desk"),
    "api": N_("by a program"),
}
_TONES = {"failed": "t-bad", "attempted": "t-warn", "maybe_twice": "t-warn", "acknowledged": "t-ok", "sent": "t-2"}


def channel(name: str) -> str:
    """A way a page goes."""
    return _(_CHANNELS.get(name, name))


def event(row: PageEvent) -> str:
    """What happened, in words."""
    said = _(_EVENTS.get(row.kind, row.kind))
    if row.kind == "acknowledged" and row.detail in _BY:
        return f"{said} {_(_BY[row.detail])}"
    return said


def detail(row: PageEvent) -> str:
    """What is added to it: the answer of a carrier, an error."""
    if row.kind in ("acknowledged", "bundled"):
        return ""
    return " ".join(filter(None, [str(row.status or ""), row.detail]))


def tone(row: PageEvent) -> str:
    """The color of a line."""
    return _TONES.get(row.kind, "t-3")


def cause(name: str) -> str:
    """Why a run began."""
    return _(_CAUSES.get(name, name))


def state(row: Escalation) -> str:
    """How a run stands."""
    return _(_STATES.get(row.state, row.state))


def may_come_twice(deliveries: tuple[PageDelivery, ...]) -> bool:
    """Whether something of a page may have been sent twice."""
    return any(row.is_maybe_twice for row in deliveries)
