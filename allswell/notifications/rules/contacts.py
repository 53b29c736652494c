"""How a person is reached by pages: which ways, in which order, and when they are left in peace. Pure.

`plan` is asked by the engine, the dry run, the proof of coverage and the pages alike, so all of them say the same.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo


class ContactKind(StrEnum):
    """By what a page may go. `desk` is the alarm on an open page of the desk, which nobody sets up."""

    DESK = "desk"
    PUSH = "push"
    NTFY = "ntfy"
    CHAT = "chat"
    EMAIL = "email"
    WEBHOOK = "webhook"
    APPRISE = "apprise"
    SMS = "sms"
    VOICE = "voice"


class Urgency(StrEnum):
    """How much a page may disturb: an urgent one passes quiet hours."""

    URGENT = "urgent"
    NORMAL = "normal"


#: ways a person or a team adds; an address of these is a secret in itself, because whoever knows it may write there
ADDED = tuple(kind for kind in ContactKind if kind is not ContactKind.DESK)
SECRET = frozenset({ContactKind.PUSH, ContactKind.NTFY, ContactKind.CHAT, ContactKind.WEBHOOK, ContactKind.APPRISE})
#: programs that take messages for a chat room, each in its own form
FLAVORS = ("slack", "teams", "mattermost", "matrix")
#: what can be a team's room: something several people see
ROOMS = (ContactKind.CHAT, ContactKind.NTFY, ContactKind.EMAIL, ContactKind.WEBHOOK, ContactKind.APPRISE)

#: seconds after which a way is used by who has no rules of their own; None: not at all
DEFAULT_AFTER: Mapping[Urgency, Mapping[ContactKind, int]] = {
    Urgency.URGENT: {
        **dict.fromkeys(ADDED, 0),
        ContactKind.SMS: 60,
        ContactKind.VOICE: 180,
    },
    Urgency.NORMAL: {ContactKind.PUSH: 0, ContactKind.EMAIL: 0},
}
#: the longest delay of a rule, and how many there may be
LONGEST_AFTER = 3600
MOST_RULES = 20
MOST_METHODS = 20

#: minutes of a day
DAY = 24 * 60
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Method:
    """One way to somebody. `contact` None is the primary e-mail address, verified when a link sent to it was opened."""

    kind: ContactKind
    contact: int | None
    is_verified: bool
    is_failing: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Pages of this urgency go to this contact (None: the primary e-mail address) so many seconds after the first instant."""

    urgency: Urgency
    contact: int | None
    after: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Minutes of the day between which normal pages wait; over midnight when `until` is not after `since`."""

    since: int
    until: int

    def holds(self, minute: int) -> bool:
        """Whether a minute of the day lies in it."""
        if self.since < self.until:
            return self.since <= minute < self.until
        return minute >= self.since or minute < self.until


@dataclass(frozen=True, slots=True)
class Planned:
    """A page goes by this way, to this contact (None: the primary e-mail address, or the open desk), at this instant."""

    channel: ContactKind
    contact: int | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything that decides how a person is reached."""

    methods: tuple[Method, ...] = ()
    rules: tuple[Rule, ...] = ()
    quiet: Quiet | None = None
    zone: str = "UTC"

    def plan(self, urgency: Urgency, at: datetime) -> tuple[Planned, ...]:
        """When and by what a page made at `at` goes out. Empty: the person cannot be reached."""
        return plan(self.methods, self.rules, urgency=urgency, at=at, quiet=self.quiet, zone=self.zone)

    @property
    def has_way(self) -> bool:
        """Whether a page goes out to this person by anything at all, be it an address nobody has confirmed."""
        return bool(_usable(self.methods))

    @property
    def is_reachable(self) -> bool:
        """Whether any page would go to this person at all."""
        return any(method.is_verified for method in self.methods)

    @property
    def kinds(self) -> frozenset[ContactKind]:
        """By what kinds of ways."""
        return frozenset(method.kind for method in self.methods if method.is_verified)


