"""What happened to a ticket, as far as clocks care: its journal as a list of steps. Pure.

Each step carries how the ticket stood after it, so that the clocks can be solved again at any time from the journal alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from allswell.journal.rules import Verb
from allswell.tickets.rules import DONE_STATES, Kind, State

#: verbs that clocks look at; nothing else can start, stop or pause one
TELLING = frozenset(
    {
        Verb.INCIDENT_REPORTED, Verb.REQUEST_MADE, Verb.ACKNOWLEDGED, Verb.HANDED_OVER, Verb.REPLIED, Verb.WAITED, Verb.RESUMED,
        Verb.RESTORED, Verb.RESOLVED, Verb.FULFILLED, Verb.REOPENED, Verb.CLOSED, Verb.CANCELLED, Verb.EDITED, Verb.PRIORITY_SET,
        Verb.PRIORITY_OVERRIDDEN, Verb.REFILED, Verb.UNDONE, Verb.MERGED, Verb.UNMERGED, Verb.IMPORTED, Verb.ASSIGNED,
        Verb.UNASSIGNED,
    }
)  # fmt: skip
_OPENINGS: Mapping[str, Kind] = {Verb.INCIDENT_REPORTED: Kind.INCIDENT, Verb.REQUEST_MADE: Kind.REQUEST}


@dataclass(frozen=True, slots=True)
class Noted:
    """An entry of the journal. Instants are aware; `person` is who did it."""

    id: int
    verb: str
    happened_at: datetime
    recorded_at: datetime
    person: int | None
    action: uuid.UUID | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """How a ticket stood; keys are ids. `restored_at` is since when the service works again."""

    kind: str
    state: str
    priority: int
    waiting_on: str = ""
    service: int | None = None
    organization: int | None = None
    team: int | None = None
    restored_at: datetime | None = None
    merged_into: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether the work is over (resolved, closed or cancelled)."""
        return self.state in DONE_STATES


@dataclass(frozen=True, slots=True)
class Step:
    """One entry: the ticket after it, and whether the desk spoke to the requester with it. `at` never goes back."""

    at: datetime
    entry: int
    verb: str
    facts: Facts
    is_answer: bool = False


def in_order(entries: Iterable[Noted]) -> list[Noted]:
    """Entries in the order in which they happened.

    Imported ones (written down later than they happened) come first, by their own instants, whatever the order of the file; those
    written while it happened follow in the order of writing, so that a server's clock that steps back turns nothing round.
    """
    imported: list[Noted] = []
    live: list[Noted] = []
    for entry in entries:
        (imported if entry.happened_at < entry.recorded_at else live).append(entry)
    imported.sort(key=lambda entry: (entry.happened_at, entry.id))
    live.sort(key=lambda entry: entry.id)
    return imported + live


def story(entries: Sequence[Noted], *, now: Facts, requester: int | None) -> list[Step]:
    """The steps of a ticket, oldest first. `now` is how it stands, `requester` who asked.

    What was taken back by an undo did not happen. A ticket whose opening is not in the journal has no steps.
    """
    kept = _what_stands(in_order(entries))
    start = next((place for place, entry in enumerate(kept) if entry.verb in _OPENINGS), None)
    if start is None:
        return []
    opening = kept.pop(start)
    facts = _at_the_opening(opening, kept, now)
    steps = [Step(opening.happened_at, opening.id, opening.verb, facts, _is_answer(opening, requester))]
    at = opening.happened_at
    for entry in kept:
        facts = _after(facts, entry)
        at = max(at, entry.happened_at)
        steps.append(Step(at, entry.id, entry.verb, facts, _is_answer(entry, requester)))
    return steps


def _what_stands(entries: Sequence[Noted]) -> list[Noted]:
    """The telling entries without those that were taken back, by an undo or by undoing a merge."""
    gone = {entry.data.get("action") for entry in entries if entry.verb == Verb.UNDONE}
    merges: list[str] = []
    for entry in entries:
        if entry.verb == Verb.MERGED and "into" in entry.data:
            merges.append(str(entry.action))
        elif entry.verb == Verb.UNMERGED and "from" in entry.data and merges:
            gone |= {merges.pop(), str(entry.action)}
    told = (entry for entry in entries if entry.verb in TELLING or "changes" in entry.data)
    return [entry for entry in told if str(entry.action) not in gone]


