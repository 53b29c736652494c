"""The incident lifecycle, as data (glossary, "State machines")."""

from __future__ import annotations

from allswell.tickets.rules import Kind, Lifecycle, Move, State

_OPEN = frozenset({State.NEW, State.IN_PROGRESS, State.WAITING})

LIFECYCLE = Lifecycle(
    kind=Kind.INCIDENT,
    moves={
        Move.ACKNOWLEDGE: (frozenset({State.NEW}), State.IN_PROGRESS),
        Move.WAIT: (frozenset({State.NEW, State.IN_PROGRESS}), State.WAITING),
        Move.RESUME: (frozenset({State.WAITING}), State.IN_PROGRESS),
        Move.RESOLVE: (_OPEN, State.RESOLVED),
        Move.REOPEN: (frozenset({State.RESOLVED}), State.IN_PROGRESS),
        Move.CLOSE: (frozenset({State.RESOLVED}), State.CLOSED),
        Move.CANCEL: (_OPEN, State.CANCELLED),
    },
)
