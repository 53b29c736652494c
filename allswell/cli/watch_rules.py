"""When the watcher pages, says it again, and says that all is well. Pure: what it saw and the time are arguments."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

#: so many good looks in a row end a silence: one alone may be luck
GOOD_LOOKS = 2


@dataclass(frozen=True, slots=True)
class State:
    """What the watcher remembers, also over a restart. Instants are seconds since 1970; 0 where there is none.

    `pages` counts what somebody was told of this silence; `over_since` and `over_until` are one that ended and is still to be told.
    """

    misses: int = 0
    good_looks: int = 0
    silent_since: float = 0.0
    why: str = ""
    paged_at: float = 0.0
    pages: int = 0
    over_since: float = 0.0
    over_until: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """As it is written into a file."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Any) -> State:
        """As it was written; whoever wrote something else begins anew. Raises ValueError."""
        if not isinstance(told, dict) or set(told) != {one.name for one in fields(cls)}:
            raise ValueError("not the state of a watcher")
        for one in fields(cls):
            wanted = (str,) if one.name == "why" else (int, float)
            if not isinstance(told[one.name], wanted) or isinstance(told[one.name], bool):
                raise ValueError("not the state of a watcher")
        return cls(**told)


@dataclass(frozen=True, slots=True)
class Word:
    """What is to be told: "silent" (the `number`th time), "well" or "test"; `since` and `until` are seconds since 1970."""

    kind: str
    since: float
    until: float
    why: str = ""
    number: int = 1

    @property
    def key(self) -> str:
        """The same over retries."""
        return f"watch.{self.kind}.{int(self.since)}.{self.number}"


def missed(state: State, why: str, *, now: float) -> State:
    """It was silent, or said that it does not watch."""
    since = state.silent_since or now
    return replace(state, misses=state.misses + 1, good_looks=0, silent_since=min(since, now), why=why)


def saw(state: State, *, now: float) -> State:
    """It watches."""
    good = state.good_looks + 1
    if not state.pages:
        return replace(state, misses=0, good_looks=good, silent_since=0.0, why="")
    if good < GOOD_LOOKS:
        return replace(state, good_looks=good)
    return State(good_looks=good, over_since=state.silent_since, over_until=now)


def due(state: State, *, misses: int, repeat: float, now: float) -> Word | None:
    """What is to be told now. The news that a silence is over waits behind a new one."""
    if state.misses >= misses and state.good_looks == 0:
        since_page = now - state.paged_at
        if not state.pages or since_page >= repeat or since_page < 0:  # the clock was set back: better once too often
            return Word("silent", state.silent_since, now, state.why, state.pages + 1)
    elif state.over_until:
        return Word("well", state.over_since, state.over_until)
    return None


def told(state: State, word: Word, *, now: float) -> State:
    """Somebody could be told."""
    if word.kind == "well":
        return replace(state, over_since=0.0, over_until=0.0)
    return replace(state, paged_at=now, pages=state.pages + 1, over_since=0.0, over_until=0.0)
