"""Words for what becomes of a page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from .show import clock_text, duration

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation, PageDelivery, PageEvent
    from allswell.oncall.queries.ledger import PageStory

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
    "no_way": N_("nothing is sent: there is no way to them"),
    "unseen": N_("nothing is sent: they may not see this ticket"),
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
_TONES = {
    "failed": "t-bad",
    "no_way": "t-bad",
    "unseen": "t-bad",
    "attempted": "t-warn",
    "maybe_twice": "t-warn",
    "acknowledged": "t-ok",
    "sent": "t-2",
}


def channel(name: str) -> str:
    """A way a page goes."""
    return _(_CHANNELS.get(name, name))


def event(row: PageEvent) -> str:
    """What happened, in words."""
    said = _(_EVENTS.get(row.kind, row.kind))
    by = row.detail.partition(":")[0]
    if row.kind == "acknowledged" and by in _BY:
        return f"{said} {_(_BY[by])}"
    return said


def detail(row: PageEvent) -> str:
    """What is added to it: the answer of a carrier, an error."""
    if row.kind in ("acknowledged", "bundled", "no_way", "unseen"):
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


# practice


def practised(story: PageStory) -> tuple[str, str]:
    """How a practice page went, in one sentence, and its tone: "ok", "bad", or "" while it goes on."""
    page = story.page
    sent = sorted((row.settled_at, row.channel) for row in ways(story) if row.outcome == "sent" and row.settled_at)
    if page.acknowledged_at is not None:
        answered = duration(page.acknowledged_at - page.created_at)
        before = [one for one in sent if one[0] <= page.acknowledged_at]
        if not before:
            return _("Answered after %(time)s.") % {"time": answered}, "ok"
        said = {"way": channel(before[0][1]), "reached": duration(before[0][0] - page.created_at), "answered": answered}
        return _("Reached by %(way)s after %(reached)s, answered after %(answered)s.") % said, "ok"
    if page.closed_at is not None:
        return _("Nobody answered."), "bad"
    waiting = [row.due_at for row in ways(story) if row.settled_at is None]
    if not sent and waiting and min(waiting) > page.created_at:
        return _("It waits until %(time)s.") % {"time": clock_text(min(waiting))}, ""
    return _("On its way: nobody has answered yet."), ""


def ways(story: PageStory) -> list[PageDelivery]:
    """The ways a page goes, but for the desk: whether one is open there, nobody knows."""
    return [row for row in story.deliveries if row.channel != "desk"]


def way_went(row: PageDelivery, since: datetime) -> tuple[str, str]:
    """How a page by one way fares, and its tone: "ok", "bad", or ""."""
    if row.settled_at is None:
        if row.attempts:
            return _("tried, did not work; it is tried again at %(time)s") % {"time": clock_text(row.due_at)}, "bad"
        return _("goes out at %(time)s") % {"time": clock_text(row.due_at)}, ""
    after = duration(row.settled_at - since)
    if row.outcome in ("sent", "bundled"):
        if row.receipt == "undelivered":
            return _("sent after %(time)s, but did not arrive") % {"time": after}, "bad"
        if row.receipt == "delivered" and row.receipt_at is not None:
            said = {"time": after, "arrived": duration(row.receipt_at - since)}
            return _("sent after %(time)s, arrived after %(arrived)s") % said, "ok"
        return _("sent after %(time)s") % {"time": after}, "ok"
    if row.outcome == "failed":
        return _("failed for good after %(time)s") % {"time": after}, "bad"
    return _("not needed any more"), ""
