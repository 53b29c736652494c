"""How ways of being reached are called on pages, and what a plan says in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from allswell.notifications.models import ContactMessage, ContactMethod
    from allswell.notifications.rules import Rule

KINDS = {
    "push": N_("Browser"),
    "ntfy": N_("ntfy"),
    "chat": N_("Chat"),
    "email": N_("E-mail"),
    "webhook": N_("Webhook"),
    "apprise": N_("Apprise"),
    "sms": N_("Text message"),
    "voice": N_("Call"),
}
ICONS = {
    "push": "device-desktop",
    "ntfy": "bell",
    "chat": "message",
    "email": "mail",
    "webhook": "webhook",
    "apprise": "send",
    "sms": "message",
    "voice": "phone-call",
}
FLAVORS = {"slack": "Slack", "teams": "Microsoft Teams", "mattermost": "Mattermost", "matrix": "Matrix"}
#: what is asked for, and an example that says the form
ADDRESSES = {
    "ntfy": (N_("Address of the topic"), "https://ntfy.example.org/my-pages-7f3a"),
    "chat": (N_("Address the chat gave out"), "https://hooks.example.org/services/…"),
    "email": (N_("E-mail address"), ""),
    "webhook": (N_("Address"), "https://example.org/pages"),
    "apprise": (N_("Address as Apprise writes it"), "tgram://token/chat"),
    "sms": (N_("Mobile number with its country"), "+49 151 12345678"),
    "voice": (N_("Number with its country"), "+49 30 1234567"),
}
HINTS = {
    "ntfy": N_(
        "Choose a topic nobody guesses: whoever knows it can read along. Put :token@ before the host where it asks for one."
    ),
    "webhook": N_("Pages are posted there as JSON. After a space, a secret that begins with whsec_ signs them."),
    "chat": N_("Pages are written into this channel. For Matrix: https://:token@server/!room:server"),
    "apprise": N_("Apprise knows over a hundred services."),
}
#: how an operator makes a way possible
SETTINGS = {
    "email": "ALLSWELL_SMTP_URL",
    "sms": "ALLSWELL_SMS_URL",
    "voice": "ALLSWELL_VOICE_URL",
    "apprise": "ALLSWELL_APPRISE",
}
#: seconds a way may wait, as the form offers them
DELAYS = (0, 60, 120, 180, 300, 600, 900, 1800, 3600)


def kind(name: str) -> str:
    """What a way is called."""
    return _(KINDS.get(name, name))


def named(row: ContactMethod) -> str:
    """A contact as it is told from others: its label, else what may be shown of the address."""
    flavor = FLAVORS.get(row.flavor, "")
    return f"{flavor or kind(row.kind)}: {row.label or row.shown}"


def primary() -> str:
    """The primary e-mail address among other ways."""
    return _("E-mail")


def after(seconds: int) -> str:
    """When after the first instant."""
    if not seconds:
        return _("At once")
    if seconds % 60:
        return ngettext("After %(n)s second", "After %(n)s seconds", seconds) % {"n": seconds}
    return ngettext("After %(n)s minute", "After %(n)s minutes", seconds // 60) % {"n": seconds // 60}


def plan(rules: Iterable[Rule], names: Mapping[int | None, str]) -> list[tuple[str, str]]:
    """A plan in plain words: ("At once", "the open desk, e-mail"), ("After 2 minutes", …)."""
    found: dict[int, list[str]] = {0: [_("alarm on a page of the desk you have open")]}
    for rule in rules:
        if rule.contact in names:
            found.setdefault(rule.after, []).append(names[rule.contact])
    return [(after(seconds), ", ".join(ways)) for seconds, ways in sorted(found.items())]


def fate(message: ContactMessage | None) -> tuple[str, str]:
    """How a code or a test fares, and its tone: "" neutral, "ok", "bad"."""
    if message is None:
        return "", ""
    if message.settled_at is None:
        return (_("On its way"), "") if not message.detail else (_("Not sent yet: %(why)s") % {"why": message.detail}, "bad")
    if message.outcome == "sent":
        return _("Sent"), "ok"
    if message.outcome == "failed":
        return _("Could not be sent: %(why)s") % {"why": message.detail}, "bad"
    return _("Not sent any more"), ""
