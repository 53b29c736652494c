"""What a row adds to a ticket's history: its columns after the row, and what happened. Pure.

Before and after are compared as columns, so it does not matter whether the earlier rows stood in the same batch, in an
earlier run or in another file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from allswell.journal.rules import Verb
from allswell.tickets.rules import DONE_STATES, RESOLVED_STATES, Kind, Matrix, State, queue_place

from .records import Record

Columns = dict[str, Any]
OPENED = {Kind.INCIDENT: Verb.INCIDENT_REPORTED, Kind.REQUEST: Verb.REQUEST_MADE}
#: columns whose change is worth an entry, and the names they have in it
TRACKED: Mapping[str, str] = {
    "kind": "kind",
    "title": "title",
    "description": "description",
    "impact": "impact",
    "urgency": "urgency",
    "priority": "priority",
    "state": "state",
    "waiting_on": "waiting_on",
    "team_id": "team",
    "assignee_id": "assignee",
    "requester_id": "requester",
    "organization_id": "organization",
    "service_id": "service",
    "category_id": "category",
    "custom": "custom",
}
_TEXTS = frozenset({"title", "description", "custom"})  # named in an entry, their words never
_SHOWN = ("kind", "state", "waiting_on", "priority", "service_id", "organization_id", "team_id")
RECORDED_REASON = "As recorded by the source"


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry to be written; `data` holds ids and states."""

    verb: Verb
    happened_at: datetime
    data: dict[str, Any] = field(default_factory=dict)


def priority(record: Record, matrix: Matrix) -> tuple[int, str]:
    """(priority, reason): the matrix', or the recorded one as an override where the two differ."""
    computed = matrix.priority(record.impact, record.urgency)
    recorded = record.recorded_priority
    if recorded is None or recorded == computed or not 1 <= recorded <= 5:
        return computed, ""
    return recorded, RECORDED_REASON


def shown(record: Record, *, matrix: Matrix, ids: Mapping[str, int | None]) -> Columns:
    """The columns a row shows; `ids` are the keys of what it names."""
    rank, reason = priority(record, matrix)
    place, _ = queue_place(record.state, rank, next_due_at=None, opened_at=record.opened_at)
    columns: Columns = {
        "kind": record.kind.value,
        "title": record.title,
        "description": record.description,
        "state": record.state.value,
        "waiting_on": record.waiting_on,
        "impact": record.impact,
        "urgency": record.urgency,
        "priority": rank,
        "priority_reason": reason,
        "queue_rank": place,
        "queue_at": record.opened_at,
        "channel": record.channel,
        "opened_at": record.opened_at,
        "occurred_at": record.instants.get("occurred_at"),
        "resolution_code": record.resolution_code,
        "resolution": record.resolution,
        "custom": dict(record.custom),
    }
    columns.update({f"{name}_id": key for name, key in ids.items()})
    return columns


def _not_after(moment: datetime | None, limit: datetime) -> datetime:
    """What the row says, unless it tells the future of its own instant (an audit log repeats the final values in every row)."""
    return moment if moment is not None and moment <= limit else limit


def _instants(before: Columns | None, record: Record, *, now: datetime, days: int, is_history: bool) -> Columns:
    """The instants after a row: acknowledged, resolved, done, closed; cleared again by a reopening."""
    earlier = before or {}
    state, said = record.state, record.instants
    limit = record.at if is_history else max(record.at, *said.values())
    found: Columns = {
        "acknowledged_at": earlier.get("acknowledged_at") or said.get("acknowledged_at"),
        "resolved_at": None,
        "restored_at": None,
        "done_at": None,
        "closed_at": None,
        "closing_at": None,
        "asked_at": record.opened_at,
    }
    if state in DONE_STATES:
        closed = _not_after(said.get("closed_at"), limit) if state is State.CLOSED else None
        ended = said.get("resolved_at") or said.get("closed_at")
        ended = earlier.get("resolved_at") if is_history and (ended is None or ended > limit) else ended
        ended = max(min(_not_after(ended, limit), closed or limit), record.opened_at)
        closed = max(closed, ended) if closed else None
        found |= {"done_at": ended, "closed_at": closed, "asked_at": None}
        if state not in (State.CANCELLED, State.REJECTED):
            found |= {"resolved_at": ended, "restored_at": said.get("restored_at") or ended}
        if state in RESOLVED_STATES:
            found["closing_at"] = now + timedelta(days=days)
    if found["acknowledged_at"] is None and state is not State.NEW:
        found["acknowledged_at"] = found["done_at"] if found["done_at"] and not is_history else record.at
    if found["acknowledged_at"]:
        found["acknowledged_at"] = max(found["acknowledged_at"], record.opened_at)
    return found


