"""What people are told about, and by which channel unless they say otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allswell.journal.rules import Verb


class Topic(StrEnum):
    """Why somebody is told."""

    RECEIVED = "received"  # to the requester: we have it, this is its number
    REPLIED = "replied"  # somebody wrote publicly
    STATE = "state"  # it waits, is resolved, closed, reopened
    ASSIGNED = "assigned"  # it is yours now
    TEAM = "team"  # it came to your team
    MENTIONED = "mentioned"  # a note names you
    ESCALATED = "escalated"  # hierarchic escalation reached you
    WATCHED = "watched"  # something happened on a ticket you watch
    WARNED = "warned"  # the time of a promise is nearly up
    BREACHED = "breached"  # the time of a promise has passed
    DIGEST = "digest"  # what passed of both while nobody could be told
    SHIFT_STARTS = "shift_starts"  # you are on call soon
    SHIFT_MOVED = "shift_moved"  # an edit moved your shifts
    SHIFT_ASKED = "shift_asked"  # somebody asks you to cover or swap, or answers
    HANDOVER = "handover"  # your shift is to be handed over, or to be taken
    UNCOVERED = "uncovered"  # services of the teams you lead are not covered at all times
    ANNOUNCED = "announced"  # news of something that affects you
    JOB = "job"  # long work you started is done
    ACCOUNT = "account"  # your sign-in; cannot be switched off
    BLIND = "blind"  # nothing was watching for a while; told to administrators, cannot be switched off
    REPORT = "report"  # a report you asked for regularly; ended by its own mail, or where it was asked for
    WEBHOOK = "webhook"


#: topic -> channels wanted by default
DEFAULTS: dict[Topic, frozenset[str]] = {
    Topic.RECEIVED: frozenset({"email"}),
    Topic.REPLIED: frozenset({"app", "email"}),
    Topic.STATE: frozenset({"app", "email"}),
    Topic.ASSIGNED: frozenset({"app", "email"}),
    Topic.TEAM: frozenset({"app"}),
    Topic.MENTIONED: frozenset({"app", "email"}),
    Topic.ESCALATED: frozenset({"app", "email"}),
    Topic.WATCHED: frozenset({"app"}),
    Topic.WARNED: frozenset({"app", "email"}),
    Topic.BREACHED: frozenset({"app", "email"}),
    Topic.DIGEST: frozenset({"app", "email"}),
    Topic.SHIFT_STARTS: frozenset({"app", "email"}),
    Topic.SHIFT_MOVED: frozenset({"app", "email"}),
    Topic.SHIFT_ASKED: frozenset({"app", "email"}),
    Topic.HANDOVER: frozenset({"app", "email"}),
    Topic.UNCOVERED: frozenset({"app", "email"}),
    Topic.ANNOUNCED: frozenset({"app", "email"}),
    Topic.JOB: frozenset({"app"}),
    Topic.ACCOUNT: frozenset({"email"}),
    Topic.BLIND: frozenset({"app", "email"}),
    Topic.REPORT: frozenset({"email"}),
}


def channels(topic: Topic, *, said: dict[str, bool]) -> frozenset[str]:
    """The channels of a notice: the defaults, corrected by what the person said ({channel: wanted})."""
    wanted = set(DEFAULTS[topic])
    if topic is Topic.ACCOUNT:
        return frozenset(wanted)
    for channel, is_wanted in said.items():
        (wanted.add if is_wanted else wanted.discard)(channel)
    return frozenset(wanted)


#: about being on call: one's own shifts, and the services of those one leads
SHIFT_TOPICS = (Topic.SHIFT_STARTS, Topic.SHIFT_MOVED, Topic.SHIFT_ASKED, Topic.HANDOVER, Topic.UNCOVERED)
#: what only the desk is told
_AGENT_TOPICS = (
    Topic.ASSIGNED, Topic.TEAM, Topic.MENTIONED, Topic.ESCALATED, Topic.WATCHED, Topic.WARNED, Topic.BREACHED, Topic.DIGEST,
    *SHIFT_TOPICS, Topic.JOB,
)  # fmt: skip
_EVERYBODYS_TOPICS = (Topic.RECEIVED, Topic.REPLIED, Topic.STATE, Topic.ANNOUNCED)


#: (topic, channel) a person may choose; what is not here cannot be switched off
CHOICES = frozenset((topic.value, channel) for topic in (*_EVERYBODYS_TOPICS, *_AGENT_TOPICS) for channel in ("app", "email"))


def topics(*, is_agent: bool) -> tuple[Topic, ...]:
    """The topics a person is asked about on their profile."""
    return (*_EVERYBODYS_TOPICS, *_AGENT_TOPICS) if is_agent else _EVERYBODYS_TOPICS


#: topics one click in a mail program ends (RFC 8058); never answers to one's own tickets, one's own work and shifts, nor the account.
#: Their places are written in addresses that stay good for ever: only add behind
ONE_CLICK = (Topic.ANNOUNCED, Topic.TEAM, Topic.WATCHED, Topic.WARNED, Topic.BREACHED, Topic.DIGEST, Topic.JOB, Topic.UNCOVERED)
#: topics that are the desk's own: only who may see a ticket's notes is told by them
DESK_TOPICS = frozenset(
    {Topic.ASSIGNED, Topic.TEAM, Topic.MENTIONED, Topic.ESCALATED, Topic.WATCHED, Topic.WARNED, Topic.BREACHED}
)
#: topics told one by one, never gathered into another mail
ALONE = frozenset({Topic.ACCOUNT, Topic.ANNOUNCED, Topic.JOB, Topic.DIGEST, Topic.REPORT, Topic.BLIND, *SHIFT_TOPICS})
#: whose texts are written for the recipient, not quoted from somebody
OWN_TEXTS = frozenset({Topic.REPORT, Topic.BLIND, *SHIFT_TOPICS})
#: how long a mail waits for others about the same ticket, and for its cause to be taken back
GATHERS_FOR = timedelta(seconds=10)
_AT_ONCE = frozenset({Topic.RECEIVED, Topic.ESCALATED, Topic.ACCOUNT})
#: how long the notice of what passed unheard grows before another is begun
GATHERS_LATE = timedelta(minutes=30)
#: from this many tickets on, a person's waiting mails become one digest
DIGEST_FROM = 4
#: who has claimed a delivery must have settled it within this, or another engine sends it again
LEASE = timedelta(seconds=60)
#: no new sending is begun later than this after the claim
BEGINS_WITHIN = timedelta(seconds=25)
MAIL_GIVES_UP_AFTER = timedelta(days=5)
#: what is over is shown this long
DELIVERIES_KEPT = timedelta(days=90)
_MAIL_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (0.5, 1, 2, 5, 10, 20, 40, 60))
#: Standard Webhooks' table: the pause before the second try, the third, …; after the last the delivery has failed
_WEBHOOK_PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
_LONGEST_RETRY_AFTER = timedelta(hours=24)
#: an endpoint that has just failed gets no other delivery before this
WEBHOOK_REST = timedelta(seconds=60)


class Outcome(StrEnum):
    """How a delivery ended, or how a try to send it did (sent, retry, failed)."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    MOOT = "moot"  # by the time of sending it did not matter any more
    BUNDLED = "bundled"  # told in another mail
    UNWANTED = "unwanted"  # switched off meanwhile


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery this engine holds under a lease: only with this number may it be settled."""

    id: int
    lease: int
    key: str
    channel: str
    attempts: int
    created_at: datetime
    webhook: int | None = None
    person: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try to send. `status` is what the server answered; `retry_after` what it asked for.

    `is_certain` is False when it may have arrived although no answer came. `is_gone`: the receiver wants nothing any more.
    `is_bad_address`: nobody is at `address`. `reference` is the carrier's own name of what was sent, by which
    its receipts come; of a mail its Message-ID.
    """

    outcome: Outcome
    started_at: datetime
    ended_at: datetime
    detail: str = ""
    status: int | None = None
    retry_after: timedelta | None = None
    is_certain: bool = True
    is_gone: bool = False
    is_bad_address: bool = False
    address: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail to one person that waits to be sent."""

    id: int
    topic: Topic
    ticket: int | None


def due_at(topic: Topic, channel: str, *, now: datetime) -> datetime:
    """When a notice is to be sent: mails wait a moment for others of their kind, but for the urgent ones."""
    return now + GATHERS_FOR if channel == "email" and topic not in _AT_ONCE else now


def bundles(waiting: Iterable[Waiting]) -> list[list[int]]:
    """One person's waiting mails, as the mails they become: one per ticket, or one digest of all when the tickets are many.

    The first id of each is the mail's own.
    """
    alone: list[list[int]] = []
    by_ticket: dict[int, list[int]] = {}
    for mail in sorted(waiting, key=lambda mail: mail.id):
        if mail.ticket is None or mail.topic in ALONE:
            alone.append([mail.id])
        else:
            by_ticket.setdefault(mail.ticket, []).append(mail.id)
    groups = list(by_ticket.values())
    if len(groups) >= DIGEST_FROM:
        groups = [sorted(chain.from_iterable(groups))]
    return sorted(alone + groups)


def next_try(claim: Claim, answer: Answer, *, chance: float) -> datetime | None:
    """When to try again after a failed try; None: give up. `chance` in [0, 1) spreads the load."""
    now = answer.ended_at
    if claim.channel == "email":
        pause = _MAIL_PAUSES[min(claim.attempts, len(_MAIL_PAUSES) - 1)]
        at = now + pause * (0.9 + 0.2 * chance)
        return at if at - claim.created_at <= MAIL_GIVES_UP_AFTER else None
    if claim.attempts >= len(_WEBHOOK_PAUSES):
        return None
    pause = _WEBHOOK_PAUSES[claim.attempts] * (1 + 0.2 * chance)
    return now + max(pause, min(answer.retry_after or pause, _LONGEST_RETRY_AFTER))


def rests_until(at: datetime, *, now: datetime) -> datetime:
    """Until when the other deliveries of an endpoint wait whose delivery failed and is tried again `at`."""
    return min(at, now + WEBHOOK_REST)


def takes(verbs: Iterable[str], verb: str) -> bool:
    """Whether a webhook that asked for `verbs` (none: all) is told of `verb`."""
    asked = list(verbs)
    return not asked or verb in asked


#: what a webhook may be told of: everything that happens to tickets, and that the time of a promise is up
TELLABLE: frozenset[str] = frozenset(
    verb.value for verb in Verb if verb.value.partition(".")[0] in ("incident", "request", "ticket")
) | {Verb.CLOCK_WARNED.value, Verb.CLOCK_BREACHED.value}
#: a webhook for which this many calls wait is not told of further clocks: a storm ends here
CALLS_WAIT = 1000


@dataclass(frozen=True, slots=True)
class Passed:
    """What of promises passed while nobody could be told: how many warnings and breaches, on which tickets, from when to when.

    `tickets` are references, the first ones only; `more` says how many besides.
    """

    warned: int = 0
    breached: int = 0
    tickets: tuple[str, ...] = ()
    more: int = 0
    since: str = ""
    until: str = ""

    SHOWN: ClassVar[int] = 20

    def joined(self, other: Passed) -> Passed:
        """Both together; `since` and `until` are ISO instants in UTC, which sort as text."""
        tickets = tuple(dict.fromkeys((*self.tickets, *other.tickets)))
        return Passed(
            warned=self.warned + other.warned,
            breached=self.breached + other.breached,
            tickets=tickets[: self.SHOWN],
            more=self.more + other.more + len(tickets[self.SHOWN :]),
            since=min(filter(None, (self.since, other.since)), default=""),
            until=max(self.until, other.until),
        )

    def as_json(self) -> dict[str, Any]:
        """As the notice keeps it."""
        return {**asdict(self), "tickets": list(self.tickets)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Passed:
        """What a notice kept."""
        return cls(**{**kept, "tickets": tuple(kept.get("tickets", ()))})


def is_address(url: str) -> bool:
    """Whether a webhook's address has the right form: http or https, a host, no user name or password, no white space."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_plain = "@" not in parts.netloc and "\\" not in url and not any(mark.isspace() for mark in url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain and port != 0