def _at_the_opening(opening: Noted, later: Sequence[Noted], now: Facts) -> Facts:
    """What the ticket was at first. What the opening does not say was always so, unless a later change names what was before."""
    said = opening.data
    facts = Facts(
        kind=_OPENINGS[opening.verb].value,
        state=said.get("state") or State.NEW.value,
        priority=said.get("priority") or now.priority,
        service=said["service"] if "service" in said else _first_value("service", later, now.service),
        organization=said["organization"] if "organization" in said else _first_value("organization", later, now.organization),
        team=said.get("team", now.team),
    )
    if facts.state == State.WAITING:
        return replace(facts, waiting_on=said.get("waiting_on") or "")
    return replace(facts, restored_at=opening.happened_at) if facts.is_done else facts


def _first_value(name: str, later: Sequence[Noted], otherwise: int | None) -> int | None:
    for entry in later:
        if name in (changes := entry.data.get("changes") or {}):
            return _id(changes[name][0])
        before = entry.data.get("from")
        if entry.verb == Verb.EDITED and isinstance(before, Mapping) and f"{name}_id" in before:
            return _id(before[f"{name}_id"])
    return otherwise


def _id(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _is_answer(entry: Noted, requester: int | None) -> bool:
    """Whether the desk told the requester something: a public reply, or that it is resolved. Only the desk's replies answer."""
    if entry.verb in (Verb.RESOLVED, Verb.FULFILLED):
        return True
    if entry.verb != Verb.REPLIED:
        return False
    before = entry.data.get("before")
    if isinstance(before, Mapping):
        return "first_response_at" in before  # only an answer of the desk sets it
    return entry.person is None or entry.person != requester


def _after(facts: Facts, entry: Noted) -> Facts:
    """How the ticket stands after an entry."""
    changes = entry.data.get("changes")
    if isinstance(changes, Mapping):
        return _changed(facts, changes, entry)
    to: Any = entry.data.get("to")
    match entry.verb:
        case Verb.PRIORITY_SET | Verb.PRIORITY_OVERRIDDEN:
            return replace(facts, priority=to)
        case Verb.HANDED_OVER:
            return replace(facts, team=to)
        case Verb.REFILED:
            return _refiled(facts, Kind(to))
        case Verb.EDITED if isinstance(to, Mapping):
            return _edited(facts, to)
        case Verb.RESTORED:
            return replace(facts, restored_at=_instant(entry.data.get("restored_at")) or entry.happened_at)
        case Verb.MERGED if "into" in entry.data:
            return replace(facts, merged_into=entry.data["into"])
        case _:
            return _moved(facts, entry)


def _moved(facts: Facts, entry: Noted) -> Facts:
    """A move along the lifecycle says from which state to which."""
    to = entry.data.get("to")
    if not isinstance(to, str) or to not in set(State):
        return facts
    on = str(entry.data.get("on") or "") if to == State.WAITING else ""
    restored = facts.restored_at
    if entry.verb == Verb.RESOLVED:
        restored = restored or entry.happened_at
    elif entry.verb == Verb.REOPENED:
        restored = None
    return replace(facts, state=to, waiting_on=on, restored_at=restored)


def _edited(facts: Facts, to: Mapping[str, Any]) -> Facts:
    return replace(
        facts,
        service=_id(to.get("service_id", facts.service)),
        organization=_id(to.get("organization_id", facts.organization)),
    )


def _refiled(facts: Facts, kind: Kind) -> Facts:
    """A wrong kind put right; a state only one kind knows becomes its counterpart."""
    same = {State.RESOLVED.value: State.FULFILLED.value, State.FULFILLED.value: State.RESOLVED.value}
    same[State.APPROVING.value] = State.IN_PROGRESS.value
    return replace(facts, kind=kind.value, state=same.get(facts.state, facts.state))


def _changed(facts: Facts, changes: Mapping[str, Any], entry: Noted) -> Facts:
    """An imported entry says of each column what it was and what it is."""
    values: dict[str, Any] = {}
    for name in ("kind", "state", "waiting_on", "priority", "service", "organization", "team"):
        pair = changes.get(name)
        if isinstance(pair, Sequence) and len(pair) == 2:
            values[name] = pair[1]
    after = replace(facts, **values)
    if after.state != State.WAITING:
        after = replace(after, waiting_on="")
    if after.is_done and not facts.is_done:
        return replace(after, restored_at=facts.restored_at or entry.happened_at)
    return replace(after, restored_at=None) if facts.is_done and not after.is_done else after


def _instant(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None
