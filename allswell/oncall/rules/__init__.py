"""Pure rules of rotas: whose turn it is, who is on call, what an edit moves, whether it is fair."""

from __future__ import annotations

from .definition import FARTHEST, Definition, Handing, with_keys
from .handing import HandoverState, OpenTicket, Section, Turnover
from .layers import Layer, OnLeave, Span, Turn, Unit, handoff, starting_now, turn_at, turns, whose, windows
from .load import Caution, Duty, Fairness, Limits, Load, Trouble, cautions, fairness
from .moving import Change, Moved, by_person, difference
from .resolving import GAPS, Leave, Override, Slot, Version, Why, is_on_leave, joined, merged, resolve, ruling

__all__ = [
    "FARTHEST",
    "GAPS",
    "Caution",
    "Change",
    "Definition",
    "Duty",
    "Fairness",
    "Handing",
    "HandoverState",
    "Layer",
    "Leave",
    "Limits",
    "Load",
    "Moved",
    "OnLeave",
    "OpenTicket",
    "Override",
    "Section",
    "Slot",
    "Span",
    "Trouble",
    "Turn",
    "Turnover",
    "Unit",
    "Version",
    "Why",
    "by_person",
    "cautions",
    "difference",
    "fairness",
    "handoff",
    "is_on_leave",
    "joined",
    "merged",
    "resolve",
    "ruling",
    "starting_now",
    "turn_at",
    "turns",
    "whose",
    "windows",
    "with_keys",
]