def _changes(before: Columns, after: Columns) -> dict[str, list[Any]]:
    """What differs, {name: [from, to]}; of texts only that they do."""
    return {
        name: [] if column in _TEXTS else [before.get(column), after.get(column)]
        for column, name in TRACKED.items()
        if before.get(column) != after.get(column)
    }


def _state_verb(before: str, after: str) -> Verb | None:
    if before == after:
        return None
    if after == State.CLOSED:
        return Verb.CLOSED
    if after in (State.RESOLVED, State.FULFILLED):
        return Verb.RESOLVED if after == State.RESOLVED else Verb.FULFILLED
    if after in (State.CANCELLED, State.REJECTED):
        return Verb.CANCELLED
    if before in DONE_STATES:
        return Verb.REOPENED
    if after == State.WAITING:
        return Verb.WAITED
    if before == State.WAITING:
        return Verb.RESUMED
    return Verb.ACKNOWLEDGED if before == State.NEW else Verb.EDITED


def _main_verb(changes: Mapping[str, list[Any]]) -> Verb:
    """The one verb of a row that changed several things: the end of work, then its hand-over, then the rest."""
    moved = _state_verb(*changes["state"]) if "state" in changes else None
    if moved in (Verb.CLOSED, Verb.RESOLVED, Verb.FULFILLED, Verb.CANCELLED, Verb.REOPENED):
        return moved
    if "team" in changes and None not in changes["team"]:
        return Verb.HANDED_OVER
    if moved is not None:
        return moved
    if "assignee" in changes:
        return Verb.ASSIGNED if changes["assignee"][1] else Verb.UNASSIGNED
    return Verb.PRIORITY_SET if "priority" in changes else Verb.EDITED


_SUBJECT = {
    Verb.HANDED_OVER: "team",
    Verb.ASSIGNED: "assignee",
    Verb.UNASSIGNED: "assignee",
    Verb.PRIORITY_SET: "priority",
}


def _as_shown(columns: Columns) -> list[Any]:
    """A row as clocks look at it (`allswell.sla.rules.story.SHOWN`), so that rows in any order can be told in theirs."""
    return [columns.get(name) for name in _SHOWN]


def _entry(verb: Verb, at: datetime, before: Columns, after: Columns, changes: dict[str, list[Any]]) -> Happening:
    """An entry with the data the desk would have given it, and all that changed with it beside."""
    data: dict[str, Any] = {"changes": changes}
    if verb is Verb.EDITED:
        kept = [column for column, name in TRACKED.items() if name in changes and column not in _TEXTS]
        data |= {
            "fields": sorted(changes.keys() - {"priority"}),
            "from": {column: before.get(column) for column in kept},
            "to": {column: after.get(column) for column in kept},
        }
    elif subject := changes.get(_SUBJECT.get(verb, "state")):
        data |= {"from": subject[0], "to": subject[1]}
    if verb is Verb.HANDED_OVER:
        data["returns"] = after["return_count"] > before["return_count"]
    elif verb is Verb.WAITED:
        data["on"] = after["waiting_on"]
    elif verb in (Verb.RESOLVED, Verb.FULFILLED):
        data["code"] = after["resolution_code"]
    elif verb is Verb.CANCELLED:
        data["reason"] = after["resolution_code"]
    return Happening(verb, at, data)


