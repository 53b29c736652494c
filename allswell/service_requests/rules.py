"""The request lifecycle, as data (glossary, "State machines"). Approval is skipped where nothing needs it."""

from __future__ import annotations

from allswell.tickets.rules import Kind, Lifecycle, Move, State

_OPEN = frozenset({State.NEW, State.IN_PROGRESS, State.WAITING})

LIFECYCLE = Lifecycle(
    kind=Kind.REQUEST,
    moves={
        Move.ACKNOWLEDGE: (frozenset({State.NEW}), State.IN_PROGRESS),
        Move.WAIT: (frozenset({State.NEW, State.IN_PROGRESS}), State.WAITING),
        Move.RESUME: (frozenset({State.WAITING}), State.IN_PROGRESS),
        Move.RESOLVE: (_OPEN, State.FULFILLED),
        Move.REOPEN: (frozenset({State.FULFILLED}), State.IN_PROGRESS),
        Move.CLOSE: (frozenset({State.FULFILLED}), State.CLOSED),
        Move.CANCEL: (_OPEN, State.CANCELLED),
    },
)
