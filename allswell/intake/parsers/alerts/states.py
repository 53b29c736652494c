"""Words that senders have for what became of something."""

from __future__ import annotations

from .reading import word
from .shape import Action

_FIRE = "fire firing fired alerting alert alarm trigger triggered open opened new active activated problem down failed on"
_RESOLVE = (
    "resolve resolved ok up closed close recovered recovery normal cleared clear healthy success fixed ended inactive pass passed"
)
_WORDS = {
    Action.FIRE: f"{_FIRE} critical error warning degraded failing unhealthy created started raised unresolved",
    Action.RESOLVE: f"{_RESOLVE} canceled cancelled completed done archived",
    Action.ACKNOWLEDGE: "acknowledge acknowledged acknowledgement ack acked",
    Action.NOTE: "note updated annotated pending test maintenance suppressed snoozed insufficient_data",
    Action.CHANGE: "change deployed deployment",
    Action.HEARTBEAT: "heartbeat ping alive",
}
ACTIONS = {said: action for action, words in _WORDS.items() for said in words.split()}


def action_of(value: object) -> Action | None:
    """What a state asks for, None when the word is none of ours."""
    return ACTIONS.get(word(value))


def chosen(table: object, value: object) -> object | None:
    """What a table of words has for a value. A name in it that ends with `*` stands for all that begin so; the longest wins."""
    if not isinstance(table, dict):
        return None
    wanted = word(value)
    lower: dict[str, object] = {word(name): found for name, found in table.items()}
    if wanted in lower:
        return lower[wanted]
    begins = [name for name in lower if name.endswith("*") and wanted.startswith(name[:-1])]
    return lower[max(begins, key=len)] if begins else None
