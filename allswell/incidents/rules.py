"""The incident lifecycle, as data (glossary, "State machines"), and which announcement answers what somebody types."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from allswell.kernel.actor import Actor, Role, ScopeKind
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


# -- who may announce to whom ------------------------------------------------------------------------------------------------

_ANNOUNCES = frozenset({Role.AGENT, Role.LEAD, Role.DUTY_MANAGER})


def may_announce_to(actor: Actor, organization: int | None, *, own: frozenset[int]) -> bool:
    """Whether the actor may announce to an organization; `None` asks for everybody.

    A role in the whole installation reaches everybody, one in an organization reaches what is below it, one in a team reaches
    `own`: the organization the incident belongs to, with all below it.
    """
    if actor.is_system:
        return True
    for grant in actor.grants:
        if grant.role not in _ANNOUNCES:
            continue
        if grant.scope is ScopeKind.INSTALLATION:
            return True
        reached = grant.organizations if grant.scope is ScopeKind.ORGANIZATION else own
        if organization is not None and organization in reached:
            return True
    return False


# -- does an announcement answer what somebody is typing? ------------------------------------------------------------------

_WORD = re.compile(r"\w+(?:[-’']\w+)*")
_PART = re.compile(r"[^\W_]+")
_LONGEST = 24  # words of a text that are looked at
_ENOUGH = 4  # weight below which nothing was really said: "is it", "the"
_MATCHES = 0.5
_NAMED = 0.9


def _is_unspaced(character: str) -> bool:
    """Scripts written without spaces between words: Thai and its neighbors, Chinese, Japanese, Korean."""
    return "\u0e00" <= character <= "\u0eff" or character >= "\u2e80"


def words(text: str, *, limit: int = _LONGEST) -> tuple[str, ...]:
    """The distinct words of a text, folded: no case, no accents; "look-up" gives look, up and lookup.

    Scripts without spaces give pairs of characters instead.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    folded = unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))
    found: dict[str, None] = {}
    for match in _WORD.finditer(folded):
        parts = _PART.findall(match.group())
        for part in [*parts, "".join(parts)] if len(parts) > 1 else parts:
            if any(map(_is_unspaced, part)):
                found.update(dict.fromkeys(part[at : at + 2] for at in range(max(1, len(part) - 1))))
            else:
                found[part] = None
        if len(found) >= limit:
            break
    return tuple(found)[:limit]


def weight(word: str) -> int:
    """How much a word says, without a list of stop words: in every language the short ones say little."""
    if any(map(_is_unspaced, word)):
        return 9
    return max(0, min(len(word), 8) - 2) ** 2


def distance(one: str, other: str, *, limit: int) -> int:
    """Letters to insert, drop, replace or swap with their neighbor to get from one word to the other; `limit` + 1 when more."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                best = min(best, before_last[j - 2] + 1)
            row.append(best)
        if min(row) > limit:
            return limit + 1
        before_last, last = last, row
    return min(last[-1], limit + 1)


def likeness(one: str, other: str) -> float:
    """How far two words are the same, 0 to 1: equal, one the beginning of the other (still being typed, a compound), or a typo."""
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if len(short) >= 4 and long.startswith(short):
        return 0.9
    if len(short) < 4 or short[0] != long[0]:
        return 0.0
    allowed = 2 if len(short) >= 8 else 1
    return 0.8 if distance(one, other, limit=allowed) <= allowed else 0.0


def _share(asked: Sequence[str], known: Sequence[str]) -> float:
    """How much of what is asked is known, 0 to 1, by weight; 0 when what is found says too little."""
    total = sum(map(weight, asked))
    found = sum(weight(word) * max((likeness(word, other) for other in known), default=0.0) for word in asked)
    return found / total if total and found >= _ENOUGH else 0.0


def answers(typed: str, *, title: str, body: str = "", service: str = "") -> float:
    """How well an announcement answers what somebody types, 0 to 1; from 0.5 on (`is_answer`) it is worth showing.

    The best of: how much of what is typed stands in the announcement, how much of its service's name is typed, how much of its
    title is typed.
    """
    asked = words(typed)
    headline = words(f"{service} {title}")
    named = words(service)
    said = set(words(body, limit=120))
    in_body = sum(weight(word) for word in asked if word in said and not any(likeness(word, other) for other in headline))
    total = sum(map(weight, asked))
    of_typed = _share(asked, headline) + (0.5 * in_body / total if total else 0.0)
    return min(1.0, max(of_typed, _share(named, asked), _share(words(title), asked)))


def is_answer(score: float) -> bool:
    """Whether an announcement with this score is shown."""
    return score >= _MATCHES


def named(typed: str, names: Mapping[int, str]) -> int | None:
    """The one whose name is typed, all but completely; None when none or more than one is. `names`: key -> name."""
    asked = words(typed)
    shares = {key: _share(words(name), asked) for key, name in names.items()}
    best = max(shares.values(), default=0.0)
    found = [key for key, share in shares.items() if share == best]
    return found[0] if best >= _NAMED and len(found) == 1 else None
