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
#: what a row of another desk shows of a ticket, as `shown` in its entry, in this order
SHOWN = ("kind", "state", "waiting_on", "priority", "service", "organization", "team")
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


def story(entries: Sequence[Noted], *, now: Facts, requester: int | None, opened_at: datetime | None = None) -> list[Step]:
    """The steps of a ticket, oldest first. `now` is how it stands, `requester` who asked, `opened_at` when (else: the opening).

    What was taken back by an undo did not happen. A ticket whose opening is not in the journal has no steps.
    """
    kept = _what_stands(in_order(entries))
    start = next((place for place, entry in enumerate(kept) if entry.verb in _OPENINGS), None)
    if kept and (start is None or start > 0) and _snapshot(kept[0], now) is not None:
        start = 0  # rows of another desk: the oldest shows the ticket as it was first, whichever came in first
    if start is None:
        return []
    opening = kept.pop(start)
    facts = _at_the_opening(opening, kept, now)
    at = opening.happened_at if opened_at is None else opened_at
    steps = [Step(at, opening.id, opening.verb, facts, _is_answer(opening, requester))]
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
    told = (entry for entry in entries if entry.verb in TELLING or "changes" in entry.data or "shown" in entry.data)
    return [entry for entry in told if str(entry.action) not in gone]


def _at_the_opening(opening: Noted, later: Sequence[Noted], now: Facts) -> Facts:
    """What the ticket was at first. What the opening does not say was always so, unless a later change names what was before."""
    said = opening.data
    shown = _snapshot(opening, replace(now, restored_at=None, merged_into=None))
    facts = shown or Facts(
        kind=_OPENINGS[opening.verb].value if opening.verb in _OPENINGS else now.kind,
        state=_state(said.get("state")) or State.NEW.value,
        priority=_rank(said.get("priority")) or now.priority,
        service=_id(said["service"]) if "service" in said else _first_value("service", later, now.service),
        organization=_id(said["organization"])
        if "organization" in said
        else _first_value("organization", later, now.organization),
        team=_id(said["team"]) if "team" in said else now.team,
    )
    if facts.is_done and later and "changes" not in later[0].data and (was := _state(later[0].data.get("from"))):
        facts = replace(facts, state=was)  # a whole ticket was brought in: how it stood at the end, then the way there
    if facts.state == State.WAITING:
        return replace(facts, waiting_on=str(said.get("waiting_on") or facts.waiting_on))
    return replace(facts, restored_at=opening.happened_at) if facts.is_done else facts


def _snapshot(entry: Noted, now: Facts) -> Facts | None:
    """How a row of another desk showed the ticket; None for what happened here."""
    shown = entry.data.get("shown")
    return _facts(shown, now) if isinstance(shown, list | tuple) and len(shown) == len(SHOWN) else None


def _facts(shown: Sequence[Any], otherwise: Facts) -> Facts:
    """Facts of what a row shows; what cannot be is as in `otherwise`, all else as there."""
    values = dict(zip(SHOWN, shown, strict=True))
    return replace(
        otherwise,
        kind=values["kind"] if isinstance(values["kind"], str) and values["kind"] in set(Kind) else otherwise.kind,
        state=_state(values["state"]) or otherwise.state,
        priority=_rank(values["priority"]) or otherwise.priority,
        waiting_on=values["waiting_on"] if isinstance(values["waiting_on"], str) else "",
        service=_id(values["service"]),
        organization=_id(values["organization"]),
        team=_id(values["team"]),
    )


def _state(value: Any) -> str | None:
    return value if isinstance(value, str) and value in set(State) else None


def _rank(value: Any) -> int | None:
    return value if isinstance(value, int) and 1 <= value <= 5 else None


def _first_value(name: str, later: Sequence[Noted], otherwise: int | None) -> int | None:
    for entry in later:
        changes = entry.data.get("changes")
        if isinstance(changes, Mapping) and (pair := _pair(changes, name)):
            return _id(pair[0])
        before = entry.data.get("from")
        if entry.verb == Verb.EDITED and isinstance(before, Mapping) and f"{name}_id" in before:
            return _id(before[f"{name}_id"])
    return otherwise


def _pair(changes: Mapping[str, Any], name: str) -> tuple[Any, Any] | None:
    """What a column was and what it is; None when that is not told."""
    pair = changes.get(name)
    return (pair[0], pair[1]) if isinstance(pair, list | tuple) and len(pair) == 2 else None


def _id(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


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
    shown = _snapshot(entry, facts)
    if shown is not None:
        return _turned(facts, shown, entry)
    changes = entry.data.get("changes")
    if isinstance(changes, Mapping):
        return _changed(facts, changes, entry)
    to: Any = entry.data.get("to")
    match entry.verb:
        case Verb.PRIORITY_SET | Verb.PRIORITY_OVERRIDDEN:
            return replace(facts, priority=_rank(to) or facts.priority)
        case Verb.HANDED_OVER:
            return replace(facts, team=_id(to))
        case Verb.REFILED if isinstance(to, str) and to in set(Kind):
            return _refiled(facts, Kind(to))
        case Verb.EDITED if isinstance(to, Mapping):
            return _edited(facts, to)
        case Verb.RESTORED:
            return replace(facts, restored_at=_instant(entry.data.get("restored_at")) or entry.happened_at)
        case Verb.MERGED if "into" in entry.data:
            return replace(facts, merged_into=_id(entry.data["into"]))
        case _:
            return _moved(facts, entry)


def _moved(facts: Facts, entry: Noted) -> Facts:
    """A move along the lifecycle says from which state to which."""
    to = _state(entry.data.get("to"))
    if to is None:
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
    shown = []
    for name in SHOWN:
        pair = _pair(changes, name)
        shown.append(getattr(facts, name) if pair is None else pair[1])
    return _turned(facts, _facts(shown, facts), entry)


def _turned(facts: Facts, after: Facts, entry: Noted) -> Facts:
    """What follows from a state for the rest: what it waits on, and since when the service works again."""
    if after.state != State.WAITING:
        after = replace(after, waiting_on="")
    if after.is_done:
        return replace(after, restored_at=facts.restored_at or entry.happened_at)
    return replace(after, restored_at=None if facts.is_done else facts.restored_at)


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
