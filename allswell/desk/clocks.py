"""The clocks of many tickets at once, solved again from the journal: to check them, to repair them, and after an import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from allswell.database.hurry import frugal
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.people.rules import INSTALLATION, Act, require
from allswell.sla import operations as sla
from allswell.sla import queries
from allswell.tickets import operations as tickets
from allswell.tickets import queries as ticket_queries

from . import settling
from .door import use_case

if TYPE_CHECKING:
    from allswell.sla.models import Clock
    from allswell.sla.rules.shapes import Key, Solved
    from allswell.tickets.models import Ticket

BATCH = 500
#: columns of the engine, which follow from the others
_QUIET = frozenset({"alarm_at", "is_breach_told", "warned_at"})


@dataclass(frozen=True, slots=True)
class Difference:
    """What a replay finds about a ticket: a clock that is missing ("added"), solved otherwise ("changed") or one that never was
    ("removed"), or another promise that is due next ("promise", no metric).

    `before` and `after` are columns as JSON; `clock` is the number of the clock within its agreement and metric.
    """

    number: int
    what: str
    agreement: int | None = None
    metric: str = ""
    clock: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As the journal keeps it: what was."""
        said = {"what": self.what, "agreement": self.agreement, "metric": self.metric, "clock": self.clock}
        return {**said, "before": self.before}


@dataclass(slots=True)
class _Found:
    """What is to be written, and what is to be said of it: nothing of what had passed by `silently_by`, unless that is None."""

    silently_by: datetime | None = None
    differences: list[Difference] = field(default_factory=list)
    new: list[tuple[int, Solved]] = field(default_factory=list)
    changed: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    gone: list[Clock] = field(default_factory=list)
    promises: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    @property
    def is_told(self) -> bool:
        """Whether the differences are wanted in words."""
        return self.silently_by is None


def replay(numbers: Iterable[int] | None, *, actor: Actor, now: datetime, is_dry: bool) -> Iterator[Difference]:
    """Solve the clocks of these tickets (None: of all) again from the journal, and tell what differs, ticket by ticket.

    Unless `is_dry`, what differs is written too, batch by batch as the differences are read, and the journal keeps what was.
    Memory does not grow with the number of tickets. Raises NotAllowed.
    """
    require(actor, Act.SET_UP, INSTALLATION)
    wanted = iter(numbers) if numbers is not None else _all_numbers()
    batches, recount_at = 0, 1
    with frugal():
        while batch := sorted(set(islice(wanted, BATCH))):
            if is_dry:
                yield from _look(batch, now=now, is_locked=False).differences
                continue
            yield from repair_clocks(batch, actor=actor, now=now)
            batches += 1
            if batches == recount_at:
                sla.recount()
                recount_at *= 4


def _all_numbers() -> Iterator[int]:
    last = 0
    while found := list(
        ticket_queries.all_tickets().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[: 10 * BATCH]
    ):
        yield from found
        last = found[-1]


@use_case
def repair_clocks(numbers: list[int], *, actor: Actor, now: datetime) -> list[Difference]:
    """Write the clocks of a few hundred tickets as their journal has them; answers what differed. Raises NotAllowed."""
    require(actor, Act.SET_UP, INSTALLATION)
    found = _look(numbers, now=now, is_locked=True)
    _write(found)
    entries = []
    by_ticket: dict[int, list[Difference]] = {}
    for one in found.differences:
        by_ticket.setdefault(one.number, []).append(one)
    for number, ones in by_ticket.items():
        data = {"was": [one.as_json() for one in ones]}
        about = ("ticket", number)
        entries.append(journal.entry(Verb.CLOCKS_REPLAYED, about=about, ticket=number, actor=actor, now=now, data=data))
    journal.record_all(entries)
    return found.differences


