"""What the rules of alerts and the rules of mail share: they stand in an order, and the first that fits decides.

`read` are the rules in their order, held until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from allswell.desk import steps
from allswell.intake.operations import rules as writing
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid, NotFound, Stale
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import AlertRule, MailRule

R = TypeVar("R", "AlertRule", "MailRule")

#: everything that comes in is compared with each of them
MOST = 500


class Placed(Protocol):
    """What a rule of either kind says of where a ticket belongs."""

    @property
    def service(self) -> int | None: ...
    @property
    def team(self) -> int | None: ...


def one(rows: QuerySet[R], rule: int, *, actor: Actor, act: Act) -> R:
    """A rule, for who may see the set-up. Raises NotAllowed, NotFound."""
    require(actor, act, INSTALLATION)
    found = rows.filter(pk=rule).first()
    if found is None:
        raise NotFound("There is no such rule.")
    return found


def held(read: Callable[[], list[R]], rule: int, *, actor: Actor) -> tuple[list[R], R]:
    """All rules, and the one that is meant. Raises NotAllowed, NotFound."""
    require(actor, Act.SET_UP, INSTALLATION)
    rows = read()
    found = next((row for row in rows if row.pk == rule), None)
    if found is None:
        raise NotFound("There is no such rule.")
    return rows, found


def to_change(read: Callable[[], list[R]], rule: int, *, seen: str, actor: Actor) -> R:
    """The rule that is to say something else; `seen` is what `version` said when it was read. Raises NotAllowed, NotFound, Stale."""
    _rows, row = held(read, rule, actor=actor)
    if seen and seen != version(row):
        raise Stale("Somebody else changed this rule in the meantime. Look again, and change it once more.")
    return row


def version(row: AlertRule | MailRule) -> str:
    """What tells whether a rule says something else by now."""
    return row.changed_at.isoformat()


def last_position(read: Callable[[], list[R]], *, actor: Actor) -> int:
    """Where a new rule stands: after all others. Raises Invalid when there are too many, NotAllowed."""
    require(actor, Act.SET_UP, INSTALLATION)
    rows = read()
    if len(rows) >= MOST:
        raise Invalid("There are too many rules.")
    return rows[-1].position + 1 if rows else 0


def check_place(rule: Placed, *, before: Placed, actor: Actor) -> None:
    """The service and the team it names are within reach; what it named before may be out of use by now. Raises Invalid."""
    if rule.service not in (None, before.service):
        known = services.visible_to(actor).filter(is_active=True)
        if not known.filter(pk=rule.service).exists():
            raise Invalid("There is no such service.", field="service")
    if rule.team is not None and rule.team != before.team:
        steps.team_within_reach(rule.team, actor=actor)


def switch(read: Callable[[], list[R]], rule: int, *, is_active: bool, actor: Actor, now: datetime) -> R:
    """Ask it, or leave it out; it keeps its place."""
    _rows, row = held(read, rule, actor=actor)
    writing.switch(row, is_active=is_active, actor=actor, now=now)
    return row


def move(read: Callable[[], list[R]], rule: int, *, by: int, actor: Actor, now: datetime) -> R:
    """Ask it `by` places later (negative: earlier); at an end it stays there."""
    rows, row = held(read, rule, actor=actor)
    place = rows.index(row)
    rows.insert(min(max(0, place + by), len(rows) - 1), rows.pop(place))
    writing.place(rows, actor=actor, now=now)
    return row


def reorder(read: Callable[[], list[R]], order: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Ask all rules in this order. Raises Invalid when it does not name each of them once."""
    require(actor, Act.SET_UP, INSTALLATION)
    rows = {row.pk: row for row in read()}
    if sorted(order) != sorted(rows):
        raise Invalid("Name every rule once.", field="order")
    writing.place([rows[number] for number in order], actor=actor, now=now)


def remove(read: Callable[[], list[R]], rule: int, *, actor: Actor, now: datetime) -> None:
    """Forget it. What it decided about stays as it is."""
    _rows, row = held(read, rule, actor=actor)
    writing.remove(row, actor=actor, now=now)
