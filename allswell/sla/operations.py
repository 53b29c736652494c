"""Writing agreements and clocks."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from allswell.database.hurry import recount as recount_rows
from allswell.database.rows import insert_columns
from allswell.journal import bulk
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor

from .models import Agreement, AgreementVersion, Clock, Revision
from .rules.shapes import Passage, Segment, Solved
from .rules.terms import Terms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def renew() -> None:
    """What clocks are solved with has changed: every process reads it again."""
    Revision.objects.update_or_create(pk=1, defaults={"number": secrets.randbits(62) + 1})


def one_at_a_time() -> None:
    """Until the transaction ends nobody else changes agreements: their numbers and places are given one after the other."""
    Revision.objects.get_or_create(pk=1)
    Revision.objects.select_for_update().get(pk=1)


def new(**columns: Any) -> Agreement:
    """An agreement not yet written."""
    return Agreement(**columns)


def create(row: Agreement, *, actor: Actor, now: datetime) -> None:
    """Write a new agreement; it says nothing until it has a version."""
    journal.create(row, about="agreement", actor=actor, now=now)
    renew()


def change(row: Agreement, values: dict[str, Any], *, actor: Actor, now: datetime, verb: Verb = Verb.CHANGED) -> bool:
    """Change whom an agreement is for, its name, its place, or whether it is in use; False when nothing differs."""
    if values.get("is_active", row.is_active) != row.is_active:
        values = {**values, "ended_at": None if values["is_active"] else now}
    if journal.change(row, values, about="agreement", actor=actor, now=now, verb=verb) is None:
        return False
    renew()
    return True


def add_version(
    row: Agreement, terms: Terms, *, in_force_from: datetime, note: str, actor: Actor, now: datetime
) -> AgreementVersion:
    """What an agreement says from an instant on."""
    last = AgreementVersion.objects.filter(agreement=row).order_by("-number").values_list("number", flat=True).first() or 0
    version = AgreementVersion(
        agreement=row,
        number=last + 1,
        in_force_from=in_force_from,
        definition=terms.as_json(),
        note=note,
        created_at=now,
        created_by_id=actor.person,
    )
    version.save(force_insert=True)
    data = {"version": version.number, "in_force_from": in_force_from.isoformat()}
    journal.record(Verb.AGREED, about=("agreement", row.pk), actor=actor, now=now, data=data)
    renew()
    return version


# -- clocks --------------------------------------------------------------------------------------------------------------------


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def columns(ticket: int, solved: Solved) -> dict[str, Any]:
    """A solved clock as columns, without what the engine keeps about it."""
    is_kept = solved.is_open or solved.state == "completed"
    return {
        "ticket_id": ticket,
        "agreement_id": solved.key.agreement,
        "version": solved.version,
        "metric": solved.key.metric.value,
        "number": solved.key.number,
        "target": solved.target.key,
        "team_id": solved.team,
        "state": solved.state.value,
        "started_at": solved.started_at,
        "due_at": solved.due_at,
        "warn_at": solved.warn_at,
        "stopped_at": solved.stopped_at,
        "met_at": solved.stopped_at if solved.is_met else None,
        "breached_at": solved.breached_at if is_kept else None,
        "is_rerated": solved.is_rerated,
        "budget": solved.target.within.budget // _MICROSECOND,
        "wall": solved.wall // _MICROSECOND if not solved.is_open else 0,
        "working": solved.working // _MICROSECOND if not solved.is_open else 0,
        "calendar": solved.target.within.calendar,
        "calendar_version": solved.calendar_number,
        "segments": [_plain(segment) for segment in solved.segments],
        "why": solved.why,
        "problem": solved.problem,
    }


_LETTERS = {Passage.RUNNING: "r", Passage.PAUSED: "p", Passage.STOPPED: "s"}


def _plain(segment: Segment) -> list[Any]:
    ends = None if segment.ends_at is None else micros(segment.ends_at)
    return [_LETTERS[segment.passage], micros(segment.starts_at), ends, segment.entry, segment.why]


def alarm_at(values: dict[str, Any], *, is_warned: bool, is_breach_told: bool) -> datetime | None:
    """When the engine has to look at a clock next: at its warning, then at its due instant; None when all is said or it stands.

    A due instant that has passed unheard is still to be told of when the clock ends, or stands, after it.
    """
    if values["state"] == "running" and values["warn_at"] is not None and not is_warned and not is_breach_told:
        return values["warn_at"]  # type: ignore[no-any-return]
    is_to_be_told = not is_breach_told and (values["state"] == "running" or _has_passed(values))
    return values["due_at"] if is_to_be_told else None


def _has_passed(values: dict[str, Any]) -> bool:
    """Whether the time of a clock that no longer runs was up before it ended; one that was cancelled has broken no promise."""
    due_at, stopped_at = values["due_at"], values["stopped_at"]
    return values["breached_at"] is not None or (due_at is not None and stopped_at is not None and due_at < stopped_at)


def start(ticket: int, solved: Sequence[Solved], *, now: datetime) -> None:
    """Write the first clocks of a ticket. What they say that has passed by now is said now."""
    rows = [_new(ticket, one) for one in solved]
    for row in rows:
        row["alarm_at"] = max(row["alarm_at"], now) if row["alarm_at"] is not None else None
    insert_columns(Clock, rows)


def start_many(rows: Iterable[tuple[int, Solved]], *, silently_by: datetime | None = None) -> None:
    """Write the clocks of very many tickets at once. Nobody is told of what had passed by `silently_by`."""
    new = [_new(ticket, one) for ticket, one in rows]
    if silently_by is not None:
        for clock in new:
            _silence(clock, silently_by)
    bulk.insert_columns(Clock, new)


def _silence(clock: dict[str, Any], by: datetime) -> None:
    if clock["alarm_at"] is None or clock["alarm_at"] > by:
        return
    is_late = clock["due_at"] is not None and clock["due_at"] <= by
    clock["warned_at"], clock["is_breach_told"] = by, is_late
    clock["alarm_at"] = None if is_late else clock["due_at"]


def silenced(clock: Clock, changed: dict[str, Any], *, by: datetime) -> dict[str, Any]:
    """What changes of a clock, so that nobody is told of what had passed by then."""
    values = {name: changed.get(name, getattr(clock, name)) for name in ("alarm_at", "due_at", "warned_at", "is_breach_told")}
    _silence(values, by)
    return {name: value for name, value in (changed | values).items() if getattr(clock, name) != value}


def _new(ticket: int, solved: Solved) -> dict[str, Any]:
    values = columns(ticket, solved)
    values["alarm_at"] = alarm_at(values, is_warned=False, is_breach_told=False)
    return values


def differing(clock: Clock, solved: Solved) -> dict[str, Any]:
    """The columns in which a clock's row is not as it was solved, as they should be.

    A due instant that moved into the future is told of again. That time passed a due instant is nothing new: the engine marks it.
    """
    values = columns(clock.ticket_id, solved)
    told = {"warned_at": clock.warned_at, "is_breach_told": clock.is_breach_told}
    if solved.is_open and clock.is_breach_told and values["due_at"] == clock.breached_at:
        values["breached_at"] = clock.breached_at  # it has passed, whatever a server's clock that stepped back says
    elif values["breached_at"] is None and solved.is_open:
        told["is_breach_told"] = False
        if clock.due_at != values["due_at"] and values["due_at"] is not None and clock.breached_at is not None:
            told["warned_at"] = None
    values |= told
    values["alarm_at"] = alarm_at(
        values, is_warned=values["warned_at"] is not None, is_breach_told=bool(values["is_breach_told"])
    )
    if clock.stopped_at is not None and not solved.is_open:
        values["alarm_at"] = clock.alarm_at  # what was to be told of it was asked when it ended
    return {name: value for name, value in values.items() if getattr(clock, name) != value}


def has_ended_so(clock: Clock, solved: Solved) -> bool:
    """Whether a clock ended, at the instant and in the way it is solved now. Such a clock is never written again."""
    ended = (clock.state, clock.started_at, clock.stopped_at)
    return clock.stopped_at is not None and ended == (solved.state, solved.started_at, solved.stopped_at)


def write(clock: Clock, solved: Solved, *, now: datetime) -> dict[str, Any]:
    """Bring a clock's row up to date; answers what differed, as it was: column -> value before.

    A warning or due instant that has passed only by this change comes up now, not among what passed while no engine ran.
    """
    changed = differing(clock, solved)
    if changed.get("alarm_at") is not None and changed.keys() & {"due_at", "warn_at"}:
        changed["alarm_at"] = max(changed["alarm_at"], now)
    if not changed:
        return {}
    before = {name: getattr(clock, name) for name in changed}
    for name, value in changed.items():
        setattr(clock, name, value)
    Clock.objects.filter(pk=clock.pk).update(**changed)
    return before


def write_many(changes: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """New values of columns of very many clocks, by key."""
    bulk.update_columns(Clock, changes)


def recount() -> None:
    """Let the database know how many clocks there are by now; call it outside a transaction, while very many are written."""
    recount_rows(Clock)


def remove(clocks: Iterable[Clock]) -> None:
    """Take away clocks that never were (what began them was taken back)."""
    keys = [clock.pk for clock in clocks]
    if keys:
        Clock.objects.filter(pk__in=keys).delete()