def count_again(numbers: list[int], *, because: dict[str, Any], actor: Actor, now: datetime) -> int:
    """Solve the clocks of some hundred tickets after a calendar or an agreement changed; answers for how many a promise moved.

    Their journal says which from when to when, and `because` of what. For use cases that do more.
    """
    found = _look(numbers, now=now, is_locked=True)
    _write(found)
    moved: dict[int, list[dict[str, Any]]] = {}
    for one in found.differences:
        before, after = one.before.get("due_at"), one.after.get("due_at")
        if one.what != "promise" and before != after:
            said = {"metric": one.metric, "agreement": one.agreement, "clock": one.clock, "from": before, "to": after}
            moved.setdefault(one.number, []).append(said)
    entries = []
    for number, ones in moved.items():
        data, about = {"moved": ones, "because": because}, ("ticket", number)
        entries.append(journal.entry(Verb.CLOCKS_REPLAYED, about=about, ticket=number, actor=actor, now=now, data=data))
    journal.record_all(entries)
    return len(moved)


def follow_many(numbers: Iterable[int], *, now: datetime) -> None:
    """Bring the clocks of the tickets of a batch up to date, as `settling` does for a few; for an import. Nobody is told of what was."""
    wanted = sorted(set(numbers))
    if wanted and not queries.book().is_empty:
        _write(_look(wanted, now=now, is_locked=False, silently_by=now))


def _write(found: _Found) -> None:
    sla.start_many(found.new, silently_by=found.silently_by)
    sla.write_many(found.changed)
    sla.remove(found.gone)
    tickets.promise_many(found.promises)


def _look(numbers: list[int], *, now: datetime, is_locked: bool, silently_by: datetime | None = None) -> _Found:
    """Compare the clocks of tickets with their journal; what is written silently is found without its differences in words."""
    found = _Found(silently_by)
    book = queries.book()
    rows = ticket_queries.standing(numbers, is_locked=is_locked)
    kept = queries.clocks_of(numbers, is_locked=is_locked)
    if book.is_empty and not kept:
        return found
    noted = queries.entries_of_many(numbers)
    for ticket in rows:
        there, told = kept.get(ticket.pk, []), noted.get(ticket.pk, [])
        solved = settling.solved_or_none(ticket, told, book, kept=there, now=now)
        if solved is not None:
            _compare(ticket, *solved, found)
    return found


def _compare(ticket: Ticket, solved: list[Solved], kept: list[Clock], found: _Found) -> None:
    known = {settling.key_of(clock): clock for clock in kept}
    for one in solved:
        clock = known.pop(one.key, None)
        if clock is None:
            found.new.append((ticket.pk, one))
            if found.is_told:
                found.differences.append(_difference(ticket, "added", one.key, {}, sla.columns(ticket.pk, one)))
        elif sla.has_ended_so(clock, one) and clock.version != one.version:
            continue  # it ended under what was agreed then
        elif changed := _news(clock, sla.differing(clock, one)):
            if found.silently_by is not None:
                changed = sla.silenced(clock, changed, by=found.silently_by)
            found.changed.append((clock.pk, changed))
            if found.is_told and (said := {name: value for name, value in changed.items() if name not in _QUIET}):
                before = {name: getattr(clock, name) for name in said}
                found.differences.append(_difference(ticket, "changed", one.key, before, said))
    for key, clock in known.items():
        found.gone.append(clock)
        before = {field.attname: getattr(clock, field.attname) for field in clock._meta.concrete_fields}
        found.differences.append(_difference(ticket, "removed", key, before, {}))
    if changed := settling.promised(ticket, solved):
        found.promises.append((ticket.pk, changed))
        if found.is_told:
            before = {name: getattr(ticket, name) for name in changed}
            found.differences.append(Difference(ticket.pk, "promise", before=_plain(before), after=_plain(changed)))


def _difference(ticket: Ticket, what: str, key: Key, before: dict[str, Any], after: dict[str, Any]) -> Difference:
    return Difference(ticket.pk, what, key.agreement, key.metric.value, key.number, _plain(before), _plain(after))


def _news(clock: Clock, changed: dict[str, Any]) -> dict[str, Any]:
    """A change without what only time has brought: a due instant passed since is marked by the engine, when it tells of it."""
    passed = changed.get("breached_at")
    is_open = clock.stopped_at is None and "stopped_at" not in changed
    if clock.breached_at is None and is_open and passed is not None and passed == clock.due_at:
        changed = {name: value for name, value in changed.items() if name not in ("breached_at", "is_rerated")}
    return changed if changed != {"is_rerated": False} else {}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
