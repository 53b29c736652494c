"""What holds for every ticket: kinds, states, priority, moves. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from allswell.kernel.errors import Conflict, Invalid


class Kind(StrEnum):
    """What a ticket is. An incident is an unplanned interruption or reduction; a request asks for something agreed."""

    INCIDENT = "incident"
    REQUEST = "request"


PREFIX: Mapping[Kind, str] = {Kind.INCIDENT: "INC", Kind.REQUEST: "REQ"}


class State(StrEnum):
    """Where a ticket is in its life; nothing else (escalated, breached, assigned are never states)."""

    NEW = "new"
    APPROVING = "approving"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    FULFILLED = "fulfilled"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class WaitingOn(StrEnum):
    """What a waiting ticket waits for."""

    REQUESTER = "requester"
    SUPPLIER = "supplier"
    CHANGE = "change"


class LinkKind(StrEnum):
    """How two tickets belong together; read "<from> is <kind> <to>"."""

    DUPLICATE_OF = "duplicate_of"
    CHILD_OF = "child_of"
    CAUSED_BY = "caused_by"
    RELATED = "related"
    FOLLOW_UP_OF = "follow_up_of"
    SPLIT_FROM = "split_from"


class WatcherKind(StrEnum):
    """Why a person is told. Participants see the public conversation; affected people get announcements only."""

    WATCHER = "watcher"  # an agent who follows
    PARTICIPANT = "participant"  # in copy: sees and speaks like the requester
    AFFECTED = "affected"  # "same for me"
    NAMED = "named"  # may see a restricted ticket


class Move(StrEnum):
    """The verbs that move a ticket along its lifecycle."""

    ACKNOWLEDGE = "acknowledge"
    WAIT = "wait"
    RESUME = "resume"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A practice's states as data: move -> (states it may start from, state it ends in)."""

    kind: Kind
    moves: Mapping[Move, tuple[frozenset[State], State]]

    def allowed(self, state: State) -> tuple[Move, ...]:
        """The moves possible from a state."""
        return tuple(move for move, (start, _) in self.moves.items() if state in start)

    def after(self, state: State, move: Move) -> State:
        """The state after a move. Raises Conflict when it is not possible from here."""
        start, end = self.moves[move]
        if state not in start:
            raise Conflict("This cannot be done while the ticket is %(state)s.", state=state.value.replace("_", " "))
        return end


RESOLVED_STATES = frozenset({State.RESOLVED, State.FULFILLED})
DONE_STATES = frozenset({State.RESOLVED, State.FULFILLED, State.CLOSED, State.CANCELLED, State.REJECTED})

CODES: tuple[str, ...] = (
    "fixed",
    "workaround",
    "explained",
    "no_fault_found",
    "by_requester",
    "by_supplier",
    "duplicate",
    "not_possible",
)
CANCEL_REASONS: tuple[str, ...] = ("duplicate", "withdrawn", "mistake", "not_ours", "merged")

#: Reference of a new installation's first ticket, for looks: INC-1001.
FIRST_NUMBER = 1001


def reference(kind: str, number: int) -> str:
    """How people call a ticket: INC-1042."""
    return f"{PREFIX[Kind(kind)]}-{number}"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Impact x urgency -> priority. `rows[impact - 1][urgency - 1]` is the priority; any number of levels, P1 highest."""

    rows: tuple[tuple[int, ...], ...]

    @classmethod
    def parse(cls, rows: Sequence[Sequence[int]] | None) -> Matrix:
        """A matrix from stored JSON; None gives the default. Raises Invalid."""
        if rows is None:
            return DEFAULT_MATRIX
        table = tuple(tuple(row) for row in rows)
        if not table or not table[0] or len({len(row) for row in table}) != 1:
            raise Invalid("The matrix needs a priority for every impact and urgency.", field="priority_matrix")
        if any(not isinstance(cell, int) or not 1 <= cell <= 5 for row in table for cell in row):
            raise Invalid("Priorities are whole numbers from 1 to 5.", field="priority_matrix")
        return cls(table)

    def priority(self, impact: int, urgency: int) -> int:
        """The priority; levels beyond the matrix count as its last (lowest) level. Raises Invalid below 1."""
        if impact < 1:
            raise Invalid("Impact is a number from 1 (highest) to 4.", field="impact")
        if urgency < 1:
            raise Invalid("Urgency is a number from 1 (highest) to 4.", field="urgency")
        row = self.rows[min(impact, len(self.rows)) - 1]
        return row[min(urgency, len(row)) - 1]


#: min(5, impact + urgency - 1): 1/1 is P1, 1/2 and 2/1 P2 and so on (glossary, "Priority").
DEFAULT_MATRIX = Matrix(tuple(tuple(min(5, impact + urgency - 1) for urgency in range(1, 5)) for impact in range(1, 5)))

WAITING_RANK = 10


def queue_rank(state: str, priority: int) -> int:
    """Order of attention until the clocks come: the priority, waiting tickets after all others (10 more)."""
    return priority + (WAITING_RANK if state == State.WAITING else 0)
