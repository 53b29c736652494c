"""The tables of the watch."""

from __future__ import annotations

from .coverage import CoverageNotice
from .escalations import Escalation, EscalationPolicy, Page, PageDelivery, PageEvent, PolicyUse, PolicyVersion
from .handovers import Handover
from .rotas import CalendarLink, Leave, Override, Rota, RotaMember, RotaVersion, Shift, ShiftRequest

__all__ = [
    "CalendarLink",
    "CoverageNotice",
    "Escalation",
    "EscalationPolicy",
    "Handover",
    "Leave",
    "Override",
    "Page",
    "PageDelivery",
    "PageEvent",
    "PolicyUse",
    "PolicyVersion",
    "Rota",
    "RotaMember",
    "RotaVersion",
    "Shift",
    "ShiftRequest",
]