def after_quiet(at: datetime, quiet: Quiet | None, zone: str) -> datetime:
    """The first instant from `at` on that is not in quiet hours. An end that the clocks skip comes when they have skipped it."""
    if quiet is None or quiet.since == quiet.until:
        return at
    home = ZoneInfo(zone)
    local = at.astimezone(home)
    if not quiet.holds(local.hour * 60 + local.minute):
        return at
    ends_at = time(quiet.until // 60, quiet.until % 60)
    for days in range(3):
        day = local.date() + timedelta(days=days)
        for fold in (0, 1):
            end = datetime.combine(day, ends_at, home).replace(fold=fold).astimezone(UTC)
            met = end.astimezone(home)
            if end > at and not quiet.holds(met.hour * 60 + met.minute):
                return _earliest(end, at, quiet, home)
    return at


def _earliest(end: datetime, at: datetime, quiet: Quiet, home: ZoneInfo) -> datetime:
    """`end`, or the minute before it from which on it is not quiet either: the clocks skipped the end that was said."""
    while end - _MINUTE > at:
        met = (end - _MINUTE).astimezone(home)
        if quiet.holds(met.hour * 60 + met.minute):
            break
        end -= _MINUTE
    return end


def plan(
    methods: Iterable[Method],
    rules: Iterable[Rule],
    *,
    urgency: Urgency,
    at: datetime,
    quiet: Quiet | None = None,
    zone: str = "UTC",
) -> tuple[Planned, ...]:
    """When and by what a page made at `at` goes to a person, in order; the open desk first.

    Only verified ways are used, and where there is none the primary e-mail address, whatever is known of it. Who has no rules for
    this urgency, or only such as lead nowhere any more, is reached by the defaults; where those use none of the ways there are (a
    telephone alone, and the page is normal), by all of them at once. Empty: nobody would see it.
    """
    usable = {method.contact: method for method in _usable(methods)}
    if not usable:
        return ()
    chosen = [(rule.after, usable[rule.contact]) for rule in rules if rule.urgency is urgency and rule.contact in usable]
    chosen = chosen or _by_default(usable.values(), urgency) or [(0, method) for method in usable.values()]
    waits = quiet if urgency is Urgency.NORMAL else None
    begins_at = after_quiet(at, waits, zone)
    found = [Planned(ContactKind.DESK, None, begins_at)]
    for after, method in sorted(chosen, key=lambda pair: pair[0]):
        due_at = after_quiet(begins_at + timedelta(seconds=after), waits, zone)
        found.append(Planned(method.kind, method.contact, due_at))
    return tuple(found)


def _usable(methods: Iterable[Method]) -> list[Method]:
    """What is verified, else the primary e-mail address."""
    known = list(methods)
    return [method for method in known if method.is_verified] or [method for method in known if method.contact is None]


def _by_default(methods: Iterable[Method], urgency: Urgency) -> list[tuple[int, Method]]:
    after = DEFAULT_AFTER[urgency]
    return [(after[method.kind], method) for method in methods if method.kind in after]


def default_rules(methods: Sequence[Method], urgency: Urgency) -> tuple[Rule, ...]:
    """The rules by which who has set none is reached, the earliest first."""
    usable = _usable(methods)
    pairs = _by_default(usable, urgency) or [(0, method) for method in usable]
    return tuple(Rule(urgency, method.contact, after) for after, method in sorted(pairs, key=lambda pair: pair[0]))


# codes


#: how long a code opens, how often it may be guessed, and how many are sent to a contact and by a person
CODE_OPENS_FOR = timedelta(minutes=10)
CODE_GUESSES = 5
CODE_DIGITS = 6
CODES_WITHIN = timedelta(hours=1)
MOST_CODES = 5
MOST_MESSAGES = 12
#: how often within an hour one may send oneself a test
MOST_TESTS = 5
#: who has claimed a message must have settled it within this, or another engine sends it again
MESSAGE_LEASE = timedelta(seconds=60)
#: pauses before a message is tried again; a person sits before the page and waits
MESSAGE_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 30))
#: messages that are over are kept so long
MESSAGES_KEPT = timedelta(days=7)


# addresses

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN_DIGITS = re.compile(r"[ ()./\u00a0-]")
_APPRISE = re.compile(r"[a-z][a-z0-9+.-]{1,30}://\S{3,}", re.IGNORECASE)


def as_phone(said: str) -> str | None:
    """A telephone number as E.164 writes it, a plus and at most fifteen digits; None when the country is not said."""
    number = _BETWEEN_DIGITS.sub("", said)
    if number.startswith("00"):
        number = "+" + number[2:]
    return number if _PHONE.fullmatch(number) else None


def looks_like_apprise(said: str) -> bool:
    """Whether it has the form of an Apprise address; what leads into this machine or only to the web is not taken that way."""
    return bool(_APPRISE.fullmatch(said)) and said.partition("://")[0].lower() not in _NOT_APPRISE


#: Apprise's own ways to call any address, write files or ask this machine: they would pass by the guarded client
_NOT_APPRISE = frozenset(
    {"http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "file", "syslog", "rsyslog", "dbus", "gnome", "macosx"}
    | {"windows", "glib", "kde", "qt", "growl", "mqtt", "mqtts", "apprise", "apprises", "mailto", "mailtos"}
)


def is_inside(url: str, *, allowed: Iterable[str]) -> bool:
    """Whether an address typed in is a number of a private network or this machine's, and not among `allowed`
    (ALLSWELL_OUTGOING_ALLOW). Only numbers are looked at here; where a name leads is checked at every call.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    words = [word.strip("[]").lower().rstrip(".") for word in allowed]
    if host in words:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not number.is_global and not any(_is_in(number, word) for word in words)


def _is_in(number: ipaddress.IPv4Address | ipaddress.IPv6Address, word: str) -> bool:
    try:
        return number in ipaddress.ip_network(word, strict=False)
    except ValueError:
        return False


def masked(kind: ContactKind, address: str) -> str:
    """An address as screens show it: enough for its owner to tell it from others, too little to use it."""
    if kind in (ContactKind.SMS, ContactKind.VOICE):
        return f"{address[:3]} … {address[-3:]}"
    if kind is ContactKind.EMAIL:
        name, _, host = address.partition("@")
        return f"{name[:1]}…@{host}"
    scheme, _, rest = address.split(" ")[0].partition("://")
    if kind is ContactKind.APPRISE:  # what stands for the host may be a token there
        return f"{scheme[:30]}://…"
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{host[:60]}/…"
