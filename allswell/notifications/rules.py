"""What people are told about, and by which channel unless they say otherwise. Pure."""

from __future__ import annotations

from enum import StrEnum


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
    ANNOUNCED = "announced"  # news of something that affects you
    JOB = "job"  # long work you started is done
    ACCOUNT = "account"  # your sign-in; cannot be switched off
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
    Topic.ANNOUNCED: frozenset({"app", "email"}),
    Topic.JOB: frozenset({"app"}),
    Topic.ACCOUNT: frozenset({"email"}),
}


def channels(topic: Topic, *, said: dict[str, bool]) -> frozenset[str]:
    """The channels of a notice: the defaults, corrected by what the person said ({channel: wanted})."""
    wanted = set(DEFAULTS[topic])
    if topic is Topic.ACCOUNT:
        return frozenset(wanted)
    for channel, is_wanted in said.items():
        (wanted.add if is_wanted else wanted.discard)(channel)
    return frozenset(wanted)


#: what only the desk is told
_AGENT_TOPICS = (Topic.ASSIGNED, Topic.TEAM, Topic.MENTIONED, Topic.ESCALATED, Topic.WATCHED, Topic.JOB)
_EVERYBODYS_TOPICS = (Topic.RECEIVED, Topic.REPLIED, Topic.STATE, Topic.ANNOUNCED)


#: (topic, channel) a person may choose; what is not here cannot be switched off
CHOICES = frozenset((topic.value, channel) for topic in (*_EVERYBODYS_TOPICS, *_AGENT_TOPICS) for channel in ("app", "email"))


def topics(*, is_agent: bool) -> tuple[Topic, ...]:
    """The topics a person is asked about on their profile."""
    return (*_EVERYBODYS_TOPICS, *_AGENT_TOPICS) if is_agent else _EVERYBODYS_TOPICS