def _first(record: Record, after: Columns, *, is_history: bool) -> list[Happening]:
    names = ("impact", "urgency", "priority", "service_id", "team_id", "requester_id", "organization_id", "state", "waiting_on")
    data = {name.removesuffix("_id"): after.get(name) for name in names}
    happened = [Happening(record.verb or OPENED[record.kind], record.at if is_history else record.opened_at, data)]
    if is_history:
        data["shown"] = _as_shown(after)
        return happened
    acknowledged = record.instants.get("acknowledged_at")
    if acknowledged or after["done_at"]:
        data |= {"state": State.NEW.value, "waiting_on": ""}  # the way from there follows
    if acknowledged:
        happened.append(Happening(Verb.ACKNOWLEDGED, acknowledged, {"from": "new", "to": "in_progress"}))
        if record.state is State.WAITING:
            waits = {"from": "in_progress", "to": "waiting", "on": record.waiting_on}
            happened.append(Happening(Verb.WAITED, max(record.at, acknowledged), waits))
    if record.state in (State.CANCELLED, State.REJECTED):
        happened.append(
            Happening(
                Verb.CANCELLED,
                after["done_at"],
                {"from": "new", "to": record.state.value, "reason": record.resolution_code},
            )
        )
    elif after["resolved_at"]:
        end = State.FULFILLED if record.kind is Kind.REQUEST else State.RESOLVED
        began = State.IN_PROGRESS if acknowledged else State.NEW
        verb = Verb.FULFILLED if record.kind is Kind.REQUEST else Verb.RESOLVED
        data = {"from": began.value, "to": end.value, "code": record.resolution_code}
        happened.append(Happening(verb, after["resolved_at"], data))
        if after["closed_at"]:
            happened.append(Happening(Verb.CLOSED, after["closed_at"], {"from": end.value, "to": "closed"}))
    return happened


def entries_of_new(record: Record) -> int:
    """How many entries a ticket seen for the first time makes."""
    after = _instants(None, record, now=record.at, days=1, is_history=False)
    return len(_first(record, after, is_history=False)) + len(record.comments)


def fold(
    before: Columns | None,
    row: Columns,
    record: Record,
    *,
    teams: set[int],
    now: datetime,
    days: int,
    is_history: bool,
) -> tuple[Columns, list[Happening]]:
    """(columns after the row, what happened). `teams` are those that had the ticket; a row older than `before` changes nothing.

    One happening per audit row; for a whole ticket one per instant it tells.
    """
    if before is not None and is_history and record.at < before["updated_at"]:
        late = {"state": record.state.value, "shown": _as_shown(row)}
        return before, [Happening(record.verb or Verb.IMPORTED, record.at, late)]
    after = {**(before or {}), **row, **_instants(before, record, now=now, days=days, is_history=is_history)}
    after["updated_at"] = max(record.at, before["updated_at"] if before else record.at)
    if before is None:
        after |= {
            "reopened_count": record.reopened_count or 0,
            "handover_count": record.handover_count or 0,
            "return_count": 0,
        }
        happened = _first(record, after, is_history=is_history)
    else:
        changes = _changes(before, after)
        verb = record.verb or _main_verb(changes)
        _count(before, after, record, changes, teams)
        at = record.at if is_history or not after["done_at"] else after["closed_at"] or after["done_at"]
        happened = [_entry(verb, at, before, after, changes)]
        if is_history:
            happened[0].data["shown"] = _as_shown(after)
    if after["team_id"]:
        teams.add(after["team_id"])
    return after, happened


def _count(before: Columns, after: Columns, record: Record, changes: Mapping[str, list[Any]], teams: set[int]) -> None:
    """Hand-overs, returns and reopenings, counted unless the source counts them."""
    is_handover = "team" in changes and None not in changes["team"]
    is_reopened = before["state"] in DONE_STATES and after["state"] not in DONE_STATES
    after["handover_count"] = (
        before["handover_count"] + int(is_handover) if record.handover_count is None else record.handover_count
    )
    after["return_count"] = before["return_count"] + int(is_handover and after["team_id"] in teams)
    after["reopened_count"] = (
        before["reopened_count"] + int(is_reopened) if record.reopened_count is None else record.reopened_count
    )
