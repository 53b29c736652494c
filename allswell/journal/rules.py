"""The catalogue of verbs: everything that can happen, in the past tense. An entry's verb is always one of these."""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Any


class Verb(StrEnum):
    """What happened. Members are never renamed: the journal keeps them for ever."""

    # the life of a ticket
    INCIDENT_REPORTED = "incident.reported"
    REQUEST_MADE = "request.made"
    ACKNOWLEDGED = "ticket.acknowledged"
    ASSIGNED = "ticket.assigned"
    UNASSIGNED = "ticket.unassigned"
    HANDED_OVER = "ticket.handed_over"
    ESCALATED = "ticket.escalated"
    REPLIED = "ticket.replied"
    NOTED = "ticket.noted"
    WAITED = "ticket.waited"
    RESUMED = "ticket.resumed"
    RESTORED = "incident.restored"
    RESOLVED = "ticket.resolved"
    FULFILLED = "request.fulfilled"
    CONFIRMED = "ticket.confirmed"
    REOPENED = "ticket.reopened"
    CLOSED = "ticket.closed"
    CANCELLED = "ticket.cancelled"
    FOLLOWED_UP = "ticket.followed_up"
    RATED = "ticket.rated"
    EDITED = "ticket.edited"
    PRIORITY_SET = "ticket.priority_set"
    PRIORITY_OVERRIDDEN = "ticket.priority_overridden"
    REFILED = "ticket.refiled"
    RESTRICTED = "ticket.restricted"
    UNRESTRICTED = "ticket.unrestricted"
    ATTACHED = "ticket.attached"
    DETACHED = "ticket.detached"
    TAGGED = "ticket.tagged"
    UNTAGGED = "ticket.untagged"
    WATCHED = "ticket.watched"
    UNWATCHED = "ticket.unwatched"
    LINKED = "ticket.linked"
    UNLINKED = "ticket.unlinked"
    MERGED = "ticket.merged"
    UNMERGED = "ticket.unmerged"
    SPLIT = "ticket.split"
    UNDONE = "ticket.undone"
    IMPORTED = "ticket.imported"
    # service levels
    CLOCK_WARNED = "clock.warned"
    CLOCK_BREACHED = "clock.breached"
    CLOCKS_REPLAYED = "clock.replayed"
    AGREED = "agreement.agreed"
    CALENDAR_CHANGED = "calendar.changed"
    # rotas
    ROTA_CHANGED = "rota.changed"
    ROTA_OVERRIDDEN = "rota.overridden"
    ROTA_OVERRIDE_CANCELLED = "rota.override_cancelled"
    SHIFT_ASKED = "shift.asked"
    SHIFT_ACCEPTED = "shift.accepted"
    SHIFT_DECLINED = "shift.declined"
    SHIFT_WITHDRAWN = "shift.withdrawn"
    SHIFT_EXPIRED = "shift.expired"
    SHIFT_MOVED = "shift.moved"
    SHIFT_STARTS = "shift.starts"
    HANDOVER_DRAFTED = "handover.drafted"
    HANDOVER_SIGNED = "handover.signed"
    HANDOVER_ACCEPTED = "handover.accepted"
    HANDOVER_REMINDED = "handover.reminded"
    HANDOVER_MOVED = "handover.moved"
    HANDOVER_ESCALATED = "handover.escalated"
    HANDOVER_PASSED_ON = "handover.passed_on"
    HANDOVER_LAPSED = "handover.lapsed"
    GAPS_TOLD = "coverage.gaps_told"
    # escalation policies and paging
    POLICY_CHANGED = "policy.changed"
    PAGING_STARTED = "paging.started"
    PAGED = "paging.paged"
    PAGE_ACKNOWLEDGED = "paging.acknowledged"
    PAGE_PASSED_ON = "paging.passed_on"
    PROMISE_RENEWED = "paging.promise_renewed"
    PROMISE_BROKEN = "paging.promise_broken"
    PAGING_FAILED = "paging.failed"
    PAGING_EXHAUSTED = "paging.exhausted"
    PAGING_ENDED = "paging.ended"
    # monitoring
    ALERTS_JOINED = "alerts.joined"
    ALERTS_CLEARED = "alerts.cleared"
    ALERTS_ANSWERED = "alerts.answered"
    ALERTS_QUIETED = "alerts.quieted"
    # announcements
    ANNOUNCED = "incident.announced"
    ANNOUNCEMENT_UPDATED = "incident.announcement_updated"
    ANNOUNCEMENT_ENDED = "incident.announcement_ended"
    AFFECTED = "incident.affected"
    # people and what is set up
    CREATED = "record.created"
    CHANGED = "record.changed"
    DEACTIVATED = "record.deactivated"
    ACTIVATED = "record.activated"
    REMOVED = "record.removed"
    ROLE_GRANTED = "person.role_granted"
    ROLE_REVOKED = "person.role_revoked"
    JOINED_TEAM = "person.joined_team"
    LEFT_TEAM = "person.left_team"
    ADDRESS_ADDED = "person.address_added"
    ADDRESS_CONFIRMED = "person.address_confirmed"
    ADDRESS_REMOVED = "person.address_removed"
    PASSWORD_SET = "person.password_set"
    PASSWORD_RESET_ASKED = "person.password_reset_asked"
    SIGNED_IN = "person.signed_in"
    SIGN_IN_FAILED = "person.sign_in_failed"
    SIGNED_OUT_EVERYWHERE = "person.signed_out_everywhere"
    SECOND_FACTOR_ON = "person.second_factor_on"
    SECOND_FACTOR_OFF = "person.second_factor_off"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    # machinery
    JOB_STARTED = "job.started"
    JOB_FINISHED = "job.finished"
    EXPORTED = "record.exported"
    REDELIVERED = "delivery.redelivered"
    WAS_BLIND = "engine.was_blind"


