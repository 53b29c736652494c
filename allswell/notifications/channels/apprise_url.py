"""A page through Apprise, for services nobody wrote a channel for. It is an extra, and it opens its own connections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from allswell.notifications import carriers
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.rules import Answer, Outcome

from . import calling, guarded_http

#: what would only show something on the server itself, or run there
_OF_THIS_MACHINE = ("dbus", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows")

#: seconds for the whole
_WITHIN = 9


def send(
    message: PageMessage, to: Way, *, allowed: guarded_http.Allowed, started_at: datetime, now: Callable[[], datetime]
) -> Answer:
    """One attempt. Apprise says only yes or no, so whatever failed may have arrived."""
    if not carriers.is_ready("apprise"):
        return calling.unusable("Apprise is not switched on here.", started_at=started_at, now=now)
    import apprise  # noqa: PLC0415 - an extra that is not installed everywhere, and slow to import

    scheme = to.address.partition("://")[0].lower()
    sender = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Allswell", async_mode=False, http_redirects=False))
    if scheme in _OF_THIS_MACHINE or scheme.startswith("file") or not sender.add(_quick(to.address)):
        return calling.unusable("This is no address Apprise can use here.", started_at=started_at, now=now)
    text = "\n\n".join(part for part in (message.text, message.link) if part)
    kind = apprise.NotifyType.FAILURE if message.urgency == "urgent" else apprise.NotifyType.INFO
    is_sent = sender.notify(body=text, title=message.headline, notify_type=kind, interpret_escapes=False, timeout=_WITHIN)
    if is_sent:
        return Answer(Outcome.SENT, started_at, now())
    return Answer(Outcome.RETRY, started_at, now(), detail="Apprise could not send it; it does not say why.", is_certain=False)


def _quick(address: str) -> str:
    """The address with limits of time: four seconds to connect, four to answer."""
    mark = "&" if "?" in address else "?"
    return f"{address}{mark}cto=4&rto=4"
