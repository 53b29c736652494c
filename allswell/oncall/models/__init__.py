"""The tables of the watch."""

from __future__ import annotations

from .rotas import CalendarLink, Leave, Override, Rota, RotaMember, RotaVersion, Shift, ShiftRequest

__all__ = [
    "CalendarLink",
    "Leave",
    "Override",
    "Rota",
    "RotaMember",
    "RotaVersion",
    "Shift",
    "ShiftRequest",
]