#: Verbs a requester may see on their own ticket; everything else is the desk's.
PUBLIC_VERBS: frozenset[Verb] = frozenset(
    {
        Verb.INCIDENT_REPORTED,
        Verb.REQUEST_MADE,
        Verb.ACKNOWLEDGED,
        Verb.REPLIED,
        Verb.WAITED,
        Verb.RESUMED,
        Verb.RESTORED,
        Verb.RESOLVED,
        Verb.FULFILLED,
        Verb.CONFIRMED,
        Verb.REOPENED,
        Verb.CLOSED,
        Verb.CANCELLED,
        Verb.FOLLOWED_UP,
        Verb.RATED,
    }
)

#: what else changes what a requester sees on the page of their own ticket, without being told as a line there
_SHOWN = PUBLIC_VERBS | {
    Verb.ASSIGNED,
    Verb.UNASSIGNED,
    Verb.REFILED,
    Verb.MERGED,
    Verb.UNMERGED,
    Verb.ANNOUNCED,
    Verb.ANNOUNCEMENT_UPDATED,
    Verb.ANNOUNCEMENT_ENDED,
}
#: verbs of which it depends on the entry's data
DEPENDS = frozenset({Verb.EDITED, Verb.ATTACHED, Verb.DETACHED, Verb.WATCHED, Verb.UNWATCHED, Verb.UNDONE})
_SHOWN_FIELDS = frozenset({"title", "description", "service"})


def is_shown(verb: str, data: Mapping[str, Any]) -> bool:
    """Whether an entry changed what the requester's side sees of the ticket; of notes and the desk's own work they hear nothing."""
    match verb:
        case Verb.EDITED:
            return bool(_SHOWN_FIELDS & set(data.get("fields", ())))
        case Verb.ATTACHED | Verb.DETACHED:
            return bool(data.get("is_public"))
        case Verb.WATCHED | Verb.UNWATCHED:
            return data.get("kind") == "participant"
        case Verb.UNDONE:
            return bool(_SHOWN & set(data.get("verbs", ())))
        case _:
            return verb in _SHOWN


#: where an entry about a ticket holds the numbers of others
_OTHERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys([Verb.LINKED.value, Verb.UNLINKED.value], ("target", "source")),
    Verb.MERGED.value: ("into", "from"),
    Verb.UNMERGED.value: ("from", "of"),
    Verb.SPLIT.value: ("to",),
    Verb.FOLLOWED_UP.value: ("by",),
    **dict.fromkeys([Verb.RESOLVED.value, Verb.FULFILLED.value, Verb.RESTORED.value], ("parent", "children")),
}


def others_in(verb: str, data: Mapping[str, Any]) -> set[int]:
    """The other tickets an entry names."""
    found: set[int] = set()
    for name in _OTHERS.get(verb, ()):
        value = data.get(name)
        found.update(value if isinstance(value, list) else [value] if isinstance(value, int) else [])
    return found


def without_others(verb: str, data: Mapping[str, Any], hidden: Set[int]) -> dict[str, Any]:
    """What an entry tells somebody who may not know of the `hidden` tickets."""
    kept = dict(data)
    for name in _OTHERS.get(verb, ()):
        if isinstance(kept.get(name), list):
            kept[name] = [number for number in kept[name] if number not in hidden]
        elif kept.get(name) in hidden:
            del kept[name]
    return kept
